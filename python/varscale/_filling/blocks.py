"""Blocks: memory that arrays of a model share, because the system gives large memory faster than small."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.shapes import check_bytes
from .arrays import ALIGN, LARGE, SMALL, new_array

_BLOCK = 1 << 25
"""The bytes of a block: all that one array keeps alive."""


class Blocks:
    """Makes new arrays, of which those between 64 KiB and 4 MB lie in blocks of 32 MB, one behind another.

    Alone they would get small pages, for which the system takes longer than a fill for its values. A smaller one is not
    worth a block that lives as long as it does, and a larger one has huge pages of its own.
    """

    def __init__(self, nbytes: int) -> None:
        """The arrays will have `nbytes` bytes in all: no block is larger than what is left of them."""
        self._left = nbytes
        self._block: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._used = 0

    def new_array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An uninitialised C-ordered array, as `arrays.new_array` makes it."""
        nbytes = check_bytes(shape, dtype.itemsize)
        if nbytes <= SMALL or nbytes >= LARGE:
            self._left -= nbytes
            return new_array(shape, dtype)
        if self._used + nbytes > self._block.size:
            try:
                self._block = new_array((max(nbytes, min(self._left, _BLOCK)),), np.dtype(np.uint8))
            except MemoryError:  # there may still be enough for this array
                return new_array(shape, dtype)
            self._used = 0
        array = self._block[self._used : self._used + nbytes].view(dtype).reshape(shape)
        self._left -= nbytes
        self._used += nbytes + -nbytes % ALIGN
        return array
