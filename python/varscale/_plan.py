"""Which standard law a tensor's values follow and where they lie: what the core is told of every initializer."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ._builtin import Job
from ._dtypes import FloatType
from ._partition import Part

STANDARD_BOUNDS = (-2.0, 2.0)
"""Where TensorFlow truncates the standard normal law."""
TRUNCATED_STDDEV = 0.87962566103423978
"""Standard deviation of the standard normal law truncated to [-2, 2], to TensorFlow's digits."""


class Plan(NamedTuple):
    """One law with its place: `x * scale + loc` in [low, high], for x of the standard law."""

    law: str
    bounds: tuple[float, float]
    """Of the standard truncated normal law; the other laws ignore it."""
    loc: float
    scale: float
    low: float
    high: float


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


def core_job(array: NDArray[Any], part: Part, kind: FloatType, plan: Plan, stream: Any) -> Job:
    """What the core fills an array with: the plan, and the bytes or the tuple that names the stream."""
    crossing = part.mesh(array if kind.crosses_as is None else array.view(kind.crosses_as))
    return crossing, kind.name, plan, stream, None if part.picks is None else part.full_shape, part.picks
