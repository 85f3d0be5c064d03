"""Lazy tensors: what engines copy arrays from, piece by piece."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import any_dtype
from .._arguments.parts import WHOLE, indexed_part
from .arrays import out_dtype

if TYPE_CHECKING:
    from .._initializers.builtin import Builtin, Job


class Lazy:
    """An array-like whose elements are made when they are indexed; `Builtin.lazy` returns it.

    It has what `dask.array.from_array`, xarray and zarr copy from, pickles, and does not change.

    Attributes:
        initializer: What makes its values.
        shape: The tensor's shape.
        dtype: The NumPy dtype of its elements.
    """

    __slots__ = ("_stream", "dtype", "initializer", "shape")
    initializer: Builtin
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _stream: bytes

    def __init__(self, initializer: Builtin, shape: tuple[int, ...], dtype: str, stream: bytes) -> None:
        """Takes what `Builtin.lazy` has checked; `stream` names the values, whatever the global seed becomes."""
        values = {"initializer": initializer, "shape": shape, "dtype": any_dtype(dtype), "_stream": stream}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"Lazy is immutable, cannot set `{name}`"
        raise AttributeError(msg)

    @property
    def ndim(self) -> int:
        """How many dimensions the tensor has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements the tensor has."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes the tensor would take."""
        return self.size * self.dtype.itemsize

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """The part `index` of the tensor, made now; for what may be an index see `Builtin.__call__`."""
        return self._make(index)

    def fill(self, out: NDArray[Any], index: Any = WHOLE) -> NDArray[Any]:
        """Writes the part `index` into `out`, in place: a view in any order, a memory map.

        Args:
            out: An array of the part's shape and of the tensor's dtype.
            index: The part, as `Builtin.__call__` takes it; the whole tensor if not given.

        Returns:
            `out`.

        Raises:
            TypeError: `out` is not an array.
            ValueError: `out` has another shape or dtype, or is read-only, unaligned or overlaps itself.
            IndexError: An `index` that NumPy would refuse.
        """
        out_dtype(out, self.dtype)
        return self._make(index, out)

    def _make(self, index: Any, out: NDArray[Any] | None = None) -> NDArray[Any]:
        return self.initializer._make(indexed_part(self.shape, index), self.dtype, self._stream, out)

    def _begin(self, index: Any, out: NDArray[Any] | None = None) -> tuple[NDArray[Any], list[Job]]:
        """The array of a part, and the jobs that are left for the core."""
        return self.initializer._begin(indexed_part(self.shape, index), self.dtype, self._stream, out)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The whole tensor, made now.

        Raises:
            ValueError: `copy=False`: there is nothing yet that could be shared.
        """
        if copy is False:
            msg = "a lazy tensor cannot be made into an array without a copy"
            raise ValueError(msg)
        array = self[WHOLE]
        return array if dtype is None else array.astype(dtype, copy=False)

    def __len__(self) -> int:
        if not self.shape:
            msg = "a lazy tensor without dimensions has no length"
            raise TypeError(msg)
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[row] for row in range(len(self)))

    def _key(self) -> tuple[Any, ...]:
        return self.initializer, self.shape, self.dtype.name, self._stream

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Lazy) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> Any:
        return Lazy, self._key()

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        initializer = self.initializer
        kind = type(initializer)
        return kind.__module__, kind.__qualname__, initializer.get_config(), *self._key()[1:]

    def __repr__(self) -> str:
        return f"<lazy {self.shape} {self.dtype.name} of {self.initializer!r}>"
