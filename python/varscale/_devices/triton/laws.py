"""The laws of the native stream as Triton functions: `src/stream/philox.rs`, `src/math/` and `src/law/` once more.

Every product and every sum is rounded by itself, which needs `enable_fp_fusion=False` at the launch. Float32 quotients
and roots are those of IEEE by `div_rn` and `sqrt_rn`; in float64 `/` and `tl.sqrt` are. The interpreter knows less than
the compiler: no `len` of a table, no `~` of unsigned words, no `fma` of one rounding.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .. import coefficients as c

C = tl.constexpr
TRUNCATED_F32_P: C = C(c.TRUNCATED_F32_P)
TRUNCATED_F32_Q: C = C(c.TRUNCATED_F32_Q)
TRUNCATED_F64_P: C = C(c.TRUNCATED_F64_P)
TRUNCATED_F64_Q: C = C(c.TRUNCATED_F64_Q)
LOG_F32: C = C(c.LOG_F32)
LOG_F64: C = C(c.LOG_F64)
SIN_F32: C = C(c.SIN_F32)
COS_F32: C = C(c.COS_F32)
SIN_F64: C = C(c.SIN_F64)
COS_F64: C = C(c.COS_F64)
TAIL_P: C = C((c.TAIL_CENTRE_P, c.TAIL_NEAR_P, c.TAIL_FAR_P))
TAIL_Q: C = C((c.TAIL_CENTRE_Q, c.TAIL_NEAR_Q, c.TAIL_FAR_Q))
HALVING: C = C(0.2928932188134524)  # 1 - sqrt(1/2)
SLOPE: C = C(1.1962880133226081)


@triton.jit
def philox(blocks, high, key):
    """Philox4x32-10: four words of each block, each product giving both its halves."""
    x0, x1 = blocks.to(tl.uint32), (blocks >> 32).to(tl.uint32)
    x2, x3 = high.to(tl.uint32), (high >> 32).to(tl.uint32)
    k0, k1 = key.to(tl.uint32), (key >> 32).to(tl.uint32)
    for _ in tl.static_range(10):
        p0 = x0.to(tl.uint64) * 0xD2511F53
        p1 = x2.to(tl.uint64) * 0xCD9E8D57
        x0, x1 = (p1 >> 32).to(tl.uint32) ^ x1 ^ k0, p1.to(tl.uint32)
        x2, x3 = (p0 >> 32).to(tl.uint32) ^ x3 ^ k1, p0.to(tl.uint32)
        k0 += 0x9E3779B9
        k1 += 0xBB67AE85
    return x0, x1, x2, x3


@triton.jit
def polynomial(table: tl.constexpr, n: tl.constexpr, x):
    """Horner's rule over the `n` coefficients of a table, the lowest first."""
    total = tl.full(x.shape, table[n - 1], x.dtype)
    for i in tl.static_range(1, n):
        total = total * x + tl.full(x.shape, table[n - 1 - i], x.dtype)
    return total


@triton.jit
def quotient_f32(a, b, FMA: tl.constexpr):
    """The float32 nearest to a / b, for positive numbers far from the ends of the exponents.

    `FMA`: by a step of Newton's for 1 / b and Markstein's correction, which `div_rn` does behind a test of the ranges.
    """
    if FMA:
        r = tl.rsqrt(b)
        r = r * r
        r = tl.fma(tl.fma(-b, r, 1.0), r, r)
        q = a * r
        result = tl.fma(tl.fma(-b, q, a), r, q)
    else:
        result = tl.div_rn(a, b)
    return result


@triton.jit
def uniform_f32(word):
    return ((word.to(tl.int32, bitcast=True) >> 7) | 1).to(tl.float32) * 5.9604644775390625e-08  # 2^-24


@triton.jit
def uniform_f64(word):
    return ((word.to(tl.int64, bitcast=True) >> 10) | 1).to(tl.float64) * 1.1102230246251565e-16  # 2^-53


@triton.jit
def truncated_normal_f32(word, FMA: tl.constexpr):
    u = uniform_f32(word)
    square = u * u
    s = 1.0 - square
    p, q = square * polynomial(TRUNCATED_F32_P, 4, s), polynomial(TRUNCATED_F32_Q, 5, s)
    return u * (SLOPE + quotient_f32(p, q, FMA))


@triton.jit
def truncated_normal_f64(word):
    u = uniform_f64(word)
    square = u * u
    s = 1.0 - square
    return u * (SLOPE + square * polynomial(TRUNCATED_F64_P, 10, s) / polynomial(TRUNCATED_F64_Q, 11, s))


@triton.jit
def minus_ln_f32(y, below):
    bits = y.to(tl.int32, bitcast=True)
    exponent = (bits - 0x3F3504F3) >> 23
    mantissa = (bits - (exponent << 23)).to(tl.float32, bitcast=True)
    halved = y > HALVING
    f = tl.where(below, mantissa - 1.0, tl.where(halved, 1.0 - (y + y), -y))
    k = tl.where(below, exponent, tl.where(halved, -1, 0)).to(tl.float32)
    square = f * f
    ln = f - (0.5 * square - square * f * polynomial(LOG_F32, 8, f))
    return -(k * 0.693359375 + (k * -2.1219444e-4 + ln))


@triton.jit
def minus_ln_f64(y, below):
    bits = y.to(tl.int64, bitcast=True)
    exponent = (bits - 0x3FE6A09E667F3BCD) >> 52
    mantissa = (bits - (exponent << 52)).to(tl.float64, bitcast=True)
    halved = y > HALVING
    f = tl.where(below, mantissa - 1.0, tl.where(halved, 1.0 - (y + y), -y))
    k = tl.where(below, exponent, tl.where(halved, -1, 0)).to(tl.float64)
    s = f / (2.0 + f)
    z = s * s
    half_square = 0.5 * f * f
    ln_low = k * 1.9082149292705877e-10 + s * (half_square + z * polynomial(LOG_F64, 7, z))
    return -(k * 0.6931471803691238 - ((half_square - ln_low) - f))  # 0x3FE62E42FEE00000


@triton.jit
def normal_f32(w0, w1):
    """The two values of a pair of words."""
    below = w0.to(tl.int32, bitcast=True) >= 0
    t = tl.where(below, w0, w0 ^ 0xFFFFFFFF).to(tl.int32, bitcast=True).to(tl.float32) + 0.5
    m = minus_ln_f32(t * 2.3283064365386963e-10, below)  # 2^-32
    radius = tl.sqrt_rn(m + m)
    rest = tl.where((w1 & 0x20000000) != 0, w1 ^ 0xFFFFFFFF, w1) & 0x1FFFFFFF
    v = (rest.to(tl.int32, bitcast=True).to(tl.float32) + 0.5) * 1.862645149230957e-09  # 2^-29
    square = v * v
    sin, cos = v * polynomial(SIN_F32, 4, square), polynomial(COS_F32, 5, square)
    swap = ((w1 + 0x20000000) & 0x40000000) != 0
    x = tl.where(swap, sin, cos).to(tl.uint32, bitcast=True) ^ ((w1 + 0x40000000) & 0x80000000)
    y = tl.where(swap, cos, sin).to(tl.uint32, bitcast=True) ^ (w1 & 0x80000000)
    return radius * x.to(tl.float32, bitcast=True), radius * y.to(tl.float32, bitcast=True)


@triton.jit
def normal_f64(w0, w1):
    below = w0.to(tl.int64, bitcast=True) >= 0
    t = tl.where(below, w0, w0 ^ 0xFFFFFFFFFFFFFFFF).to(tl.int64, bitcast=True).to(tl.float64) + 0.5
    m = minus_ln_f64(t * 5.421010862427522e-20, below)  # 2^-64
    radius = tl.sqrt(m + m)
    rest = tl.where((w1 & 0x2000000000000000) != 0, w1 ^ 0xFFFFFFFFFFFFFFFF, w1) & 0x1FFFFFFFFFFFFFFF
    v = (rest.to(tl.int64, bitcast=True).to(tl.float64) + 0.5) * 4.336808689942018e-19  # 2^-61
    square = v * v
    sin, cos = v * polynomial(SIN_F64, 8, square), polynomial(COS_F64, 9, square)
    swap = ((w1 + 0x2000000000000000) & 0x4000000000000000) != 0
    x = tl.where(swap, sin, cos).to(tl.uint64, bitcast=True) ^ ((w1 + 0x4000000000000000) & 0x8000000000000000)
    y = tl.where(swap, cos, sin).to(tl.uint64, bitcast=True) ^ (w1 & 0x8000000000000000)
    return radius * x.to(tl.float64, bitcast=True), radius * y.to(tl.float64, bitcast=True)


@triton.jit
def select(tables: tl.constexpr, i: tl.constexpr, centre, near):
    """The i-th coefficient of the piece that a mass lies in."""
    rest = tl.where(near, tl.full(near.shape, tables[1][i], tl.float64), tl.full(near.shape, tables[2][i], tl.float64))
    return tl.where(centre, tl.full(near.shape, tables[0][i], tl.float64), rest)


@triton.jit
def inverse_upper_tail(mass):
    """The z >= 0 whose upper tail is `mass`, at most 1/2: three pieces, by one pass over selected coefficients."""
    q = 0.5 - mass
    centre = q <= 0.425
    w = tl.sqrt(minus_ln_f64(mass, mass > 0.0))
    near = w <= 5.0
    x = tl.where(centre, 0.180625 - q * q, tl.where(near, w - 1.6, w - 5.0))
    over, under = select(TAIL_P, 7, centre, near), select(TAIL_Q, 7, centre, near)
    for i in tl.static_range(1, 8):
        over = over * x + select(TAIL_P, 7 - i, centre, near)
        under = under * x + select(TAIL_Q, 7 - i, centre, near)
    return tl.where(centre, q * over, over) / under


@triton.jit
def truncated(u, lower, upper, below0, below1, above0, above1):
    """The normal law on any bounds, of which the masses below and above are given: float64 for each dtype."""
    left, right = 0.5 * (1.0 - u), 0.5 * (1.0 + u)
    p = below0 * left + below1 * right
    q = above0 * left + above1 * right
    z = inverse_upper_tail(tl.where(p < q, p, q))
    x = tl.where(p < q, -z, z)
    x = tl.where(x < lower, lower, x)
    return tl.where(x > upper, upper, x)
