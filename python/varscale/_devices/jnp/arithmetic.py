"""Arithmetic: products, quotients and roots that have IEEE's bits, whatever a compiler makes of a program.

XLA's code for a CPU rounds a product and a sum at once, and its code for a GPU has quotients and roots that are some
places off. No option of the caller's program is needed for what follows, and none takes it away.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

LIFT = 2
"""How many powers of two a product is made too small, before integers make it large again."""
_LAYOUTS = {32: (np.int32, np.float32, 23), 64: (np.int64, np.float64, 52)}
"""By width: the integer of the same bits, the float, and the bits of its mantissa that are stored."""


def bits(x: Array) -> Array:
    """The bits of floats, as signed integers."""
    return lax.bitcast_convert_type(x, _LAYOUTS[x.dtype.itemsize * 8][0])


def real(n: Array) -> Array:
    """The floats of these bits."""
    return lax.bitcast_convert_type(n, _LAYOUTS[n.dtype.itemsize * 8][1])


def product(a: Array, b: Array) -> Array:
    """The product with a rounding of its own, for whatever is added to it.

    It is scaled down in floats and up in integers, and no compiler brings a product and a sum together across that.
    A product of 0 becomes one of 2^-125, or 2^-1021 in float64, with its sign. The laws add to it what is so much
    larger that the sum is the same.
    """
    integer, float_, mantissa = _LAYOUTS[a.dtype.itemsize * 8]
    return real(bits(a * (b * float_(2.0**-LIFT))) + integer(LIFT << mantissa))


def polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's rule, lowest coefficient first, each step rounded twice."""
    constant = x.dtype.type
    total = jnp.full_like(x, constant(coefficients[-1]))
    for coefficient in reversed(coefficients[:-1]):
        total = product(total, x) + constant(coefficient)
    return total


def quotient(a: Array, b: Array) -> Array:
    """The quotient as IEEE rounds it. In float64 it is so already, on a CPU and on NVIDIA's GPUs.

    In float32 both numbers must be positive, and their quotient far from the ends of the exponents.
    """
    near = lax.div(a, b)
    return near if near.dtype == np.float64 else nearest_quotient(near, a, b)


def root(x: Array) -> Array:
    """The square root as IEEE rounds it; in float32 of a number far from the ends of the exponents."""
    near = lax.sqrt(x)
    return near if near.dtype == np.float64 else nearest_root(near, x)


_ONE, _LOW, _BIAS = np.int32(1 << 23), np.int32((1 << 23) - 1), np.int32(127 + 23)


def nearest_quotient(near: Array, a: Array, b: Array) -> Array:
    """The float32 quotient of a and b, from one that is at most two steps away."""
    n, a, b = bits(near), bits(a), bits(b)
    m, divisor = (n & _LOW) | _ONE, (b & _LOW) | _ONE
    shift = (a >> 23) - (b >> 23) - (n >> 23) + _BIAS
    # What is left is at most some divisors. So the low 32 bits hold it, whatever the products lose above them.
    left = (((a & _LOW) | _ONE) << shift) - m * divisor
    return real(n + _steps(m, 4 * left, lambda quarters: quarters * divisor))


def nearest_root(near: Array, x: Array) -> Array:
    """The float32 square root of x, from one that is at most two steps away."""
    n, x = bits(near), bits(x)
    m = (n & _LOW) | _ONE
    left = (((x & _LOW) | _ONE) << ((x >> 23) - 2 * (n >> 23) + _BIAS)) - m * m
    # The square of m + q/4 is q m / 2 + q² / 16 more than that of m. Here they are eight times as large, in integers.
    return real(n + _steps(m, 8 * left, lambda quarters: 4 * quarters * m + (quarters * quarters + 1) // 2))


def _steps(m: Array, left: Array, of: Callable[[Array | int], Array]) -> Array:
    """How many steps from the mantissa m the nearest one lies, by what is left.

    Halfway to its neighbours it is `of` these quarters of a step. Steps are half as long below a power of two.
    """
    least, next_, last = m == _ONE, m == _ONE + 1, m == 2 * _ONE - 1
    up = (left > of(2)).astype(np.int32) + (left > of(jnp.where(last, 8, 6))).astype(np.int32)
    one, two = jnp.where(least, -1, -2), jnp.where(least, -3, jnp.where(next_, -5, -6))
    return up - (left < of(one)).astype(np.int32) - (left < of(two)).astype(np.int32)


def rounded(x: Array, dtype: np.dtype[np.generic]) -> Array:
    """float32 values in a 16-bit dtype, rounded once to nearest even; others stay as they are.

    In integers. XLA's code for a GPU leaves its own rounding out where the program goes on in float32.
    """
    if dtype.itemsize > 2:
        return x
    b = lax.bitcast_convert_type(x, np.uint32)
    if dtype == np.float16:
        half = _float16(b & np.uint32(0x7FFFFFFF)) | ((b & np.uint32(1 << 31)) >> 16)
    else:
        half = (b + (np.uint32(0x7FFF) + ((b >> 16) & np.uint32(1)))) >> 16
    return lax.bitcast_convert_type(half.astype(np.uint16), dtype)


def _float16(magnitude: Array) -> Array:
    """The bits of positive numbers in float16, from those in float32."""
    normal = (magnitude - np.uint32(112 << 23) + (np.uint32(0xFFF) + ((magnitude >> 13) & np.uint32(1)))) >> 13
    normal = jnp.where(magnitude >= np.uint32(0x47800000), np.uint32(0x7C00), normal)
    # The last place of 1/2 is that of float16's subnormal numbers: the sum rounds to them.
    raised = lax.bitcast_convert_type(magnitude, np.float32) + np.float32(0.5)
    subnormal = lax.bitcast_convert_type(raised, np.uint32) - np.uint32(0x3F000000)
    return jnp.where(magnitude < np.uint32(0x38800000), subnormal, normal)
