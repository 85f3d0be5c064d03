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
"""No standard value but 0 is smaller, in float32 and in float64.

The uniform law's least is half a step, and the truncated law rises more steeply. The normal law's is the least radius,
1.5e-5 or 2.3e-10, times the least sine, that of half a step of the angle. At other bounds the least is what half a step
of the mass makes in the middle, or a bound.
"""
_PRODUCT = {4: 2.0**-124, 8: 2.0**-1020}
"""The least that `arithmetic.product` makes, by the bytes of a value."""
_SUMMAND = {4: 2.0**-100, 8: 2.0**-960}
"""The least that is added to products. Where a sum is less than that, both have the last places of normal numbers."""
_MASS = 2.0**-900
"""The least mass above the lower bound, and below the upper one: what lies 35 standard deviations out has more."""


def edge(high: float, kind: FloatType) -> float:
    """What values are compared with in place of `high`.

    The greatest value of a uniform law that ends at 0 is the number before it, which XLA takes for 0. No value lies
    between it and the number that is returned.
    """
    least = float(np.finfo(kind.value).tiny)
    return -least if -least < high < 0 else high


def limit(crossing: Crossing, kind: FloatType, platform: str) -> str | None:
    """Why XLA does not make these values on a platform; None where it does."""
    law, bounds, (loc, scale, low, high), _ = crossing
    size = np.dtype(kind.value).itemsize
    if platform == "tpu" and (size == 8 or law == "truncated"):
        return "it needs float64, which a TPU does not have"
    if law == "truncated" and min(bounds[3], bounds[4]) < _MASS:
        return f"its bounds {show(bounds[:2])} lie more than 35 standard deviations out"
    least = min((_LEAST[law][size // 8], *(abs(bound) for bound in bounds[:2] if bound)))
    if scale and least * min(scale, 1.0) < _PRODUCT[size]:
        return f"its scale {show(scale)} leads to subnormal numbers, which XLA takes for 0"
    for number in (loc, low, 0.0 if high != edge(high, kind) else high):
        if number and abs(number) < _SUMMAND[size]:
            return f"its mean or an end, {show(number)}, leads to subnormal numbers, which XLA takes for 0"
    return None
