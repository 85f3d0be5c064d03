"""The diagonal of any part of a matrix: where the indices of its rows and of its columns meet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .index import Picks, spread

Places = tuple[NDArray[Any], NDArray[Any]]


def diagonal_places(rows: Picks, columns: Picks) -> Places:
    """All pairs of a place in `rows` and a place in `columns` that hold one index, as two arrays.

    Either may hold its indices in any order, and some of them twice.
    """
    # Evenly spaced indices are found by division, so that the longer axis is not listed.
    if isinstance(columns, tuple) and columns[1] and (not isinstance(rows, tuple) or rows[2] <= columns[2]):
        places, found = _divided(spread(rows), *columns)
        return found, places
    if isinstance(rows, tuple) and rows[1]:
        return _divided(spread(columns), *rows)
    return _sorted(spread(rows), spread(columns))


def _divided(indices: NDArray[np.uint64], start: int, step: int, count: int) -> Places:
    """The places in evenly spaced indices, and those in `indices`, that hold one index."""
    low = start if step > 0 else start + step * (count - 1)
    # An index below the lowest wraps, to a number that is beyond the highest.
    quotient, rest = np.divmod(indices - np.uint64(low), np.uint64(abs(step)))
    found = np.flatnonzero((rest == 0) & (quotient < count))
    places = quotient[found].astype(np.int64)
    return places if step > 0 else count - 1 - places, found


def _sorted(rows: NDArray[np.uint64], columns: NDArray[np.uint64]) -> Places:
    """The same of two lists; comparing all pairs would take a matrix of its own."""
    # Equal indices are neighbours once the columns are sorted. A row's own are `order[begin:end]`: none, one, or
    # several in a part that repeats a column.
    order = np.argsort(columns, kind="stable")
    begin, end = (np.searchsorted(columns[order], rows, side) for side in ("left", "right"))
    counts = end - begin
    # All ranges are laid end to end. Within each, places count 0, 1, …: the running number less where the range begins.
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(np.arange(len(rows)), counts), order[np.repeat(begin, counts) + within]
