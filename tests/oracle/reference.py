"""The native stream in readable NumPy: the specification of every value, and the oracle of the tests.

Nothing here is fast and nothing is shared with the Rust core but the tables of coefficients. An element's value is
a function of (identity, law, dtype, element number) alone, so every function takes element *numbers*.

    identity -> words -> standard law -> x * scale + loc, clamped -> one rounding to the dtype
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import ml_dtypes
import mpmath
import numpy as np
from numpy.typing import NDArray

from varscale._devices import coefficients as c

Numbers = NDArray[np.uint64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

DTYPES = {
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}
LAWS = ("uniform", "normal", "truncated_normal")


# Identity -------------------------------------------------------------------------------------------------------


def field(value: int | str | None, *, call_number: bool = False) -> bytes:
    """One field: a tag byte, the payload's length as 8 little-endian bytes, the payload."""
    if value is None:
        tag, payload = 0, b""
    elif isinstance(value, str):
        tag, payload = 2, value.encode()
    else:
        tag, payload = 3 if call_number else 1, b""
        for length in range(1, 10_000):  # the shortest two's complement, at least one byte
            if -(1 << (8 * length - 1)) <= value < 1 << (8 * length - 1):
                payload = value.to_bytes(length, "little", signed=True)
                break
    return bytes([tag]) + len(payload).to_bytes(8, "little") + payload


def identity(global_seed: int | None, op_seed: int | None, path: tuple[int | str, ...] = ()) -> bytes:
    """The 16 bytes that name a seeded or folded stream."""
    fields = [field(global_seed), field(op_seed), *map(field, path)]
    return blake2b(b"".join(fields), digest_size=16, person=b"varscale-stream1").digest()


def call_identity(global_seed: int, call: int) -> bytes:
    """The 16 bytes that name the stream of an unseeded call under a global seed."""
    return blake2b(
        field(global_seed) + field(call, call_number=True), digest_size=16, person=b"varscale-stream1"
    ).digest()


# Words ----------------------------------------------------------------------------------------------------------


def philox(name: bytes, blocks: Numbers) -> NDArray[np.uint32]:
    """Philox4x32-10: four words for each block number, shape (blocks, 4)."""
    key0, key1, high0, high1 = (int.from_bytes(name[i : i + 4], "little") for i in (0, 4, 8, 12))
    low32 = np.uint64(0xFFFFFFFF)
    x0, x1 = blocks & low32, blocks >> np.uint64(32)
    x2, x3 = np.full_like(blocks, high0), np.full_like(blocks, high1)
    for round_number in range(10):
        k0 = np.uint64((key0 + round_number * 0x9E3779B9) & 0xFFFFFFFF)
        k1 = np.uint64((key1 + round_number * 0xBB67AE85) & 0xFFFFFFFF)
        p0, p1 = x0 * np.uint64(0xD2511F53), x2 * np.uint64(0xCD9E8D57)
        x0, x1 = (p1 >> np.uint64(32)) ^ x1 ^ k0, p1 & low32
        x2, x3 = (p0 >> np.uint64(32)) ^ x3 ^ k1, p0 & low32
    return np.stack([x0, x1, x2, x3], axis=1).astype(np.uint32)


def words32(name: bytes, elements: Numbers) -> NDArray[np.uint32]:
    """Element i takes word i: word i % 4 of block i // 4."""
    blocks, rows = np.unique(elements // np.uint64(4), return_inverse=True)
    return philox(name, blocks)[rows, elements % np.uint64(4)]


def words64(name: bytes, elements: Numbers) -> Numbers:
    """Element i takes words 2i and 2i + 1, the low one first: half i % 2 of block i // 2."""
    blocks, rows = np.unique(elements // np.uint64(2), return_inverse=True)
    pairs = philox(name, blocks).reshape(-1, 2, 2).astype(np.uint64)[rows, elements % np.uint64(2)]
    return pairs[:, 0] | pairs[:, 1] << np.uint64(32)


# Word to uniform: an odd number of half steps, never 0 and never +-1 ----------------------------------------------


def uniform32(word: NDArray[np.uint32]) -> F32:
    """((w as signed >> 7) | 1) / 2^24."""
    odd = (word.view(np.int32) >> np.int32(7)) | np.int32(1)
    return odd.astype(np.float32) * np.float32(2.0**-24)


def uniform64(word: Numbers) -> F64:
    """((W as signed >> 10) | 1) / 2^53."""
    odd = (word.view(np.int64) >> np.int64(10)) | np.int64(1)
    return odd.astype(np.float64) * np.float64(2.0**-53)


# Functions: + - * / sqrt only, in the type of their argument ------------------------------------------------------


def polynomial(coefficients: tuple[float, ...], x: F64) -> F64:
    """Horner's rule, lowest coefficient first; float32 stays float32."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + x.dtype.type(coefficient)
    return total


def minus_ln(y: F64, below: NDArray[np.bool_]) -> F64:
    """-ln(y) where below, else -ln(1 - y), as -(k ln 2 + ln(1 + f)) with 1 + f in [sqrt(1/2), sqrt(2)]."""
    one, two, half = y.dtype.type(1), y.dtype.type(2), y.dtype.type(0.5)
    mantissa, exponent = np.frexp(y)  # mantissa in [1/2, 1)
    small = mantissa < y.dtype.type(np.sqrt(0.5))
    mantissa, exponent = np.where(small, two * mantissa, mantissa), exponent - small
    halved = y > y.dtype.type(1 - np.sqrt(0.5))
    f = np.where(below, mantissa - one, np.where(halved, one - two * y, -y))
    k = np.where(below, exponent, -1 * halved).astype(y.dtype)
    if y.dtype == np.float32:
        high, low = np.float32(355 / 512), np.float32(-2.1219444e-4)
        square = f * f
        return -(k * high + (k * low + (f - (half * square - square * f * polynomial(c.LOG_F32, f)))))
    high, low = np.float64.fromhex("0x1.62e42feep-1"), 1.9082149292705877e-10
    s = f / (two + f)
    z = s * s
    half_square = half * f * f
    ln_low = k * low + s * (half_square + z * polynomial(c.LOG_F64, z))
    return -(k * high - ((half_square - ln_low) - f))


def inverse_upper_tail(mass: F64) -> F64:
    """The z >= 0 with upper tail `mass` <= 1/2."""
    q = 0.5 - mass
    r = 0.180625 - q * q
    w = np.sqrt(minus_ln(mass, np.ones(mass.shape, bool)))
    centre = q * polynomial(c.TAIL_CENTRE_P, r) / polynomial(c.TAIL_CENTRE_Q, r)
    near = polynomial(c.TAIL_NEAR_P, w - 1.6) / polynomial(c.TAIL_NEAR_Q, w - 1.6)
    far = polynomial(c.TAIL_FAR_P, w - 5.0) / polynomial(c.TAIL_FAR_Q, w - 5.0)
    return np.where(q <= 0.425, centre, np.where(w <= 5.0, near, far))


# Laws in standard form --------------------------------------------------------------------------------------------


def truncated_default(u: F64) -> F64:
    """sqrt(2) erfinv(u erf(sqrt(2))): the standard normal on [-2, 2]."""
    square = u * u
    s = u.dtype.type(1) - square
    p, q = (c.TRUNCATED_F32_P, c.TRUNCATED_F32_Q) if u.dtype == np.float32 else (c.TRUNCATED_F64_P, c.TRUNCATED_F64_Q)
    return u * (u.dtype.type(1.1962880133226081) + square * polynomial(p, s) / polynomial(q, s))


def lower_mass(x: float) -> float:
    """The standard normal mass below x, correctly rounded."""
    with mpmath.workdps(60):
        return float(mpmath.erfc(-mpmath.mpf(x) / mpmath.sqrt(2)) / 2)


def truncated_between(u: F64, lower: float, upper: float) -> F64:
    """The standard normal on [lower, upper]: the smaller tail mass is inverted, in float64."""
    left, right = 0.5 * (1.0 - u), 0.5 * (1.0 + u)
    p = lower_mass(lower) * left + lower_mass(upper) * right
    q = lower_mass(-lower) * left + lower_mass(-upper) * right
    tail = inverse_upper_tail(np.minimum(p, q))
    return np.clip(np.where(p < q, -tail, tail), lower, upper)


def box_muller(w0: Numbers, w1: Numbers, bits: int, real: type) -> tuple[F64, F64]:
    """Two normal values: radius from w0, angle 2 pi (w1 + 1/2) / 2^bits from w1, reduced to an octant in integers."""
    one = w0.dtype.type(1)
    below = w0 < one << w0.dtype.type(bits - 1)
    t = np.where(below, w0, ~w0).astype(real) + real(0.5)
    minus = minus_ln(t * real(2.0**-bits), below)
    radius = np.sqrt(minus + minus)
    octant = w1 >> w1.dtype.type(bits - 3)
    mask = (one << w1.dtype.type(bits - 3)) - one
    rest = np.where(octant & one != 0, ~w1, w1) & mask
    v = (rest.astype(real) + real(0.5)) * real(2.0 ** (3 - bits))
    square = v * v
    if real is np.float32:
        sin, cos = v * polynomial(c.SIN_F32, square), polynomial(c.COS_F32, square)
    else:
        sin, cos = v * polynomial(c.SIN_F64, square), polynomial(c.COS_F64, square)
    swap = np.isin(octant, (1, 2, 5, 6))
    x, y = np.where(swap, sin, cos), np.where(swap, cos, sin)
    x, y = np.where(np.isin(octant, (2, 3, 4, 5)), -x, x), np.where(octant >= 4, -y, y)
    return radius * x, radius * y


def normal(name: bytes, elements: Numbers, real: type) -> F64:
    """Elements 2j and 2j + 1 are the two values of words 2j and 2j + 1."""
    words, bits = (words32, 32) if real is np.float32 else (words64, 64)
    even = elements & ~np.uint64(1)
    x, y = box_muller(words(name, even), words(name, even + np.uint64(1)), bits, real)
    return np.where(elements == even, x, y)


def standard(law: str, name: bytes, elements: Numbers, real: type, bounds: tuple[float, float]) -> F64:
    """`law` in standard form, in the type it is computed in."""
    if law == "normal":
        return normal(name, elements, real)
    u = uniform32(words32(name, elements)) if real is np.float32 else uniform64(words64(name, elements))
    if law == "uniform":
        return u
    if bounds == (-2.0, 2.0):
        return truncated_default(u)
    return truncated_between(u.astype(np.float64), *bounds).astype(real)


# Elements ---------------------------------------------------------------------------------------------------------


def values(
    law: str,
    dtype: str,
    name: bytes,
    elements: Numbers,
    *,
    loc: float = 0.0,
    scale: float = 1.0,
    low: float = -np.inf,
    high: float = np.inf,
    bounds: tuple[float, float] = (-2.0, 2.0),
    law_of: Callable[..., F64] = standard,
) -> NDArray[np.generic]:
    """The values of these elements; `law_of` lets a test put a wrong law in."""
    real = np.float64 if dtype == "float64" else np.float32
    if len(elements) == 0:
        return np.empty(0, DTYPES[dtype])
    x = law_of(law, name, np.asarray(elements, np.uint64), real, bounds)
    x = x * real(scale) + real(loc)
    x = np.where(x < real(low), real(low), x)
    x = np.where(x > real(high), real(high), x)
    return x.astype(DTYPES[dtype])


# Sparse matrices --------------------------------------------------------------------------------------------------


def sparse(name: bytes, dtype: str, rows: int, columns: int, zeros: int, stddev: float) -> NDArray[np.generic]:
    """Normal values; the zeros of a column are in the rows with its least keys, of equal ones in the first.

    The keys are the words of a stream whose name is the hash of the values' own and the field of "zeros". As uniform
    float32 values they have 24 bits. Column j has the words j * rows and those behind it.
    """
    own = blake2b(name + field("zeros"), digest_size=16, person=b"varscale-stream1").digest()
    keys = uniform32(words32(own, np.arange(rows * columns, dtype=np.uint64))).reshape(columns, rows)
    matrix = values("normal", dtype, name, np.arange(rows * columns, dtype=np.uint64), scale=stddev).reshape(
        rows, columns
    )
    for column in range(columns):
        matrix[np.argsort(keys[column], kind="stable")[:zeros], column] = 0
    return matrix
