"""Arrays to fill: the new ones are made here, the callers' own are checked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import any_dtype
from .._arguments.shapes import check_bytes
from .._arguments.show import show
from .._core import Tensor
from .._sources.source import Drawn, Source

ALIGN = 64
"""The bytes of a cache line, and the boundary that JAX asks of memory which it takes without a copy."""
SMALL = 1 << 16
"""Up to this many bytes, an aligned start is not worth its cost."""
LARGE = 1 << 22
"""From this many bytes on, NumPy asks Linux for huge pages."""
_HUGE = 1 << 21
"""The bytes of a huge page, which the system gives only where all of them are the array's."""
_WORTHY = 1 << 24 if sys.platform == "linux" else sys.maxsize
"""From this many bytes on, a start with a huge page is worth the memory before it, an eighth at most."""


def new_array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An uninitialised C-ordered array; above 64 KiB its data starts on a 64-byte boundary.

    NumPy allocates, because it asks the system for huge pages where that pays. On Linux the data starts with one from
    16 MB on: to get the small pages before it takes three times as long. What lies before the data is not touched.
    """
    nbytes = check_bytes(shape, dtype.itemsize)
    if nbytes <= SMALL:
        return np.empty(shape, dtype)
    align = ALIGN if nbytes < _WORTHY else _HUGE
    try:
        # NumPy aligns to 16 bytes only, so there must be room to start later.
        buffer = np.empty(nbytes + align, np.uint8)
    except MemoryError:
        msg = f"no memory for an array of the `shape` {show(shape)} and the `dtype` {dtype.name}, {nbytes:,} bytes"
        raise MemoryError(msg) from None
    start = -buffer.ctypes.data % align
    return buffer[start : start + nbytes].view(dtype).reshape(shape)


def small_tensor(source: Source, shape: tuple[int, ...]) -> Tensor | None:
    """The whole tensor of a source as one that the core can make by itself; None where it is large, or not native."""
    if not isinstance(source, Drawn) or isinstance(source.stream, tuple):
        return None
    kind = source.kind
    small = check_bytes(shape, kind.dtype.itemsize) <= SMALL
    return Tensor(shape, kind.dtype, kind.name, source.plan) if small else None


def out_dtype(out: Any, dtype: Any) -> Any:
    """The dtype of `out`, which must be an array; `dtype` must be None or agree.

    Raises:
        TypeError: `out` is not an array.
        ValueError: `dtype` is another one.
    """
    if not isinstance(out, np.ndarray):
        msg = f"`out` must be a NumPy array, got {show(out)}"
        raise TypeError(msg)
    if dtype is not None and any_dtype(dtype) != out.dtype:
        msg = f"`out` must have the dtype {show(any_dtype(dtype).name)}, got {show(out.dtype.name)}"
        raise ValueError(msg)
    return out.dtype


def check_out(out: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """`out`, which must have this shape, be aligned and writable, and hold each element at a place of its own.

    It is returned as a plain array: a subclass may say what it likes of itself.
    """
    if type(out) is not np.ndarray:
        out = np.ndarray.view(out, np.ndarray)
    if out.shape != shape:
        msg = f"`out` must have the shape {show(shape)}, got {show(out.shape)}"
        raise ValueError(msg)
    flags = {"aligned": out.flags.aligned, "writable": out.flags.writeable, "free of overlap": not overlaps(out)}
    if not all(flags.values()):
        lacking = " or ".join(flag for flag, has in flags.items() if not has)
        msg = f"`out` must be aligned, writable and free of overlap, got an array that is not {lacking}"
        raise ValueError(msg)
    return out


def overlaps(out: NDArray[Any]) -> bool:
    """Whether two elements of `out` may share memory; in slices and transpositions of ordinary arrays none do."""
    return not out.flags.c_contiguous and steps_back(out.shape, out.strides, out.itemsize)


def steps_back(shape: Sequence[int], strides: Sequence[int], size: int) -> bool:
    """Whether two elements of this size may share memory, as far as their strides tell."""
    # From the narrowest axis to the widest: each must step over all that those before it reach.
    reach = size
    for stride, count in sorted((abs(stride), count) for stride, count in zip(strides, shape, strict=True)):
        if count > 1:
            if stride < reach:
                return True
            reach += stride * (count - 1)
    return False
