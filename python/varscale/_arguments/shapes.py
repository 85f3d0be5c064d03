"""Shapes: every spelling that users may pass, brought into a tuple of ints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class HasAsList(Protocol):
    """A shape such as TensorFlow's TensorShape."""

    def as_list(self) -> list[Any]:
        """The sizes of the dimensions."""


_MOST_DIMENSIONS = 64
"""NumPy 2 makes no array of a higher rank."""
ShapeLike = Sequence[int] | NDArray[np.integer[Any]] | HasAsList


def parse_shape(shape: Any, name: str = "shape") -> tuple[int, ...]:
    """A tuple of non-negative ints from a tuple, a list, a 1-D integer array, or anything with `as_list()`.

    Raises:
        TypeError: `shape` is not a sequence of integers.
        ValueError: A size is negative.
    """
    # Most callers pass a tuple of plain ints, which is its own result.
    if type(shape) is tuple:
        for size in shape:
            if type(size) is not int or size < 0:
                break
        else:
            return shape
    if hasattr(shape, "as_list"):
        shape = shape.as_list()
    if isinstance(shape, np.ndarray):
        # `np.array([])` is the shape of a scalar, although NumPy makes it of floats.
        if shape.ndim != 1 or (shape.size and not np.issubdtype(shape.dtype, np.integer)):
            msg = f"`{name}` must be a 1-D array of integers, got {shape!r}"
            raise TypeError(msg)
        shape = shape.tolist()
    if not isinstance(shape, Sequence) or isinstance(shape, str | bytes):
        msg = f"`{name}` must be a sequence of integers, got {shape!r}"
        raise TypeError(msg)
    for size in shape:
        if isinstance(size, bool) or not isinstance(size, int | np.integer):
            msg = f"`{name}` must hold integers only, got {size!r} in {shape!r}"
            raise TypeError(msg)
        if size < 0:
            msg = f"`{name}` must not hold negative sizes, got {shape!r}"
            raise ValueError(msg)
    return tuple(map(int, shape))


def check_bytes(shape: tuple[int, ...], itemsize: int) -> int:
    """The number of bytes of an array of this shape, which must fit in the address space and in NumPy's rank."""
    nbytes = prod(shape) * itemsize
    if 0 < nbytes <= sys.maxsize and len(shape) <= _MOST_DIMENSIONS:
        return nbytes
    # An empty array passes only if NumPy can make it, and NumPy multiplies the other sizes even where one is 0.
    if prod(size for size in shape if size) * itemsize > sys.maxsize:
        msg = f"`shape` must fit in the address space, got {shape}"
        raise ValueError(msg)
    if len(shape) > _MOST_DIMENSIONS:
        msg = f"`shape` must have at most {_MOST_DIMENSIONS} dimensions, got {len(shape)}"
        raise ValueError(msg)
    return nbytes
