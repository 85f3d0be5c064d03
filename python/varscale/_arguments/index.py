"""Indices: every index that names a part of a tensor, read as NumPy does, one choice of indices per axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import as_integer
from .show import show

Picks = tuple[int, int, int] | NDArray[np.uint64]
"""The chosen indices of one axis: (start, step, count) where they are evenly spaced, else an array of them."""
IndexEntry = Any
"""An integer, a slice, a 1-D array or list of integers, or an Ellipsis."""


def resolve_index(index: Any, full: tuple[int, ...]) -> tuple[list[Picks], list[bool]]:
    """The picks of each axis, and whether the axis is kept (an integer drops it).

    Several integer arrays mean the open mesh that `np.ix_` makes.

    Raises:
        IndexError: An entry is of another kind (a boolean mask, None), an index is out of range, or there are too many.
    """
    # A list is one entry, an array of indices; only a tuple holds several.
    entries = list(index) if isinstance(index, tuple) else [index]
    rest = [place for place, entry in enumerate(entries) if entry is Ellipsis]
    if len(rest) > 1:
        msg = f"`index` must hold at most one Ellipsis, got {show(index)}"
        raise IndexError(msg)
    missing = len(full) - len(entries) + len(rest)
    if missing < 0:
        count = len(entries) - len(rest)
        msg = f"`index` must have at most {len(full)} entries for the shape {show(full)}, got {count}"
        raise IndexError(msg)
    # The Ellipsis, or the end where there is none, stands for all the axes that have no entry.
    place = rest[0] if rest else len(entries)
    entries[place : place + 1] = [slice(None)] * missing
    picks, kept = [], []
    for axis, (entry, size) in enumerate(zip(entries, full, strict=True)):
        found, keep = _picks(entry, axis, size)
        picks.append(found)
        kept.append(keep)
    return picks, kept


def spread(picks: Picks) -> NDArray[np.uint64]:
    """The picks as an array."""
    if not isinstance(picks, tuple):
        return picks
    start, step, count = picks
    # A negative step wraps in unsigned arithmetic, to the right indices.
    indices: NDArray[np.uint64] = np.uint64(start) + np.arange(count, dtype=np.uint64) * np.uint64(step % 2**64)
    return indices


def _picks(entry: IndexEntry, axis: int, size: int) -> tuple[Picks, bool]:
    """The picks of one axis, and whether the axis is kept."""
    if isinstance(entry, slice):
        try:
            chosen = range(size)[entry]  # Python clips the slice to the axis, as NumPy would
        except TypeError as error:
            msg = f"`index` must hold slices of integers, got {show(entry)}"
            raise IndexError(msg) from error
        return _even(chosen.start, chosen.step, _length(chosen)) if chosen else (0, 1, 0), True
    if isinstance(entry, range) and entry:
        ends = [_inside(end, axis, size) for end in (entry[0], entry[-1])]
        # Both ends lie inside the axis, and so does all between them. Where it does not count from one side alone, it
        # is no longer even: it goes on as a list, which is at most twice as long as the axis.
        if (entry[0] < 0) == (entry[-1] < 0):
            return _even(ends[0], entry.step, _length(entry)), True
    # A 0-d array goes on: it is an integer, which drops its axis.
    if isinstance(entry, list | range) or (isinstance(entry, np.ndarray) and entry.ndim):
        return _listed(entry, axis, size), True
    number = as_integer(entry)  # a bool is none, and NumPy takes it for a mask
    if number is None:
        raise _unknown(entry)
    return (_inside(number, axis, size), 1, 1), False


def _unknown(entry: Any) -> IndexError:
    """The error for an entry of another kind."""
    return IndexError(f"`index` must hold integers, slices, 1-D arrays of integers or an Ellipsis, got {show(entry)}")


def _even(start: int, step: int, count: int) -> Picks:
    """Evenly spaced picks as (start, step, count), where the core can hold the step.

    It holds a step in 64 signed bits. At most two indices of an axis lie further apart than that: they become an array.
    """
    if count < 2:  # no step is ever taken, and the slice's own may have more than 64 bits
        return start, 1, count
    if -(2**63) <= step < 2**63:
        return start, step, count
    return np.array([start, start + step], np.uint64)


def _length(chosen: range) -> int:
    """The length of a range that is not empty; `len` fails from 2^63 on."""
    return (chosen[-1] - chosen[0]) // chosen.step + 1


def _listed(entry: Any, axis: int, size: int) -> Picks:
    """The picks of a list or an array of indices.

    Evenly spaced ones become (start, step, count): three numbers cross instead of an array, and the core fills faster.
    """
    try:
        array = np.asarray(entry)
    except ValueError as error:  # the list holds lists of different lengths
        raise _unknown(entry) from error
    if array.ndim == 1 and array.size == 0 and array.dtype.kind in "fiu":  # NumPy reads [] as floats
        return 0, 1, 0
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise _unknown(entry)
    # Where both extremes lie inside the axis, so do all between.
    for end in (array.min(), array.max()):
        _inside(int(end), axis, size)
    if array.dtype.kind == "i":
        # An axis may have 2^64 elements, so the sum size + index is made in unsigned arithmetic. A negative index is
        # 2^64 too large there, which the addition wraps away.
        negative = array < 0
        array = np.where(negative, array.astype(np.uint64) + np.uint64(size % 2**64), array.astype(np.uint64))
    array = array.astype(np.uint64)
    # Unsigned differences wrap where indices fall: read as signed numbers, they are the negative steps.
    steps = np.diff(array)
    if array.size == 1 or (steps == steps[0]).all():
        step = int(steps.astype(np.int64)[0]) if array.size > 1 else 1
        start, count = int(array[0]), int(array.size)
        # A step of 2^63 or more wraps to a negative one, which would end elsewhere: such indices stay a list.
        if start + step * (count - 1) == int(array[-1]):
            return start, step, count
    return array


def _inside(number: int, axis: int, size: int) -> int:
    """The index that `number` stands for, counted from the front; a negative number counts from the end."""
    if not -size <= number < size:
        msg = f"`index` {show(number)} is out of bounds for axis {axis} with size {show(size)}"
        raise IndexError(msg)
    return number + size if number < 0 else number
