"""Limits: what plain `jnp` cannot make, because XLA takes subnormal numbers for 0, or has no IEEE float64."""

from __future__ import annotations

import numpy as np

from ..._arguments.dtypes import FloatType
from ..._arguments.show import show
from ..crossing import Crossing

_LEAST = {
    "uniform": (2.0**-24, 2.0**-53),
    "truncated_normal": (2.0**-24, 2.0**-53),
    "normal": (2.0**-47, 2.0**-95),
    "truncated": (2.0**-53, 2.0**-53),
}
"""Below the least magnitude of each law but 0, in float32 and in float64.

The uniform law's is half a step, and the truncated law rises at least as fast. The normal law's is that of the least
radius, 1.5e-5 or 2.3e-10, times that of the least sine, π/4 half a step of the angle. At other bounds it is that of half
a step of the mass in the middle, times 2.5.
"""
_STEP = {4: 2.0**-124, 8: 2.0**-1020}
"""The least product that `arithmetic.product` makes, by the bytes of a value."""
_SUMMAND = {4: 2.0**-100, 8: 2.0**-960}
"""The least number that may stand beside products. All are then multiples of a normal number, and so are their sums."""
_MASS = 2.0**-900
"""The least mass on one side of both bounds, that of 35 standard deviations."""


def edge(high: float, kind: FloatType) -> float:
    """What values are compared with in place of `high`.

    That of a uniform law which ends at 0 is the number before it, which XLA takes for 0. No value lies between it and
    the greatest negative number that is not subnormal.
    """
    least = float(np.finfo(kind.value).tiny)
    return -least if -least < high < 0 else high


def refusal(crossing: Crossing, kind: FloatType, platform: str) -> str | None:
    """What must be otherwise for XLA to make these values on the platform; None where it makes them."""
    law, bounds, (loc, scale, low, high), _ = crossing
    wide = kind.value(0).itemsize
    if platform == "tpu" and (wide == 8 or law == "truncated"):
        return f"computed in float32 on a TPU, got a law that needs float64 ({law} in {kind.name})"
    if law == "truncated" and min(bounds[3], bounds[4]) < _MASS:
        return f"truncated within 35 standard deviations under JAX, got the bounds {show(bounds[:2])}"
    # Bounds are values too.
    least = min((_LEAST[law][wide // 8], *(abs(bound) for bound in bounds[:2] if bound)))
    if scale and least * min(scale, 1.0) < _STEP[wide]:
        return f"of a scale whose values are no subnormal numbers, which XLA takes for 0, got the scale {show(scale)}"
    for number in (loc, low, high if high == edge(high, kind) else 0.0):
        if number and abs(number) < _SUMMAND[wide]:
            return f"without numbers below {_SUMMAND[wide]:.2g}, which XLA may take for 0, got {show(number)}"
    return None
