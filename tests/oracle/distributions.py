"""What each standard law is, exactly, and how far a sample is from it, in standard errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Array = NDArray[np.generic]


@dataclass(frozen=True)
class Distribution:
    """A symmetric law: its distribution function, variance, thresholds for tail counts, and grid of u."""

    cdf: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    variance: float
    thresholds: tuple[float, ...]
    grid: int | None  # equally likely values of the float32 law; None where they are too many to matter


MASS = special.erf(np.sqrt(2.0))
DISTRIBUTIONS = {
    "uniform": Distribution(lambda x: np.clip((x + 1) / 2, 0, 1), 1 / 3, (0.5, 0.9, 0.99, 0.999), 2**24),
    "normal": Distribution(special.ndtr, 1.0, (1.0, 2.0, 3.0, 4.0, 4.75), None),
    "truncated_normal": Distribution(
        lambda x: np.clip((1 + special.erf(np.clip(x, -2, 2) / np.sqrt(2)) / MASS) / 2, 0, 1),
        0.87962566103423978**2,
        (1.0, 1.5, 1.9, 1.99, 1.999),
        2**24,
    ),
}


def mean_z(x: Array) -> float:
    """The mean, in standard errors; the laws' own is 0."""
    x = x.astype(np.float64)
    return float(x.mean() / (x.std() / np.sqrt(x.size)))


def variance_z(x: Array, variance: float) -> float:
    """The variance less the law's, in standard errors taken from the sample's fourth moment."""
    square = x.astype(np.float64) ** 2
    return float((square.mean() - variance) / (square.std() / np.sqrt(x.size)))


def half_way(x: Array) -> NDArray[np.float64]:
    """The points between x and the next value above, from which on numbers round up: cells' borders."""
    above = np.nextafter(x, x.dtype.type(np.inf))
    return (x.astype(np.float64) + above.astype(np.float64)) / 2


def tail_zs(x: Array, law: Distribution) -> list[float]:
    """Counts beyond each threshold, both sides together, less the expected, in binomial standard errors."""
    zs = []
    magnitude = np.abs(x)
    for threshold in law.thresholds:
        cut = np.asarray(threshold).astype(x.dtype)
        p = 2 * (1 - float(law.cdf(half_way(cut[None]))[0]))
        count = np.count_nonzero(magnitude > cut)
        # A threshold may round to the law's own end, which nothing may pass.
        zs.append(
            float((count - x.size * p) / np.sqrt(x.size * p * (1 - p))) if p > 0 else count * np.inf if count else 0.0
        )
    return zs


def kolmogorov_p(x: Array, law: Distribution) -> float:
    """The p-value of the Kolmogorov-Smirnov statistic."""
    u = law.cdf(np.sort(x).astype(np.float64))
    steps = np.arange(x.size + 1) / x.size
    return float(stats.kstwobign.sf(np.sqrt(x.size) * max(np.max(u - steps[:-1]), np.max(steps[1:] - u))))


def cells_z(x: Array, law: Distribution) -> float:
    """Chi-square over every value of an 8- or 16-bit type, neighbours merged to 25 expected, in standard errors."""
    number = np.dtype(f"u{x.itemsize}")
    every = np.arange(256**x.itemsize, dtype=number).view(x.dtype)
    with np.errstate(invalid="ignore"):  # some of them are signalling NaNs
        values = np.unique(every[np.isfinite(every)].astype(np.float64))  # one zero
    counts = np.bincount(x.view(number), minlength=every.size)
    counts = np.bincount(np.searchsorted(values, every[counts > 0].astype(np.float64)), counts[counts > 0], len(values))
    below = law.cdf((values[:-1] + values[1:]) / 2)
    if law.grid:  # how many of the equally likely values lie below each border, exactly
        below = np.floor(below * law.grid + 0.5) / law.grid
    expected = np.diff(np.concatenate([[0.0], below, [1.0]])) * x.size
    cell, number, held = np.empty(len(values), np.intp), 0, 0.0
    for i, e in enumerate(expected):
        cell[i] = number
        held += e
        if held >= 25:
            number, held = number + 1, 0.0
    cell[cell == number] = max(number - 1, 0)  # what is left over joins the last cell
    observed, wanted = np.bincount(cell, counts), np.bincount(cell, expected)
    statistic = float(((observed - wanted) ** 2 / wanted).sum())
    return (statistic - (len(wanted) - 1)) / np.sqrt(2 * (len(wanted) - 1))


def correlation_z(x: Array, y: Array) -> float:
    """The correlation of two samples, in standard errors of independent ones."""
    x, y = x.astype(np.float64).ravel(), y.astype(np.float64).ravel()
    return float(np.mean((x - x.mean()) * (y - y.mean())) / (x.std() * y.std()) * np.sqrt(x.size))


def is_16_bit(dtype: str) -> bool:
    """Whether the dtype has few enough values to count each."""
    return dtype in {"float16", np.dtype(ml_dtypes.bfloat16).name}
