"""The initializer whose scale depends on the shape: its standard deviation is sqrt(scale / n)."""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar, Literal, TypeVar, get_args

from .._arguments.checks import positive, word
from .._arguments.dtypes import DTypeLike, FloatType
from .._arguments.fans import Axes, AxesLike, Rest, parse_fan
from .._arguments.gains import parse_scale
from .._arguments.layouts import Layout, Wiring, check_depthwise, parse_wiring
from .._arguments.show import show
from .._sources.plan import (
    STANDARD_BOUNDS,
    Plan,
    check_overflow,
    complex_plan,
    normal_plan,
    parse_bounds,
    truncated_normal_plan,
)
from .._sources.request import Law, Variance
from .._sources.seeds import SeedLike
from .sampled import Description, Sampled

Self = TypeVar("Self", bound="VarianceScaling")
Mode = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
Distribution = Literal["truncated_normal", "untruncated_normal", "uniform", "normal"]
MODES: tuple[str, ...] = get_args(Mode)
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
_CAMEL = {"fanIn": "fan_in", "fanOut": "fan_out", "fanAvg": "fan_avg", "truncatedNormal": "truncated_normal"}
"""The words of TensorFlow.js."""
_LEAST_WIDTH = 0.001
"""Between closer bounds the standard deviation is known to fewer than 12 digits."""
_LAWS = {"truncated_normal": "truncated_normal", "untruncated_normal": "normal", "uniform": "uniform"}


class VarianceScaling(Sampled):
    """Draws values whose variance is `scale / n`, where n counts the tensor's inputs, its outputs, or both.

    * "truncated_normal" (or "normal", TensorFlow's word for it): normal values truncated at two standard deviations,
      with standard deviation sqrt(scale / n) *after* truncation: they fill [-b, b], b = 2 sqrt(scale / n) / 0.8796.
      So it is for any bounds, `lower` and `upper`.
    * "untruncated_normal": normal values with standard deviation sqrt(scale / n).
    * "uniform": values in [-limit, limit], limit = sqrt(3 scale / n).

    Of a complex dtype E |w|^2 is scale / n, "truncated_normal" bounds |w|, and "uniform" is on a disk.

    n is at least 1. "fan_avg" is the mean of both fans, and "fan_geo_avg" their geometric mean, as in JAX.

    Args:
        scale: A positive, finite number.
        mode: "fan_in", "fan_out", "fan_avg" or "fan_geo_avg".
        distribution: "truncated_normal", "untruncated_normal" or "uniform", in upper or lower case.
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        in_axis: The input axis or axes; None for those of the layout.
        out_axis: The output axis or axes, likewise.
        batch_axis: The axes along which independent tensors are stacked, which count for no fan; "rest" for all others.
        layout: The framework that the weight is of, which names the axes among those that are no batch axes: "keras" or
            "jax" for (*kernel, in, out), "torch" for (out, in, *kernel), "mlx" for (out, *kernel, in). None is
            TensorFlow's, which is Keras', unless a model or a module has another.
        groups: The number of groups of a convolution: one axis has the channels of one of them, as in every framework.
        transposed: Whether it is of a transposed convolution, with the other's axes: Keras' is (*kernel, out, in),
            torch's (in, out, *kernel), and MLX's is as any.
        depthwise: Whether it is Keras' depthwise kernel, (*kernel, channels, outputs per channel).
        blocks: The number of independent matrices along the output axis, such as an LSTM's four gates.
        fan_in: The number of inputs where the shape does not tell it: a real number of at least 1, which counts instead
            of the axes; None for that of the axes.
        fan_out: The number of outputs, likewise.
        gain: Instead of `scale`, its root: a positive number, or the name of a nonlinearity for `calculate_gain`.
            Configs hold the scale.
        lower: Where "truncated_normal" is cut, in standard deviations before truncation; may be -inf.
        upper: The other end; may be inf. Bounds that are not symmetric leave a mean, which `describe` tells.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value; there are both a scale and a gain; bounds are given to a law
            without bounds, or are less than 0.001 apart; what is said of the weight contradicts itself. A call also
            raises it where an axis is not in the shape or is named twice, or groups or blocks do not divide it.

    References:
        He, Zhang, Ren, Sun, *Delving deep into rectifiers*, ICCV 2015, section 2.2, for scale 2; Glorot and Bengio,
        *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010, for the average.

    Example:
        >>> import varscale as vs
        >>> init = vs.VarianceScaling(2.0, "fan_in", "uniform", seed=3)
        >>> init((600, 10)).shape
        (600, 10)
        >>> init.describe((600, 10))
        Description(fan_in=600, fan_out=10, mean=0.0, stddev=0.05773502691896258, low=-0.1, high=0.1)
    """

    scale: float
    mode: str
    distribution: str
    in_axis: Axes
    out_axis: Axes
    batch_axis: Axes | Rest
    layout: str | None
    groups: int
    transposed: bool
    depthwise: bool
    blocks: int
    fan_in: float | None
    fan_out: float | None
    lower: float
    upper: float
    _moments: tuple[float, float]
    _complex = True
    _parameters: ClassVar[dict[str, Any]] = {
        "scale": Sampled._REQUIRED,
        "mode": Sampled._REQUIRED,
        "distribution": Sampled._REQUIRED,
        "seed": Sampled._REQUIRED,
        "dtype": Sampled._REQUIRED,
        **Wiring._field_defaults,
        "fan_in": None,
        "fan_out": None,
        "lower": -2.0,
        "upper": 2.0,
    }
    _dialect: ClassVar[tuple[str, ...]] = (*Sampled._dialect, "input_axes", "output_axes")

    def __init__(
        self,
        scale: float = 1.0,
        mode: Mode = "fan_in",
        distribution: Distribution = "truncated_normal",
        seed: SeedLike = None,
        dtype: DTypeLike = "float32",
        *,
        in_axis: AxesLike | None = None,
        out_axis: AxesLike | None = None,
        batch_axis: AxesLike | Rest = (),
        layout: Layout | None = None,
        groups: int = 1,
        transposed: bool = False,
        depthwise: bool = False,
        blocks: int = 1,
        fan_in: float | None = None,
        fan_out: float | None = None,
        gain: str | float | None = None,
        lower: float = -2.0,
        upper: float = 2.0,
    ) -> None:
        law: Any = distribution
        # Other kinds go on as they are, and are refused.
        if isinstance(law, str):
            law = "truncated_normal" if law.lower() == "normal" else law.lower()
        bounds, moments = parse_bounds(lower, upper)
        self._set(
            scale=parse_scale(scale, gain),
            mode=word("mode", mode, MODES),
            distribution=word("distribution", law, DISTRIBUTIONS),
            **parse_wiring(in_axis, out_axis, batch_axis, layout, groups, transposed, depthwise, blocks)._asdict(),
            fan_in=parse_fan("fan_in", fan_in),
            fan_out=parse_fan("fan_out", fan_out),
            lower=bounds[0],
            upper=bounds[1],
            _moments=moments,
        )
        self._check_bounds()
        self._seal(seed, dtype)

    def _check_bounds(self) -> None:
        """Raises ValueError for bounds that mean nothing, or whose standard deviation is not exact enough to divide."""
        bounds = self.lower, self.upper
        if bounds != STANDARD_BOUNDS and self.distribution != "truncated_normal":
            msg = f"`lower` and `upper` must be -2 and 2 but for 'truncated_normal', got {show(bounds)}"
            raise ValueError(msg)
        if not self.upper - self.lower >= _LEAST_WIDTH:
            msg = f"`lower` and `upper` must be at least {_LEAST_WIDTH} apart, got {show(bounds)}"
            raise ValueError(msg)

    def _wiring(self) -> Wiring:
        return Wiring(*(getattr(self, name) for name in Wiring._fields))

    def _fans(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Both fans: those given by hand, and otherwise those of the axes."""
        if self.fan_in is not None and self.fan_out is not None:
            return self.fan_in, self.fan_out
        fan_in, fan_out = self._wiring().fans(shape)
        return fan_in if self.fan_in is None else self.fan_in, fan_out if self.fan_out is None else self.fan_out

    def _variance(self, shape: tuple[int, ...]) -> float:
        """The variance `scale / n`, in float64 and in the order in which TensorFlow computes it."""
        fan_in, fan_out = self._fans(shape)
        mode = self.mode
        if mode == "fan_in":
            n = max(1.0, fan_in)
        elif mode == "fan_out":
            n = max(1.0, fan_out)
        elif mode == "fan_avg":
            n = max(1.0, (fan_in + fan_out) / 2.0)
        else:
            n = max(1.0, sqrt(fan_in * fan_out))
        return self.scale / n

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        variance = self._variance(full_shape)
        if kind.part is not None:
            law = self._law(full_shape)
            return complex_plan(law.name, variance, kind, law.bounds)
        if self.distribution == "truncated_normal":
            # Truncation narrows the law: it starts from a wider one, so that `variance` is what is left.
            return truncated_normal_plan(0.0, sqrt(variance) / self._moments[1], kind, (self.lower, self.upper))
        if self.distribution == "untruncated_normal":
            return normal_plan(0.0, sqrt(variance), kind)
        limit = sqrt(3.0 * variance)  # a uniform law on [-limit, limit] has the variance limit^2 / 3
        check_overflow(limit, kind)
        return Plan("uniform", STANDARD_BOUNDS, 0.0, limit, -limit, limit)

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        axes = self._wiring().axes(len(full_shape))
        variance = Variance(self.scale, self.mode, *self._fans(full_shape), axes)
        return Law(_LAWS[self.distribution], variance, (self.lower, self.upper))

    def _with_axes(self: Self, in_axis: Axes, out_axis: Axes, batch_axis: Axes | Rest | None = None) -> Self:
        """The same rule for tensors of another layout; the batch axes stay if none are given."""
        batch = self.batch_axis if batch_axis is None else batch_axis
        # With plans of its own: those of the shared dict are for the old axes.
        return self._copy(in_axis=in_axis, out_axis=out_axis, batch_axis=batch, _plans={}, _tensors={})

    def _with_layout(self: Self, layout: str) -> Self:
        """The same rule for weights of a layout, where it names no axes."""
        check_depthwise(layout if self.depthwise else None)
        return self._copy(layout=layout, _plans={}, _tensors={})

    def _with_fans(self: Self, **fans: float | None) -> Self:
        """The same rule with fans by hand, where it has none; None for those of the axes."""
        return self._copy(
            _plans={}, _tensors={}, **{name: fan for name, fan in fans.items() if getattr(self, name) is None}
        )

    def _divided(self, by: float) -> VarianceScaling:
        # No preset, for those fix the scale.
        scaled = object.__new__(VarianceScaling)
        scaled._set(**self.__dict__ | {"scale": positive("scale", self.scale / by), "_plans": {}, "_tensors": {}})
        return scaled

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        plan = self._plan(full_shape, self._kind)
        mean, stddev = plan.scale * self._moments[0], sqrt(self._variance(full_shape))
        return Description(*self._fans(full_shape), mean, stddev, plan.low, plan.high)

    @classmethod
    def _translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        for key in ("mode", "distribution"):
            if isinstance(config.get(key), str):
                config[key] = _CAMEL.get(config[key], config[key])
        # Keras 3 has `input_axes` and `output_axes`, which it reads only where both are given. Others count for no fan.
        config = super()._translate(config)
        ins, outs = config.pop("input_axes", None), config.pop("output_axes", None)
        if ins is not None and outs is not None:
            config.setdefault("in_axis", ins)
            config.setdefault("out_axis", outs)
            config.setdefault("batch_axis", "rest")
        return config


variance_scaling = VarianceScaling
