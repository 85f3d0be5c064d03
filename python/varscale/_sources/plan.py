"""Plans: the standard law that a tensor's values follow, and the place that they are moved to."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any, NamedTuple

from .._arguments.checks import real
from .._arguments.dtypes import FloatType
from .._arguments.show import show
from .._core import truncated_moments

STANDARD_BOUNDS = (-2.0, 2.0)
"""The bounds at which TensorFlow truncates the standard normal law."""
TRUNCATED_STDDEV = 0.87962566103423978
"""The standard deviation of the standard normal law truncated to [-2, 2], to TensorFlow's digits."""


class Plan(NamedTuple):
    """A law and its place: values are `x * scale + loc`, kept in [low, high], for x of the standard law."""

    law: str
    """The core's name of the law: "uniform" on (-1, 1), "normal", or "truncated_normal" on the bounds.

    Replays of torch name laws of their own.
    """
    bounds: tuple[float, float]
    """The bounds of the standard truncated normal law; the other laws ignore them."""
    loc: float
    scale: float
    low: float
    high: float
    """No value is less than `low` or greater than `high`, once they are rounded to the dtype."""


def normal_plan(loc: float, scale: float, kind: FloatType) -> Plan:
    """The plan of a normal law, whose values must fit in the dtype.

    Raises:
        ValueError: The largest value overflows the dtype.
    """
    check_overflow(abs(loc) + scale * kind.reach, kind)
    return Plan("normal", STANDARD_BOUNDS, loc, scale, -inf, inf)


def truncated_normal_plan(loc: float, scale: float, kind: FloatType, bounds: tuple[float, float]) -> Plan:
    """The plan of a normal law truncated to `bounds`, whose values must fit in the dtype.

    Raises:
        ValueError: The largest value overflows the dtype.
    """
    low, high = (loc + scale * bound if scale else loc for bound in bounds)  # 0 times an infinite bound is NaN
    # Where a bound is infinite, values end within ten standard deviations of the other one, or of the mean.
    ends = [abs(bound) for bound in bounds if isfinite(bound)]
    reach = max(ends, default=0.0) + (10.0 if len(ends) < 2 else 0.0)
    check_overflow(abs(loc) + scale * reach, kind)
    return Plan("truncated_normal", bounds, loc, scale, low, high)


def parse_bounds(lower: Any, upper: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """The bounds of a truncated normal law, and the mean and the standard deviation of the standard law between them.

    Raises:
        TypeError: A bound is no number.
        ValueError: `lower` is not less than `upper`, or the mass between them underflows float64.
    """
    bounds = real("lower", lower), real("upper", upper)
    if not bounds[0] < bounds[1]:
        msg = f"`lower` must be less than `upper`, got {show(lower)} and {show(upper)}"
        raise ValueError(msg)
    # The default bounds take the constant that TensorFlow divides by, not the same number computed once more.
    if bounds == STANDARD_BOUNDS:
        return bounds, (0.0, TRUNCATED_STDDEV)
    try:
        return bounds, truncated_moments(*bounds)
    except ValueError:
        msg = f"the mass between `lower` and `upper` must not underflow float64, got {show(lower)} and {show(upper)}"
        raise ValueError(msg) from None


def check_overflow(largest: float, kind: FloatType) -> None:
    """Raises ValueError where values of this magnitude would round to infinity."""
    if not largest < kind.overflow:
        most = f"{show(kind.name)}, whose largest is below {kind.overflow:.6g}"
        msg = f"values of up to {largest:.6g} overflow `dtype` {most}"
        raise ValueError(msg)
