"""Shapes: every way users write them, as a tuple of ints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class HasAsList(Protocol):
    """What TensorFlow's TensorShape has."""

    def as_list(self) -> list[Any]:
        """The dimensions."""


_MOST_DIMENSIONS = 64
"""NumPy's own limit."""
ShapeLike = Sequence[int] | NDArray[np.integer[Any]] | HasAsList


def parse_shape(shape: Any, name: str = "shape") -> tuple[int, ...]:
    """A tuple of non-negative ints from a tuple, a list, a 1-D integer array, or anything with `as_list()`."""
    if type(shape) is tuple:
        for size in shape:
            if type(size) is not int or size < 0:
                break
        else:
            return shape
    if hasattr(shape, "as_list"):
        shape = shape.as_list()
    if isinstance(shape, np.ndarray):
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
    """The bytes of an array of this shape, if memory addresses can hold them and NumPy the rank."""
    nbytes = prod(shape) * itemsize
    if 0 < nbytes <= sys.maxsize and len(shape) <= _MOST_DIMENSIONS:
        return nbytes
    # NumPy multiplies the other sizes even where one is zero.
    if prod(size for size in shape if size) * itemsize > sys.maxsize:
        msg = f"`shape` must fit in the address space, got {shape}"
        raise ValueError(msg)
    if len(shape) > _MOST_DIMENSIONS:
        msg = f"`shape` must have at most {_MOST_DIMENSIONS} dimensions, got {len(shape)}"
        raise ValueError(msg)
    return nbytes
