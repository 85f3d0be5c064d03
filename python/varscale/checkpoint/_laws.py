"""Laws: how the values of a parameter should be distributed, and how far numbers are from that."""

from __future__ import annotations

from math import erfc, exp, inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._arguments.parts import Part
from .._initializers.constant import Fixed
from .._initializers.sampled import Sampled
from .._models.own import maker
from .._models.parameter import Parameter
from .._sources.plan import Plan
from .._sources.source import Drawn

_KURTOSIS = {"uniform": 1.8, "normal": 3.0, "truncated_normal": 9.0}
"""E (x - mean)^4 over the variance squared, at most: a normal law that is cut far out is an exponential one."""


class Target(NamedTuple):
    """What the values of a parameter should be like; None for what its initializer does not tell."""

    mean: float | None = None
    stddev: float | None = None
    low: float = -inf
    """No value is less."""
    high: float = inf
    """No value is greater."""
    plan: Plan | None = None
    """The law and its place, where the values follow one."""


def target(parameter: Parameter) -> Target:
    """What the values of a parameter should be like."""
    shape, dtype, initializer = parameter
    made = maker(initializer)
    if made is not initializer or not isinstance(initializer, Sampled | Fixed) or dtype.kind == "c":
        return Target()
    source, found = made._source(Part(shape, shape), dtype.name), initializer.describe(shape)
    low, high = (float(np.asarray(bound).astype(dtype)) for bound in (found.low, found.high))
    # Without a scale there is one value, whatever the law.
    plan = source.plan if isinstance(source, Drawn) and source.plan.scale > 0.0 else None
    return Target(found.mean, found.stddev, low, high, plan)


def cdf(plan: Plan, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability that a value is not greater than each of the points."""
    standard = (points - plan.loc) / plan.scale
    if plan.law == "uniform":
        found = (standard + 1.0) / 2.0
    elif plan.law == "normal":
        found = _below(standard)
    else:
        lower, upper = plan.bounds
        # On the side where the masses are small, so that their differences keep their digits.
        sign = -1.0 if lower > 0.0 else 1.0
        ends = _below(sign * np.array([lower, upper]))
        found = (_below(sign * standard.clip(lower, upper)) - ends[0]) / (ends[1] - ends[0])
    found[points < plan.low], found[points >= plan.high] = 0.0, 1.0
    return found.clip(0.0, 1.0)


def _below(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mass of the standard normal law below each point."""
    return np.array([0.5 * erfc(-point) for point in (points * sqrt(0.5)).tolist()])


def distance(plan: Plan, counts: NDArray[np.int64], edges: NDArray[np.float64]) -> float:
    """The Kolmogorov-Smirnov statistic of numbers that are counted between edges: bin i ends at edge i + 1.

    It is the greatest distance at the edges: what lies between two of them is not seen.
    """
    places = np.flatnonzero(counts)
    sums = np.cumsum(counts[places]) / counts.sum()
    before = sums - counts[places] / counts.sum()
    # Between two bins that hold numbers the count stays, so that only their ends can be farthest from the law.
    after = np.abs(sums - cdf(plan, edges[places + 1]))
    return float(np.maximum(after, np.abs(before - cdf(plan, edges[places]))).max())


def probability(distance: float, count: int) -> float:
    """The probability of a statistic that is at least as great, by Kolmogorov's limit with Stephens' correction."""
    root = sqrt(count)
    x = (root + 0.12 + 0.11 / root) * distance
    if x < 0.2:
        return 1.0  # but for 1e-12, where the sum converges slowly
    terms = ((-1) ** (number - 1) * exp(-2.0 * (number * x) ** 2) for number in range(1, 40))
    return float(min(1.0, 2.0 * sum(terms)))


def standard_errors(target: Target, count: int) -> tuple[float, float]:
    """The standard errors of the mean and of the standard deviation of so many values, at most."""
    stddev, kurtosis = target.stddev or 0.0, _KURTOSIS[target.plan.law] if target.plan else inf
    return stddev / sqrt(count), stddev * sqrt((kurtosis - 1.0) / (4.0 * count))
