"""Plans: the standard law that a tensor's values follow, and the place that they are moved to."""

from __future__ import annotations

from math import inf, isfinite, sqrt
from typing import Any, NamedTuple

from .._arguments.checks import real
from .._arguments.dtypes import FloatType
from .._arguments.show import show
from .._core import truncated_moments

STANDARD_BOUNDS = (-2.0, 2.0)
"""The bounds at which TensorFlow truncates the standard normal law."""
TRUNCATED_STDDEV = 0.87962566103423978
"""The standard deviation of the standard normal law truncated to [-2, 2], to TensorFlow's digits."""


COMPLEX_TRUNCATED_STDDEV = 0.9619618280082135
"""That of the standard complex normal law, whose variance is 1, truncated to |z| < 2."""


class Plan(NamedTuple):
    """A law and its place: values are `x * scale + loc`, kept in [low, high], for x of the standard law.

    Of a complex dtype the standard laws are "uniform" on the disk |z| < 1, "normal" of variance 1, and
    "truncated_normal", the same on |z| < 2; then `low` and `high` are the ends of the real part.
    """

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
        ValueError: The largest value overflows the dtype, or complex values have other bounds than -2 and 2.
    """
    if kind.part is not None and bounds != STANDARD_BOUNDS:
        msg = f"`lower` and `upper` must be -2 and 2 for the `dtype` {show(kind.name)}, got {show(bounds)}"
        raise ValueError(msg)
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


def complex_plan(law: str, variance: float, kind: FloatType, bounds: tuple[float, float]) -> Plan:
    """The plan of complex values w of a law with E |w|^2 = `variance`.

    Raises:
        ValueError: The largest value overflows the dtype, or the bounds are not -2 and 2.
    """
    if law == "normal":
        return normal_plan(0.0, sqrt(variance), kind)
    if law == "truncated_normal":
        return truncated_normal_plan(0.0, sqrt(variance) / COMPLEX_TRUNCATED_STDDEV, kind, bounds)
    radius = sqrt(2.0 * variance)  # on a disk, |w|^2 is uniform on [0, radius^2]
    check_overflow(radius, kind)
    return Plan("uniform", STANDARD_BOUNDS, 0.0, radius, -radius, radius)


def check_overflow(largest: float, kind: FloatType) -> None:
    """Raises ValueError where values of this magnitude would round to infinity or NaN."""
    if not largest < kind.overflow:
        most = f"{show(kind.name)}, whose largest is below {kind.overflow:.6g}"
        msg = f"values of up to {largest:.6g} overflow `dtype` {most}"
        raise ValueError(msg)
