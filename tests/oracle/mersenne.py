"""MT19937 far ahead, from words of NumPy's and the recurrence that they obey; polynomials over GF(2) are integers."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

DEGREE = 19937


def words(seed: int, count: int) -> NDArray[np.uint32]:
    """The first words after seeding, as `numpy.random.RandomState` draws them one after another."""
    return np.frombuffer(np.random.RandomState(seed).bytes(4 * count), np.dtype("<u4"))


@cache
def minimal() -> int:
    """The polynomial of the shortest recurrence of the words' lowest bits: Berlekamp and Massey's algorithm."""
    connection, before, length, gap, past = 1, 1, 0, 1, 0
    for place, bit in enumerate((words(1, 2 * DEGREE) & 1).tolist()):
        past = past << 1 | bit
        if not (connection & past).bit_count() & 1:
            gap += 1
        elif 2 * length > place:
            connection ^= before << gap
            gap += 1
        else:
            connection, before = connection ^ before << gap, connection
            length, gap = place + 1 - length, 1
    assert length == DEGREE
    # The algorithm finds it from its other end.
    return int(f"{connection:0{DEGREE + 1}b}"[::-1], 2)


@cache
def power(exponent: int) -> int:
    """x^exponent modulo the minimal polynomial."""
    if exponent < DEGREE:
        return 1 << exponent
    # A square over GF(2) has zeros between the bits.
    square = int("0".join(f"{power(exponent // 2):b}"), 2) << exponent % 2
    while (above := square.bit_length() - 1 - DEGREE) >= 0:
        square ^= minimal() << above
    return square


def ahead(seed: int, skip: int, count: int) -> NDArray[np.uint32]:
    """The words after `skip` others: sums of the first ones."""
    first, found = words(seed, DEGREE + count), np.zeros(count, np.uint32)
    for place, digit in enumerate(reversed(f"{power(skip):b}")):
        if digit == "1":
            found ^= first[place : place + count]
    return found
