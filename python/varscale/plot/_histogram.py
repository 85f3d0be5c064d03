"""Histograms: the bins that an inspection counts in, put together into few, with none of them cut in two."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..checkpoint._inspect import Look
from ..checkpoint._laws import Target, cdf
from ..checkpoint._tally import grid, is_counted

FEWEST, MOST = 8, 36
"""The number of bars: twice the cube root of the numbers, by Rice's rule, within these bounds."""
_REACH = 4.2
"""A normal law is drawn so many standard deviations to either side."""
_SHARES = (0.001, 0.25, 0.75, 0.999)
"""What a picture must reach, where there is no law, and what the middle half is: by the share of numbers below."""


class Histogram(NamedTuple):
    """The numbers of a tensor in bars, of which each is exactly what it shows."""

    edges: NDArray[np.float64]
    """Where bars begin and end; about as wide as each other."""
    shares: NDArray[np.float64]
    """The share of all finite numbers that each bar has."""
    expected: NDArray[np.float64] | None
    """The share that it has by the law; None where no law is known."""
    outside: int
    """How many numbers lie to the left or the right of all bars."""
    middle: tuple[float, float]
    """Between these two lies half of the numbers."""

    @property
    def heights(self) -> NDArray[np.float64]:
        """The density of each bar."""
        return self.shares / np.diff(self.edges)


def histogram(look: Look, dtype: np.dtype[Any]) -> Histogram | None:
    """The histogram of a tensor; None for one whose numbers are not counted, or all in one place."""
    if not is_counted(dtype):
        return None
    # Few of the bins hold numbers: only these are put in order.
    bins = np.flatnonzero(look.bins)
    places = grid(dtype).places[bins]
    order = np.argsort(places)[np.count_nonzero(places < 0) :]
    places, sums = places[order], np.concatenate([[0], np.cumsum(look.bins[bins[order]].astype(np.int64))])
    if places.size < 2:
        return None
    edges, plan = _edges(dtype), look.target.plan
    first, middle, third, last = places[np.searchsorted(sums[1:], [share * sums[-1] for share in _SHARES])]
    if first == last:  # most of them are one number, such as zero
        first, last = places[0], places[-1]
    # Numbers of 64 bits that 32 do not hold have no bin, and are outside.
    total = int(look.bins.sum()) - look.row.nans - look.row.infinities
    bars = min(max(ceil(2.0 * total ** (1.0 / 3.0)), FEWEST), MOST)
    chosen = _nearest(edges, np.linspace(*_span(float(edges[first]), float(edges[last + 1]), look.target), bars + 1))
    below = sums[np.searchsorted(places, chosen)]
    return Histogram(
        edges[chosen],
        np.diff(below) / total,
        None if plan is None else np.diff(cdf(plan, edges[chosen])),
        total - int(below[-1] - below[0]),
        (float(edges[middle]), float(edges[third + 1])),
    )


@lru_cache
def _edges(dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Where bins of a dtype begin and end; the outermost end where a picture can."""
    edges: NDArray[np.float64] = grid(dtype).edges.copy()
    if not isfinite(edges[0]):
        edges[0], edges[-1] = 2.0 * edges[1] - edges[2], 2.0 * edges[-2] - edges[-3]
    return edges


def reach(target: Target) -> tuple[float, float] | None:
    """Where the values of a law lie, but for the tails of a normal one; None where no law is known."""
    plan = target.plan
    if plan is None:
        return None
    low, high = plan.loc - _REACH * plan.scale, plan.loc + _REACH * plan.scale
    return max(low, plan.low), min(high, plan.high)


def _span(low: float, high: float, target: Target) -> tuple[float, float]:
    """From where to where a picture goes: all of the law, and the numbers but for their tails."""
    law = reach(target) or (low, high)
    first, last = min(low, law[0]), max(high, law[1])
    edge = 0.04 * (last - first)
    return first - edge, last + edge


def _nearest(edges: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.int64]:
    """The edges that lie next to the points, each once."""
    right = np.searchsorted(edges, points).clip(1, edges.size - 1)
    found: NDArray[np.int64] = np.unique(right - (points - edges[right - 1] < edges[right] - points))
    return found
