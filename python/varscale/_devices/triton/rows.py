"""Rows: elements that are neighbours in the tensor and in memory, and the tiles that programs make of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..crossing import Crossing, Lattice

_SHORT = 200
"""Rows of fewer elements share programs, of which a GPU starts some 1.6e9 a second."""
MOST_TILES = 65535
"""The most programs along the second axis of a grid."""


class Rows(NamedTuple):
    """What a kernel takes of rows, in the order of `kernels.ROWS`, how many there are, and of how many axes."""

    start: int
    inner: int
    step0: int
    step1: int
    stride0: int
    stride1: int
    run: int
    total: int
    axes: int


class Tiles(NamedTuple):
    """How programs divide rows."""

    blocks: int
    """Of the stream in a tile."""
    aligned: bool
    """Whether every row begins with a block, at a multiple of 16 bytes."""
    per_row: int
    """Tiles of a row."""
    waste: bool
    """Whether rows are so short that they had better share programs."""

    def grid(self, rows: Rows) -> tuple[int, ...]:
        """The programs."""
        return (rows.total, self.per_row) if rows.axes else (self.per_row,)

    def warps(self) -> int:
        """Of a program."""
        return max(1, self.blocks // 128)


def rows_of(lattice: Lattice) -> Rows | None:
    """The rows of a lattice; None where its elements are no neighbours, or have more axes than a kernel."""
    *outer, (run, step, stride) = lattice.axes or ((1, 1, 1),)
    if (step, stride) != (1, 1) or len(outer) > 2:
        return None
    (n0, step0, stride0), (n1, step1, stride1) = ([(1, 0, 0)] * 2 + outer)[-2:]
    return Rows(lattice.start, n1, step0 % 2**64, step1 % 2**64, stride0, stride1, run, n0 * n1, len(outer))


def tiles(rows: Rows, address: int, itemsize: int) -> Tiles:
    """How programs divide rows of which the first lies at an address."""
    per, bytes_between = per_block(itemsize), (rows.stride0 * itemsize, rows.stride1 * itemsize)
    aligned = all(number % per == 0 for number in (rows.start, rows.step0, rows.step1))
    aligned = aligned and all(place % 16 == 0 for place in (address, *bytes_between))
    reach = rows.run + (0 if aligned else per - 1)
    sizes = (256, 128, 64) if itemsize == 8 else (512, 256, 128, 64)
    # The largest tile of which rows throw away little.
    blocks = next((n for n in sizes if _padded(reach, n * per) < 1.15 * reach), sizes[-1])
    waste = rows.axes > 0 and (rows.run < _SHORT or _padded(reach, blocks * per) > 1.9 * rows.run)
    return Tiles(blocks, aligned, -(-reach // (blocks * per)), waste)


def numbers(crossing: Crossing, rows: Rows) -> NDArray[np.int64]:
    """What `kernels.read_rows_kernel` finds in memory."""
    found = (*crossing.numbers(), *rows[:-2])
    return np.array([number % 2**64 for number in found], np.uint64).view(np.int64)


def per_block(itemsize: int) -> int:
    """How many elements a block of the stream makes."""
    return 2 if itemsize == 8 else 4


def _padded(count: int, size: int) -> int:
    """The elements of whole tiles that hold `count` elements."""
    return -(-count // size) * size
