"""Hashing: the identity of a seed that is traced, a key of JAX, by BLAKE2b (RFC 7693) in integers of `jnp`."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..._sources.identity import PERSON, seed_field
from .x64 import enable_x64

_BLOCK, _DIGEST = 128, 16
_START = np.array(
    [
        *(0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1),
        *(0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179),
    ],
    np.uint64,
)
_ORDERS = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ]
)


def identity(words: Array, before: bytes, after: bytes) -> Array:
    """The identity of the seed whose 32-bit words, the highest first, are traced: four words.

    The other fields that are hashed stand `before` and `after` that of the seed.
    """
    with enable_x64(True):
        message, length = _message(words, before, after)
        return _digest(message, length)


def _message(words: Array, before: bytes, after: bytes) -> tuple[Array, Array]:
    """The bytes that are hashed, in whole blocks with zeros behind them, and how many count."""
    # As bytes, the lowest first, and one more for the sign of two's complement.
    places = np.arange(0, 32, 8, dtype=np.uint32)
    payload = (words[::-1, None] >> places).reshape(-1) & np.uint32(255)
    most = payload.shape[0] + 1
    # The field of a seed is as short as its highest byte allows; where that has its highest bit set, a zero follows.
    ends = jnp.where(payload > 0, np.arange(most - 1, dtype=np.uint32) + (payload >> np.uint32(7)), np.uint32(0))
    length = (jnp.max(ends) + np.uint32(1)).astype(np.int64)
    tag = np.frombuffer(seed_field(0)[:1], np.uint8)
    zeros = np.zeros(8, np.uint32)
    pieces = [
        np.frombuffer(before, np.uint8),
        tag,
        length[None],
        zeros[1:],
        payload,
        zeros[:1],
        np.frombuffer(after, np.uint8),
    ]
    written = jnp.concatenate([jnp.asarray(piece).astype(np.uint64) for piece in pieces])
    head, total = len(before) + 9, written.shape[0]
    # What follows the payload moves up to its end.
    at = np.arange(-(-total // _BLOCK) * _BLOCK)
    source = jnp.where(at < head + length, at, at + most - length)
    message = jnp.where(source < total, written[jnp.minimum(source, total - 1)], np.uint64(0))
    return message, total - most + length


def _digest(message: Array, length: Array) -> Array:
    """The first 16 bytes of the hash as four words."""
    blocks = message.reshape(-1, 16, 8) << np.arange(0, 64, 8, dtype=np.uint64)
    words = jnp.sum(blocks, axis=2, dtype=np.uint64)
    parameters = np.zeros(8, np.uint64)
    parameters[0] = 0x01010000 + _DIGEST
    parameters[6:] = np.frombuffer(PERSON, "<u8")
    ends = np.arange(1, words.shape[0] + 1) * _BLOCK

    def step(state: Array, block: tuple[Array, Array]) -> tuple[Array, None]:
        found, end = block
        # Where the payload is short there may be a block too many.
        after = _compressed(state, found, jnp.minimum(end, length), end >= length)
        return jnp.where(end < length + _BLOCK, after, state), None

    state, _ = lax.scan(step, jnp.asarray(_START ^ parameters), (words, ends))
    halves = state[: _DIGEST // 8, None] >> np.array([0, 32], np.uint64)
    return halves.astype(np.uint32).reshape(-1)


def _compressed(state: Array, block: Array, count: Array, last: Array) -> Array:
    """The state after a block."""
    flags = jnp.stack(
        [count.astype(np.uint64), np.uint64(0), jnp.where(last, ~np.uint64(0), np.uint64(0)), np.uint64(0)]
    )
    rows = jnp.stack([state[:4], state[4:], _START[:4], _START[4:] ^ flags])

    def mixed(rows: Array, order: Array) -> tuple[Array, None]:
        m = block[order]
        a, b, c, d = _mixed(rows[0], rows[1], rows[2], rows[3], m[0:8:2], m[1:8:2])
        # The diagonals as columns, and back.
        b, c, d = jnp.roll(b, -1), jnp.roll(c, -2), jnp.roll(d, -3)
        a, b, c, d = _mixed(a, b, c, d, m[8::2], m[9::2])
        return jnp.stack([a, jnp.roll(b, 1), jnp.roll(c, 2), jnp.roll(d, 3)]), None

    rows, _ = lax.scan(mixed, rows, _ORDERS)
    return state ^ jnp.concatenate([rows[0] ^ rows[2], rows[1] ^ rows[3]])


def _mixed(a: Array, b: Array, c: Array, d: Array, x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """RFC 7693's G of four columns at once."""
    a = a + b + x
    d = _turned(d ^ a, 32)
    c = c + d
    b = _turned(b ^ c, 24)
    a = a + b + y
    d = _turned(d ^ a, 16)
    c = c + d
    return a, _turned(b ^ c, 63), c, d


def _turned(x: Array, places: int) -> Array:
    """The bits turned to the right."""
    return (x >> np.uint64(places)) | (x << np.uint64(64 - places))
