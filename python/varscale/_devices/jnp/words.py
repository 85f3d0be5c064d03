"""Words: Philox4x32-10 of block numbers, and what each element takes of its block."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_STEPS = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
_ROUNDS = 10


def philox(identity: Array, low: Array, high: Array) -> tuple[Array, Array, Array, Array]:
    """The four words of each block, whose number comes in two halves."""
    x0, x1, x2, x3 = low, high, identity[2], identity[3]
    k0, k1 = identity[0], identity[1]
    for _ in range(_ROUNDS):
        high0, low0 = _multiplied(x0, _MULTIPLIERS[0])
        high1, low1 = _multiplied(x2, _MULTIPLIERS[1])
        x0, x1, x2, x3 = high1 ^ x1 ^ k0, low1, high0 ^ x3 ^ k1, low0
        k0, k1 = k0 + _STEPS[0], k1 + _STEPS[1]
    return x0, x1, x2, x3


def _multiplied(x: Array, by: np.uint64) -> tuple[Array, Array]:
    """Both halves of a product of 64 bits."""
    whole = x.astype(np.uint64) * by
    return (whole >> np.uint64(32)).astype(np.uint32), whole.astype(np.uint32)


def pairs(identity: Array, numbers: Array, wide: bool) -> tuple[Array, Array, Array]:
    """Both words of the pair that each element is one of, and whether it is the second one.

    A block holds two pairs of 32-bit words, or where they are `wide` one pair of 64 bits. Numbers of 32 bits do for
    tensors of no more elements.
    """
    block = numbers >> numbers.dtype.type(1 if wide else 2)
    high = (block >> np.uint64(32)).astype(np.uint32) if block.dtype == np.uint64 else np.uint32(0)
    x0, x1, x2, x3 = philox(identity, block.astype(np.uint32), high)
    odd = (numbers & numbers.dtype.type(1)) != 0
    if wide:
        return _joined(x0, x1), _joined(x2, x3), odd
    second = (numbers & numbers.dtype.type(2)) != 0
    return jnp.where(second, x2, x0), jnp.where(second, x3, x1), odd


def _joined(low: Array, high: Array) -> Array:
    return low.astype(np.uint64) | (high.astype(np.uint64) << np.uint64(32))
