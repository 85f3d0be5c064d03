"""Ways to call the native core directly: a plain fill, and a fill whose random words are chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oracle.reference import DTYPES
from varscale import _core

NAME = bytes(range(16))


def fill(
    law: str,
    dtype: str,
    shape: int | tuple[int, ...],
    name: bytes = NAME,
    *,
    loc: float = 0.0,
    scale: float = 1.0,
    low: float = -np.inf,
    high: float = np.inf,
    bounds: tuple[float, float] = (-2.0, 2.0),
    full_shape: tuple[int, ...] | None = None,
    offset: tuple[int, ...] | None = None,
) -> NDArray[np.generic]:
    """A new array of the law's values."""
    out = np.empty(shape, DTYPES[dtype])
    crossing = out.view(f"u{out.itemsize}") if out.itemsize < 4 else out
    picks = None if offset is None else [(start, 1, size) for start, size in zip(offset, out.shape, strict=True)]
    _core.fill([(crossing, dtype, (law, bounds, loc, scale, low, high), name, full_shape, picks)])
    return out


def fill_at_once(*arrays: NDArray[np.float32]) -> None:
    """Standard normal values in all of the arrays, in one fill."""
    plan = ("normal", (-2.0, 2.0), 0.0, 1.0, -np.inf, np.inf)
    _core.fill([(array, "float32", plan, NAME, None, None) for array in arrays])


def fill_words(law: str, dtype: str, words: NDArray[np.unsignedinteger], **arguments: object) -> NDArray[np.generic]:
    """The values that the core makes of chosen words: uint64 for float64, else uint32, a multiple of a block.

    Philox is a bijection of the counter for each key, so every block of words is that of some (identity, block
    number): run backwards, it gives the place where the stream holds exactly these words.
    """
    words = np.ascontiguousarray(words, np.uint64 if dtype == "float64" else np.uint32)
    blocks = words.view(np.uint32).reshape(-1, 4)
    per_block = 16 // words.itemsize
    out = np.empty(words.shape, DTYPES[dtype])
    for row, (key, counter) in enumerate(invert_philox(blocks, (1 << 64) // per_block)):
        name = key.to_bytes(8, "little") + (counter >> 64).to_bytes(8, "little")
        first = (counter & (2**64 - 1)) * per_block
        part = slice(row * per_block, (row + 1) * per_block)
        out[part] = fill(law, dtype, per_block, name, full_shape=(2**64 - 1,), offset=(first,), **arguments)
    return out


def invert_philox(blocks: NDArray[np.uint32], limit: int) -> list[tuple[int, int]]:
    """For each block of four words a (key, counter) that yields it, with a block number below limit - 1."""
    found: list[tuple[int, int] | None] = [None] * len(blocks)
    left = np.arange(len(blocks))
    low32, key = np.uint64(0xFFFFFFFF), 0
    inverse0, inverse1 = (np.uint64(pow(m, -1, 1 << 32)) for m in (0xD2511F53, 0xCD9E8D57))
    while len(left):
        key += 1
        x0, x1, x2, x3 = (blocks[left, i].astype(np.uint64) for i in range(4))
        for round_number in reversed(range(10)):
            k0 = np.uint64((key + round_number * 0x9E3779B9) & 0xFFFFFFFF)
            k1 = np.uint64((round_number * 0xBB67AE85) & 0xFFFFFFFF)
            before0, before2 = (x3 * inverse0) & low32, (x1 * inverse1) & low32
            p0, p1 = before0 * np.uint64(0xD2511F53), before2 * np.uint64(0xCD9E8D57)
            x0, x1, x2, x3 = before0, x0 ^ (p1 >> np.uint64(32)) ^ k0, before2, x2 ^ (p0 >> np.uint64(32)) ^ k1
        for row, c0, c1, c2, c3 in zip(left, x0, x1, x2, x3, strict=True):
            counter = int(c0) | int(c1) << 32 | int(c2) << 64 | int(c3) << 96
            if counter & (2**64 - 1) < limit - 1:
                found[row] = (key, counter)
        left = np.array([row for row in left if found[row] is None], dtype=np.intp)
    return [place for place in found if place is not None]
