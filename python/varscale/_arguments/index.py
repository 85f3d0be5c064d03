"""Indices: every way to name a part of a tensor, as NumPy reads it, one choice of indices an axis."""

from __future__ import annotations

from operator import index as as_integer
from typing import Any

import numpy as np
from numpy.typing import NDArray

Picks = tuple[int, int, int] | NDArray[np.uint64]
"""The indices of one axis: (start, step, count), or all of them."""
IndexEntry = Any
"""An integer, a slice, a 1-D array or list of integers, or an Ellipsis."""


def resolve_index(index: Any, full: tuple[int, ...]) -> tuple[list[Picks], list[bool]]:
    """The picks of each axis, and whether the axis is kept (an integer drops it).

    Several integer arrays mean the open mesh, as `np.ix_` makes it.

    Raises:
        IndexError: An entry of another kind (boolean masks and None too), an index out of range, too many entries.
    """
    entries = list(index) if isinstance(index, tuple) else [index]
    rest = [place for place, entry in enumerate(entries) if entry is Ellipsis]
    if len(rest) > 1:
        msg = f"`index` must hold at most one Ellipsis, got {index!r}"
        raise IndexError(msg)
    missing = len(full) - len(entries) + len(rest)
    if missing < 0:
        msg = f"`index` must have at most {len(full)} entries for the shape {full}, got {len(entries) - len(rest)}"
        raise IndexError(msg)
    place = rest[0] if rest else len(entries)
    entries[place : place + 1] = [slice(None)] * missing
    picks, kept = [], []
    for axis, (entry, size) in enumerate(zip(entries, full, strict=True)):
        found, keep = _picks(entry, axis, size)
        picks.append(found)
        kept.append(keep)
    return picks, kept


def _picks(entry: IndexEntry, axis: int, size: int) -> tuple[Picks, bool]:
    """One axis's picks, and whether it is kept."""
    if isinstance(entry, slice):
        try:
            chosen = range(size)[entry]
        except TypeError as error:
            msg = f"`index` must hold slices of integers, got {entry!r}"
            raise IndexError(msg) from error
        return _even(chosen.start, chosen.step, _length(chosen)) if chosen else (0, 1, 0), True
    if isinstance(entry, list | range) or (isinstance(entry, np.ndarray) and entry.ndim):
        return _listed(entry, axis, size), True
    if not isinstance(entry, bool | np.bool_):
        try:
            number = as_integer(entry)
        except TypeError:
            pass
        else:
            return (_inside(number, axis, size), 1, 1), False
    raise _unknown(entry)


def _unknown(entry: Any) -> IndexError:
    """What to raise for an entry of another kind."""
    return IndexError(f"`index` must hold integers, slices, 1-D arrays of integers or an Ellipsis, got {entry!r}")


def _even(start: int, step: int, count: int) -> Picks:
    """Evenly spaced picks: a step is a signed number of 64 bits, so two that lie further apart are a list."""
    if count < 2:
        return start, 1, count
    if -(2**63) <= step < 2**63:
        return start, step, count
    return np.array([start, start + step], np.uint64)


def _length(chosen: range) -> int:
    """As `len`, for ranges of any length."""
    return (chosen[-1] - chosen[0]) // chosen.step + 1


def _listed(entry: Any, axis: int, size: int) -> Picks:
    """The picks of a list: evenly spaced ones as such, which is faster."""
    try:
        array = np.asarray(entry)
    except ValueError as error:  # lists of several lengths
        raise _unknown(entry) from error
    if array.ndim == 1 and array.size == 0 and array.dtype.kind in "fiu":  # NumPy reads [] as floats
        return 0, 1, 0
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise _unknown(entry)
    for end in (array.min(), array.max()):
        _inside(int(end), axis, size)
    if array.dtype.kind == "i":
        negative = array < 0
        array = np.where(negative, array.astype(np.uint64) + np.uint64(size % 2**64), array.astype(np.uint64))
    array = array.astype(np.uint64)
    steps = np.diff(array)  # wraps where they fall
    if array.size == 1 or (steps == steps[0]).all():
        step = int(steps.astype(np.int64)[0]) if array.size > 1 else 1
        start, count = int(array[0]), int(array.size)
        if start + step * (count - 1) == int(array[-1]):
            return start, step, count
    return array


def _inside(number: int, axis: int, size: int) -> int:
    """The index meant by a number that may count from the end."""
    if not -size <= number < size:
        msg = f"`index` {number} is out of bounds for axis {axis} with size {size}"
        raise IndexError(msg)
    return number + size if number < 0 else number
