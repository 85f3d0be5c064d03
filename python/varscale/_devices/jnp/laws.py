"""Laws: standard values of pairs of words, step by step as `src/law/` and `src/math/` compute them.

Each function is written once for both widths. Where float32 and float64 differ, a table or a branch says so.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .. import coefficients as c
from .arithmetic import bits, polynomial, product, quotient, real, root

_SIGNED = {np.dtype(np.uint32): np.int32, np.dtype(np.uint64): np.int64}
_REAL = {np.dtype(np.uint32): np.float32, np.dtype(np.uint64): np.float64}
_SLOPE = 1.1962880133226081
_HALVING = 1.0 - np.sqrt(0.5)


def uniform(word: Array, constant: Any = None) -> Array:
    """On (-1, 1): odd multiples of 2^-24, or of 2^-53 for words of 64 bits. Both are exact in float64 too."""
    constant = constant or _REAL[word.dtype]
    unused, places = (7, 24) if word.dtype == np.uint32 else (10, 53)
    signed = lax.bitcast_convert_type(word, _SIGNED[word.dtype])
    return ((signed >> unused) | 1).astype(constant) * constant(2.0**-places)


def truncated_normal(word: Array) -> Array:
    """The normal law on [-2, 2]."""
    u = uniform(word)
    constant = u.dtype.type
    p, q = (c.TRUNCATED_F32_P, c.TRUNCATED_F32_Q) if constant is np.float32 else (c.TRUNCATED_F64_P, c.TRUNCATED_F64_Q)
    square = product(u, u)
    s = constant(1) - square
    return u * (constant(_SLOPE) + quotient(square * polynomial(p, s), polynomial(q, s)))


def normal(first: Array, second: Array, odd: Array) -> Array:
    """The normal law, by Box and Muller: of each pair's two values the one that is asked for."""
    kind, signed, constant = first.dtype.type, _SIGNED[first.dtype], _REAL[first.dtype]
    width = first.dtype.itemsize * 8
    below = lax.bitcast_convert_type(first, signed) >= 0
    t = lax.bitcast_convert_type(jnp.where(below, first, ~first), signed).astype(constant) + constant(0.5)
    minus = minus_ln(t * constant(2.0**-width), below)
    radius = root(minus + minus)

    octant, quarter, half = (kind(1 << (width - places)) for places in (3, 2, 1))
    rest = jnp.where((second & octant) != 0, ~second, second) & kind(octant - 1)
    v = (lax.bitcast_convert_type(rest, signed).astype(constant) + constant(0.5)) * constant(2.0 ** (3 - width))
    square = v * v
    sines, cosines = (c.SIN_F32, c.COS_F32) if constant is np.float32 else (c.SIN_F64, c.COS_F64)
    swap = ((second + octant) & quarter) != 0
    value = jnp.where(swap ^ odd, v * polynomial(sines, square), polynomial(cosines, square))
    sign = jnp.where(odd, second, second + quarter) & half
    return radius * real(bits(value) ^ lax.bitcast_convert_type(sign, signed))


def minus_ln(y: Array, below: Array) -> Array:
    """-ln y where `below`, else -ln(1 - y), for y in (0, 1/2].

    The fraction f, and so its square, may be 0, and so may k. Never both: `product` may then be off by 2^-125, which
    the other summand does not feel.
    """
    constant = y.dtype.type
    number = bits(y).dtype.type
    single = constant is np.float32
    root_half, places = (0x3F3504F3, 23) if single else (0x3FE6A09E667F3BCD, 52)
    exponent = (bits(y) - number(root_half)) >> places
    mantissa = real(bits(y) - (exponent << places))
    halved = y > constant(_HALVING)
    f = jnp.where(below, mantissa - constant(1), jnp.where(halved, constant(1) - (y + y), -y))
    k = jnp.where(below, exponent, jnp.where(halved, number(-1), number(0))).astype(constant)
    if single:
        square = product(f, f)
        ln = f - (constant(0.5) * square - product(square * f, polynomial(c.LOG_F32, f)))
        # The product of k and the first constant is exact here and below, and so needs no rounding of its own.
        return -(k * constant(355 / 512) + (product(k, constant(-2.1219444e-4)) + ln))
    s = quotient(f, constant(2) + f)
    z = s * s
    half_square = product(constant(0.5) * f, f)
    rest = product(z, polynomial(c.LOG_F64, z))
    low = product(k, constant(1.9082149292705877e-10)) + product(s, half_square + rest)
    return -(k * constant(float.fromhex("0x1.62e42feep-1")) - ((half_square - low) - f))
