"""Plans: which standard law a tensor's values follow, and where they lie."""

from __future__ import annotations

from math import inf, isfinite
from typing import NamedTuple

from .._arguments.dtypes import FloatType

STANDARD_BOUNDS = (-2.0, 2.0)
"""Where TensorFlow truncates the standard normal law."""
TRUNCATED_STDDEV = 0.87962566103423978
"""Standard deviation of the standard normal law truncated to [-2, 2], to TensorFlow's digits."""


class Plan(NamedTuple):
    """One law with its place: `x * scale + loc` in [low, high], for x of the standard law."""

    law: str
    """Of the core's names: "uniform" on (-1, 1), "normal", "truncated_normal" on the bounds."""
    bounds: tuple[float, float]
    """Of the standard truncated normal law; the other laws ignore them."""
    loc: float
    scale: float
    low: float
    high: float
    """No value is less than `low` or greater than `high`, once they are rounded to the dtype."""


def placed(law: str, loc: float, scale: float, kind: FloatType, bounds: tuple[float, float] = STANDARD_BOUNDS) -> Plan:
    """The plan of a normal or truncated normal law, if its values fit in the dtype.

    Raises:
        ValueError: The largest value overflows the dtype.
    """
    if law == "normal":
        low, high, reach = -inf, inf, kind.reach
    else:
        low, high = (loc + scale * bound if scale else loc for bound in bounds)  # 0 times infinity is no number
        # Words end within ten standard deviations of the finite bound where the other one is infinite.
        ends = [abs(bound) for bound in bounds if isfinite(bound)]
        reach = max(ends, default=0.0) + (10.0 if len(ends) < 2 else 0.0)
    check_overflow(abs(loc) + scale * reach, kind)
    return Plan(law, bounds, loc, scale, low, high)


def check_overflow(largest: float, kind: FloatType) -> None:
    """Raises where values of this magnitude would round to infinity."""
    if not largest < kind.overflow:
        msg = (
            f"values of up to {largest:.6g} overflow `dtype` {kind.name!r}, whose largest is below {kind.overflow:.6g}"
        )
        raise ValueError(msg)
