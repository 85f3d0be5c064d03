"""Gains: torch's table, and the moments of each nonlinearity, derived anew to 40 digits."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Any

import mpmath
import pytest
from mpmath import mpf

import varscale as vs
from varscale._arguments.gains import NONLINEARITIES

ANSWERS = {
    # torch 2.15, `torch.nn.init.calculate_gain`
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d"), 1.0),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid"), 1.0),
    "tanh": 1.6666666666666667,
    "relu": 1.4142135623730951,
    "leaky_relu": 1.4141428569978354,
    "selu": 0.75,
}


def sigmoid(x: mpf) -> mpf:
    return 1 / (1 + mpmath.exp(-x))


def clipped(x: mpf, low: int, high: int) -> mpf:
    return min(max(x, mpf(low)), mpf(high))


def selu(x: mpf) -> mpf:
    scale, alpha = mpf("1.0507009873554804934193349852946"), mpf("1.6732632423543772848170429916717")
    return scale * (x if x > 0 else alpha * mpmath.expm1(x))


FUNCTIONS: dict[str, Callable[[mpf], mpf]] = {
    "linear": lambda x: x,
    "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x: x if x > 0 else x * mpf(0.01),
    "sigmoid": sigmoid,
    "tanh": mpmath.tanh,
    "selu": selu,
    "gelu": lambda x: x * mpmath.ncdf(x),
    "gelu_tanh": lambda x: x / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpf("0.044715") * x**3))),
    "quick_gelu": lambda x: x * sigmoid(mpf("1.702") * x),
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "hardswish": lambda x: x * clipped(x + 3, 0, 6) / 6,
    "softsign": lambda x: x / (1 + abs(x)),
    "relu6": lambda x: clipped(x, 0, 6),
    "relu2": lambda x: max(x, mpf(0)) ** 2,
    "hardtanh": lambda x: clipped(x, -1, 1),
}


def moments(function: Callable[[mpf], mpf]) -> tuple[mpf, mpf]:
    """E f(z)² and Var f(z), by quadrature between all corners, out to where the density is 10^-56."""
    corners = [mpf(x) for x in (-16, -12, -8, -5, -3, -1, 0, 1, 3, 6, 9, 12, 16)]
    mean, square = (
        mpmath.quad(lambda x: function(x) ** power * mpmath.npdf(x), corners)  # noqa: B023 - called at once
        for power in (1, 2)
    )
    return square, square - mean**2


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gains_keep_what_they_say(name: str) -> None:
    """If this fails a constant is wrong, or the mean square is taken for the variance."""
    with mpmath.workdps(45):
        square, variance = (float(1 / mpmath.sqrt(moment)) for moment in moments(FUNCTIONS[name]))
    assert vs.calculate_gain(name, convention="second_moment") == pytest.approx(square, rel=3e-16, abs=0)
    assert vs.calculate_gain(name, convention="variance") == pytest.approx(variance, rel=3e-16, abs=0)
    if name not in ANSWERS:
        assert vs.calculate_gain(name) == vs.calculate_gain(name, convention="second_moment")


def test_all_names_are_derived() -> None:
    """If this fails a nonlinearity has a gain that no test has seen."""
    assert {*NONLINEARITIES} == {*FUNCTIONS} | {*ANSWERS}


@pytest.mark.parametrize(("name", "gain"), ANSWERS.items())
def test_torchs_table(name: str, gain: float) -> None:
    """If this fails code that is ported from torch starts from other weights."""
    assert vs.calculate_gain(name) == gain


@pytest.mark.parametrize("slope", [0.0, 0.2, -1.0, 3.0, sqrt(5.0)])
def test_slopes(slope: float) -> None:
    """If this fails leaky_relu ignores its slope, or keeps something else than torch does."""
    assert vs.calculate_gain("leaky_relu", slope) == sqrt(2.0 / (1 + slope**2))
    variance = (1 + slope**2) / 2 - (1 - slope) ** 2 / (2 * pi)
    assert vs.calculate_gain("leaky_relu", slope, convention="variance") == pytest.approx(variance**-0.5, rel=1e-15)
    assert vs.calculate_gain("relu", slope) == vs.calculate_gain("relu"), "as torch's does"


@pytest.mark.parametrize(
    ("arguments", "named", "error", "message"),
    [
        (("x",), {}, ValueError, "`nonlinearity` must be one of 'linear', 'conv1d'"),
        ((None,), {}, TypeError, "`nonlinearity` must be a string, got None"),
        (("relu",), {"convention": "pytorch"}, ValueError, "`convention` must be one of 'torch', 'second_moment', 'va"),
        (("leaky_relu", "0.2"), {}, TypeError, "`param` must be a real number"),
        (("leaky_relu", float("nan")), {}, ValueError, "`param` must be a finite number"),
        (("leaky_relu", 1e200), {}, ValueError, r"`param` must be a slope of at most 1e100, got 1e\+200"),
        (("elu", 0.5), {}, ValueError, "`param` must be None for 'elu', which is taken as it is, got 0.5"),
    ],
)
def test_what_is_no_gain(arguments: Any, named: Any, error: type[Exception], message: str) -> None:
    """If this fails a misspelt name, or a parameter that is not looked at, is silently another gain."""
    with pytest.raises(error, match=message):
        vs.calculate_gain(*arguments, **named)


def test_scales_by_gain() -> None:
    """If this fails a variance scaling has the gain itself for its scale, or a config that no framework reads."""
    relu = vs.VarianceScaling(gain="relu", seed=3)
    assert relu == vs.VarianceScaling(2.0, seed=3), "exactly He's scale"
    assert relu.get_config() == vs.VarianceScaling(2.0, seed=3).get_config()
    assert vs.VarianceScaling(gain=3).scale == 9.0
    assert vs.VarianceScaling(1.0, gain="tanh").scale == 25 / 9
    assert vs.VarianceScaling(gain="gelu").scale == pytest.approx(vs.calculate_gain("gelu") ** 2, rel=1e-15)


@pytest.mark.parametrize(
    ("named", "error", "message"),
    [
        ({"scale": 2.0, "gain": "relu"}, ValueError, "`scale` must be left out beside `gain`, .* got 2.0 and 'relu'"),
        ({"scale": -1.0, "gain": "relu"}, ValueError, "^`scale` must be a positive, finite number, got -1.0"),
        ({"gain": "rleu"}, ValueError, "`nonlinearity` must be one of"),
        ({"gain": -1.0}, ValueError, "`gain` must be a positive, finite number, got -1.0"),
        ({"gain": 1e200}, ValueError, "`gain` must be a positive, finite number, got inf"),
        ({"gain": True}, TypeError, "`gain` must be a real number"),
    ],
)
def test_what_is_no_scale(named: Any, error: type[Exception], message: str) -> None:
    """If this fails one of scale and gain is silently dropped."""
    with pytest.raises(error, match=message):
        vs.VarianceScaling(**named)
