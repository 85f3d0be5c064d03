"""Shapes: every spelling that users may pass, brought into a tuple of ints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .checks import as_integer
from .show import show


class HasAsList(Protocol):
    """A shape such as TensorFlow's TensorShape."""

    def as_list(self) -> list[Any]:
        """The sizes of the dimensions."""


MOST_DIMENSIONS = getattr(np, "MAXDIMS", 64)
"""NumPy makes no array of a higher rank: 64, and 32 before NumPy 2."""
ShapeLike = Sequence[int] | NDArray[np.integer[Any]] | HasAsList


def parse_shape(shape: Any, name: str = "shape") -> tuple[int, ...]:
    """A tuple of non-negative ints from a tuple, a list, a 1-D integer array, or anything with `as_list()`.

    Raises:
        TypeError: `shape` is not a sequence of integers.
        ValueError: A size is negative, or there are more of them than NumPy has dimensions.
    """
    # Most callers pass a tuple of plain ints, which is its own result.
    if type(shape) is tuple and len(shape) <= MOST_DIMENSIONS:
        for size in shape:
            if type(size) is not int or size < 0:
                break
        else:
            return shape
    if callable(getattr(shape, "as_list", None)):
        shape = shape.as_list()
    if isinstance(shape, np.ndarray):
        # `np.array([])` is the shape of a scalar, although NumPy makes it of floats.
        if shape.ndim != 1 or (shape.size and not np.issubdtype(shape.dtype, np.integer)):
            msg = f"`{name}` must be a 1-D array of integers, got {show(shape)}"
            raise TypeError(msg)
        shape = shape[: MOST_DIMENSIONS + 1].tolist()
    if not isinstance(shape, Sequence) or isinstance(shape, str | bytes):
        msg = f"`{name}` must be a sequence of integers, got {show(shape)}"
        raise TypeError(msg)
    # Before the sizes themselves are looked at: there may be millions of them.
    sizes = tuple(islice(shape, MOST_DIMENSIONS + 1))
    if len(sizes) > MOST_DIMENSIONS:
        msg = f"`{name}` must have at most {MOST_DIMENSIONS} dimensions, got {show(shape)}"
        raise ValueError(msg)
    numbers = []
    for size in sizes:
        number = as_integer(size)
        if number is None:
            msg = f"`{name}` must hold integers only, got {show(size)} in {show(shape)}"
            raise TypeError(msg)
        if number < 0:
            msg = f"`{name}` must not hold negative sizes, got {show(shape)}"
            raise ValueError(msg)
        numbers.append(number)
    return tuple(numbers)


def check_bytes(shape: tuple[int, ...], itemsize: int) -> int:
    """The number of bytes of an array of this shape, which must fit in the address space."""
    nbytes = prod(shape) * itemsize
    if 0 < nbytes <= sys.maxsize:
        return nbytes
    # An empty array passes only if NumPy can make it, and NumPy multiplies the other sizes even where one is 0.
    if prod(size for size in shape if size) * itemsize > sys.maxsize:
        msg = f"`shape` must fit in the address space, got {show(shape)}"
        raise ValueError(msg)
    return nbytes
