"""Tallies: what a pass over a tensor's numbers finds, whoever makes it and in whatever order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import fsum, inf, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._core import survey
from ._read import Bytes

Bins = NDArray[np.uint64]
Moments = tuple[int, float, float, float, float, int]
"""As the core returns them: how many are finite, their least, greatest, mean and squares, and how many are NaN."""


class Summary(NamedTuple):
    """What the numbers of a tensor are like; None for what those of no finite ones have not."""

    nans: int
    infinities: int
    low: float | None
    high: float | None
    mean: float | None
    stddev: float | None
    zeros: int | None
    """How many are zero, or next to it; None where they are not counted."""


class Grid(NamedTuple):
    """The bins that finite numbers of a dtype are counted in, from the least to the greatest."""

    places: NDArray[np.int64]
    """The place of each of the core's bins; -1 for those of NaN and infinity."""
    edges: NDArray[np.float64]
    """Where bins begin and end: halfway between numbers of 16 bits, whose bins hold what is rounded to them."""
    values: NDArray[np.float64] | None
    """The number of each of the core's bins, where all of a bin are one."""

    def counts(self, bins: Bins) -> NDArray[np.int64]:
        """The numbers of each bin, in order."""
        held = np.flatnonzero(bins)
        held = held[self.places[held] >= 0]
        counts = np.zeros(self.edges.size - 1, np.int64)
        np.add.at(counts, self.places[held], bins[held].astype(np.int64))
        return counts


def is_counted(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of a dtype are counted in bins: floating-point ones, and the parts of complex ones."""
    return dtype.kind in "fc" or dtype.name in {"bfloat16", "float8_e4m3fn", "float8_e5m2"}


def tally(dtype: np.dtype[Any], pieces: Iterable[Bytes], bins: Bins) -> list[Moments]:
    """Counts the numbers of a run's pieces into `bins`, and returns the moments of each piece."""
    if is_counted(dtype):
        stored, counts = _stored(dtype), np.zeros(bins.size, np.uint32)
        moments = [survey(piece, stored, counts) for piece in pieces]
        bins += counts
        return moments
    return [_whole_numbers(piece.view(dtype)) for piece in pieces]


def _stored(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "c":
        return f"float{dtype.itemsize * 4}"
    return f"float{dtype.itemsize * 8}" if dtype.itemsize > 2 else f"bits{dtype.itemsize * 8}"


def _whole_numbers(numbers: NDArray[Any]) -> Moments:
    mean = float(numbers.mean(dtype=np.float64))
    squares = float(np.square(numbers - mean, dtype=np.float64).sum())
    return numbers.size, float(numbers.min()), float(numbers.max()), mean, squares, 0


def summarize(dtype: np.dtype[Any], moments: Sequence[Moments], bins: Bins) -> Summary:
    """The summary of a tensor whose pieces, in order, have these moments and are counted in these bins."""
    counted = is_counted(dtype)
    values = grid(dtype).values if counted else None
    finite, low, high, mean, squares, nans = _together(moments) if values is None else _by_value(values, bins)
    infinities = int(bins.sum()) - finite - nans if counted else 0
    # The second bin is that of -0.0.
    zeros = int(bins[0] + bins[0x80 if dtype.itemsize == 1 else 0x8000]) if counted else None
    if not finite:
        return Summary(nans, infinities, None, None, None, None, zeros)
    return Summary(nans, infinities, low, high, mean, sqrt(squares / finite), zeros)


def _together(moments: Sequence[Moments]) -> Moments:
    """The moments of all pieces: their order is that of the tensor, whoever was first."""
    finite, low, high, mean, squares, nans = 0, inf, -inf, 0.0, 0.0, 0
    for count, least, greatest, middle, around, lost in moments:
        finite, share, apart = finite + count, count / max(finite + count, 1), middle - mean
        squares += around + apart * apart * share * (finite - count)
        mean += apart * share
        low, high, nans = min(low, least), max(high, greatest), nans + lost
    return finite, low, high, mean, squares, nans


def _by_value(values: NDArray[np.float64], bins: Bins) -> Moments:
    """The moments of numbers of which each has a bin of its own."""
    held = np.flatnonzero(bins)
    numbers, counts = values[held], bins[held]
    nans, is_finite = int(counts[np.isnan(numbers)].sum()), np.isfinite(numbers)
    numbers, counts = numbers[is_finite], counts[is_finite]
    finite = int(counts.sum())
    if not finite:
        return 0, inf, -inf, 0.0, 0.0, nans
    mean = fsum(numbers * counts) / finite
    squares = fsum(np.square(numbers - mean) * counts)
    return finite, float(numbers.min()), float(numbers.max()), mean, squares, nans


@lru_cache
def grid(dtype: np.dtype[Any]) -> Grid:
    """The bins of a dtype's numbers."""
    places = np.full(1 << 16, -1)
    if dtype.itemsize > 2:
        # The bins of float32's upper halves: those of positive numbers begin with their own, the others end with it.
        starts = (np.arange(0x7F81, dtype=np.uint32) << 16).view(np.float32).astype(np.float64)
        count = starts.size - 1
        places[:count] = count + np.arange(count)
        places[0x8000 : 0x8000 + count] = count - 1 - np.arange(count)
        return Grid(places, np.concatenate([-starts[:0:-1], starts]), None)
    bits = np.arange(1 << 8 * dtype.itemsize).astype(f"u{dtype.itemsize}")
    with np.errstate(all="ignore"):
        values = bits.view(dtype).astype(np.float64)
    is_finite = np.isfinite(values)
    numbers, inverse = np.unique(values[is_finite], return_inverse=True)
    places[np.flatnonzero(is_finite)] = inverse
    return Grid(places, np.concatenate([[-inf], (numbers[1:] + numbers[:-1]) / 2.0, [inf]]), values)
