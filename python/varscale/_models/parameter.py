"""Parameters: a model's entries, made from every spelling that users may pass."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .._arguments.checks import as_integer
from .._arguments.dtypes import any_dtype
from .._arguments.parts import Part, check_elements
from .._arguments.shapes import parse_shape
from .._filling.lazy import Lazy
from .._initializers.base import Initializer
from .._initializers.constant import Fixed
from .headers import DTYPES
from .own import Own, maker
from .rules import check_unseeded


class Parameter(NamedTuple):
    """A parameter of a model: its shape, its dtype and its initializer."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    initializer: Initializer
    """An initializer without a seed; a model puts its own seed in, and folds the parameter's name in."""

    @property
    def size(self) -> int:
        """The number of its elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes that it takes."""
        return self.size * self.dtype.itemsize


class Entry(NamedTuple):
    """An entry of a model before it has an initializer, or with the one that it was given."""

    shape: tuple[int, ...]
    dtype: Any
    """None where none is given."""
    initializer: Initializer | None
    settled: bool
    """Whether the initializer comes from a model or a lazy tensor, and is for this very shape."""


def parse_entry(entry: Any) -> Entry:
    """The shape, the dtype and the initializer of an entry.

    Raises:
        TypeError: A field is of the wrong kind.
        ValueError: The shape is illegal, or the initializer has a seed.
    """
    settled = isinstance(entry, Parameter | Lazy)
    if isinstance(entry, Mapping):  # of a safetensors header
        shape, dtype, initializer = entry["shape"], entry["dtype"], None
    elif hasattr(entry, "shape") and hasattr(entry, "dtype"):
        shape, dtype, initializer = entry.shape, entry.dtype, entry.initializer if settled else None
    # A tuple that begins with a number is a shape.
    elif isinstance(entry, tuple) and 2 <= len(entry) <= 3 and as_integer(entry[0]) is None:
        shape, dtype, initializer = (*entry, None)[:3]
    else:
        shape, dtype, initializer = entry, None, None
    full = parse_shape(shape)
    check_elements(full)
    if type(dtype) is str:
        dtype = DTYPES.get(dtype, dtype)
    if isinstance(initializer, Own):
        initializer = initializer.initializer
    return Entry(full, dtype, None if initializer is None else check_unseeded(initializer), settled)


def parse_parameter(entry: Entry, initializer: Initializer, default: Any) -> Parameter:
    """The parameter of an entry whose initializer is known; `default` is the dtype of those that have none.

    Raises:
        ValueError: The initializer cannot make this shape or dtype.
    """
    dtype = entry.dtype
    # A counter stays one in a model of another dtype.
    if dtype is None and not (isinstance(initializer, Fixed) and any_dtype(initializer.dtype).kind in "iu"):
        dtype = default
    # What cannot be made is found here, not in the middle of a model.
    source = maker(initializer)._source(Part(entry.shape, entry.shape), dtype)
    return Parameter(entry.shape, source.dtype, initializer)
