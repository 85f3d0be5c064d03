"""Lazy tensors: array-likes from which engines copy one part at a time."""

from __future__ import annotations

from math import prod
from sys import maxsize
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import any_dtype
from .._arguments.immutable import Immutable
from .._arguments.parts import WHOLE, Part, indexed_part
from .._arguments.show import show
from .._sources.source import Source
from .arrays import out_dtype
from .fill import make


class Maker(Protocol):
    """An initializer, as lazy tensors know it."""

    def __call__(self, shape: Any, dtype: Any = None) -> NDArray[Any]:
        """Makes a tensor."""

    def fold_in(self, *path: int | str) -> Maker:
        """The same rule with an independent stream."""

    def get_config(self) -> dict[str, Any]:
        """The arguments of its constructor."""

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        """The source of a part."""


class Lazy(Immutable):
    """An array-like whose elements are made when they are indexed; an initializer's `lazy` returns it.

    `dask.array.from_array`, xarray and zarr can copy from it. It pickles, and never changes.

    Attributes:
        initializer: The initializer that makes its values.
        shape: The tensor's shape.
        dtype: The NumPy dtype of its elements.
    """

    _fields = ("initializer", "shape", "dtype", "_stream")
    __slots__ = _fields
    initializer: Maker
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _stream: bytes

    def __init__(self, initializer: Maker, shape: tuple[int, ...], dtype: Any, stream: bytes) -> None:
        # The initializer's `lazy` has checked all of this. `stream` fixes the values, whatever the global seed becomes.
        self._set(initializer=initializer, shape=shape, dtype=any_dtype(dtype), _stream=stream)

    @property
    def ndim(self) -> int:
        """The number of the tensor's dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of the tensor's elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes that the whole tensor would take."""
        return self.size * self.dtype.itemsize

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Makes the part `index` of the tensor, with an index as an initializer's call takes it.

        Raises:
            IndexError: NumPy would refuse the `index`, or it holds a boolean mask or None.
        """
        return self._make(index)

    def fill(self, out: NDArray[Any], index: Any = WHOLE) -> NDArray[Any]:
        """Writes the part `index` into `out`, which may be a view in any order or a memory map.

        Args:
            out: An array of the part's shape and of the tensor's dtype.
            index: The part, as an initializer's call takes it; the whole tensor if not given.

        Returns:
            `out`.

        Raises:
            TypeError: `out` is not an array.
            ValueError: `out` has another shape or dtype, is read-only or unaligned, overlaps itself, or is being
                written by another call.
            IndexError: NumPy would refuse the `index`, or it holds a boolean mask or None.
        """
        out_dtype(out, self.dtype)
        return self._make(index, out)

    def _make(self, index: Any, out: NDArray[Any] | None = None) -> NDArray[Any]:
        part = indexed_part(self.shape, index)
        return make(self._source(part), part, out)

    def _source(self, part: Part) -> Source:
        """The source of a part of the tensor."""
        return self.initializer._source(part, self.dtype, self._stream)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Makes the whole tensor.

        Raises:
            ValueError: `copy` is False, but there is no array yet that could be shared.
        """
        if copy is False:
            msg = "`copy` must not be False, for a lazy tensor cannot be made into an array without a copy"
            raise ValueError(msg)
        array = self[WHOLE]
        # NumPy asks for its own dtypes, such as big-endian ones.
        wanted = self.dtype if dtype is None else dtype if isinstance(dtype, np.dtype) else any_dtype(dtype)
        return array.astype(wanted, copy=False)

    def __len__(self) -> int:
        if self._rows() > maxsize:
            msg = f"a lazy tensor must have fewer than 2^63 rows to have a length, got the shape {show(self.shape)}"
            raise ValueError(msg)
        return self._rows()

    def __iter__(self) -> Any:
        return (self[row] for row in range(self._rows()))

    def _rows(self) -> int:
        if not self.shape:
            msg = "a lazy tensor without dimensions has no length"
            raise TypeError(msg)
        return self.shape[0]

    def _key(self) -> tuple[Any, ...]:
        return self.initializer, self.shape, self.dtype.name, self._stream

    def __reduce__(self) -> Any:
        return Lazy, self._key()

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        # By value: equal tensors get one token in every process, so that Dask makes none of them twice.
        initializer = self.initializer
        kind = type(initializer)
        return kind.__module__, kind.__qualname__, initializer.get_config(), *self._key()[1:]

    def __repr__(self) -> str:
        return f"<lazy {show(self.shape)} {self.dtype.name} of {show(self.initializer)}>"
