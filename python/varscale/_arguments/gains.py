"""Gains: the factors that keep the scale of a signal through a nonlinearity."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any, Literal, get_args

from .checks import finite, positive, word
from .show import show

Convention = Literal["torch", "second_moment", "variance"]
CONVENTIONS: tuple[str, ...] = get_args(Convention)

_LINEAR = ("linear", *(f"conv{way}{rank}d" for way in ("", "_transpose") for rank in (1, 2, 3)))
_SLOPES = dict.fromkeys(_LINEAR, 1.0) | {"relu": 0.0, "leaky_relu": 0.01}
"""The nonlinearities that are z above 0 and slope · z below."""
_MOMENTS = {
    "sigmoid": (0.29337903585809294, 0.04337903585809296),
    "tanh": (0.3942944903978412, 0.3942944903978412),
    "selu": (1.0, 1.0),
    "gelu": (0.4252214825702987, 0.345644011024351),
    "gelu_tanh": (0.42519371103309944, 0.3456479458676228),
    "quick_gelu": (0.4219528068969808, 0.3422422658454079),
    "silu": (0.35577551981735217, 0.31308329699442095),
    "mish": (0.45234219237588275, 0.3945481628301636),
    "elu": (0.6449454174929239, 0.6191785633721412),
    "softplus": (0.9212459088593002, 0.27151450180055875),
    "hardswish": (0.3315673751379077, 0.3039393835609004),
    "softsign": (0.1830140212665475, 0.1830140212665475),
    "relu6": (0.49999999807527046, 0.34084505510812996),
    "relu2": (1.5, 1.25),
    "hardtanh": (0.5160585509617133, 0.5160585509617133),
}
"""E f(z)² and Var f(z) of the other nonlinearities, for z of the standard normal law."""
_TORCH = {"sigmoid": 1.0, "tanh": 25 / 9, "selu": 9 / 16}
"""The squares of torch's gains, where they do not keep the second moment."""
NONLINEARITIES = (*_SLOPES, *_MOMENTS)


def calculate_gain(nonlinearity: str, param: float | None = None, *, convention: Convention = "torch") -> float:
    """The factor by which weights in front of a nonlinearity f are larger, so that signals keep their scale.

    For z of the standard normal law, E f(z)² and Var f(z) differ by the square of the mean of f(z).

    * "second_moment" is 1 / sqrt(E f(z)²): what follows gets inputs of mean square 1, and its outputs keep their
      variance. He's sqrt(2) for relu is this.
    * "variance" is 1 / sqrt(Var f(z)): the values themselves have variance 1, as in normalizer-free networks, whose
      weights are centred.
    * "torch" is `torch.nn.init.calculate_gain`: "second_moment", but sigmoid 1, tanh 5/3 and selu 3/4.

    Args:
        nonlinearity: torch's names: "linear", "conv1d" to "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu",
            "selu". And "gelu" (the exact one), "gelu_tanh", "quick_gelu", "silu", "mish", "elu", "softplus",
            "hardswish", "softsign", "relu6", "relu2" (the square of relu), "hardtanh".
        param: The slope of "leaky_relu", 0.01 by default. The others of torch's names ignore it, as torch does.
        convention: "torch", "second_moment" or "variance".

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: A name is unknown, `param` is not finite or too large, or a name that torch has not gets one.

    References:
        He, Zhang, Ren, Sun, *Delving deep into rectifiers*, ICCV 2015; Brock, De, Smith, *Characterizing signal
        propagation to close the performance gap in unnormalized ResNets*, ICLR 2021, for "variance".

    Example:
        >>> import varscale as vs
        >>> vs.calculate_gain("tanh"), vs.calculate_gain("tanh", convention="second_moment")
        (1.6666666666666667, 1.5925374197228312)
    """
    return sqrt(squared_gain(nonlinearity, param, convention))


def squared_gain(nonlinearity: str, param: float | None = None, convention: str = "torch") -> float:
    """The square of a gain, which is the scale of a variance scaling; `calculate_gain` says more."""
    name, kept = word("nonlinearity", nonlinearity, NONLINEARITIES), word("convention", convention, CONVENTIONS)
    if kept == "torch" and name in _TORCH:
        return _TORCH[name]
    if name in _SLOPES:
        slope = _SLOPES[name]
        if name == "leaky_relu" and param is not None:
            slope = finite("param", param)
            if abs(slope) > 1e100:  # its square overflows
                msg = f"`param` must be a slope of at most 1e100, got {show(param)}"
                raise ValueError(msg)
        moment = (1.0 + slope * slope) / 2.0
        mean = (1.0 - slope) / sqrt(2.0 * pi)
        return 1.0 / (moment - mean * mean if kept == "variance" else moment)
    if param is not None and name not in _TORCH:
        msg = f"`param` must be None for {show(name)}, which is taken as it is, got {show(param)}"
        raise ValueError(msg)
    return 1.0 / _MOMENTS[name][kept == "variance"]


def parse_scale(scale: Any, gain: Any) -> float:
    """The scale of a variance scaling: `scale`, or the square of a gain, which is a name or a number."""
    number = positive("scale", scale)
    if gain is None:
        return number
    if number != 1.0:
        msg = f"`scale` must be left out beside `gain`, whose square it is, got {show(scale)} and {show(gain)}"
        raise ValueError(msg)
    if isinstance(gain, str):
        return squared_gain(gain)
    factor = positive("gain", gain)
    return positive("gain", factor * factor)
