"""Laws, as plain data: what a tensor's values follow, and what an operation makes of that."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isclose, isfinite, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from .._initializers import elementary, log_uniform, orthogonal, sparse
from .._initializers.builtin import Builtin
from .._initializers.constant import Constant
from .._initializers.random import RandomNormal, RandomUniform, TruncatedNormal

_REACH = 9.5
"""No value of ours lies farther from its mean, in standard deviations: bounds beyond it cut nothing."""
_NOISE = 1e-7
"""The mass that a clamp may heap up at its ends: what is left of the roundings of torch's own arithmetic."""
_SAME = 2.0**-48
"""The mass between two bounds that are meant to be one."""
_HALF = sqrt(0.5)
_STANDARD = NormalDist()


class Normal(NamedTuple):
    """A normal law, with bounds in standard deviations from its mean."""

    mean: float
    stddev: float
    lower: float = -inf
    upper: float = inf

    def affine(self, scale: float, shift: float) -> Law | None:
        """The law of `scale * x + shift`."""
        bounds = (self.lower, self.upper) if scale >= 0 else (-self.upper, -self.lower)
        # What follows `erfinv` is a product with the square root of 2, which this undoes without another rounding.
        stddev = abs(scale) / sqrt(2.0) if self.stddev == _HALF else abs(scale) * self.stddev
        return Normal(scale * self.mean + shift, stddev, *bounds)

    def clamped(self, low: float, high: float) -> Law | None:
        """The law of values kept in [low, high]; None where that heaps values up at an end."""
        if not self.stddev:
            return None
        ends = [(end - self.mean) / self.stddev for end in (low, high)]
        heaped = (_mass(self.lower, ends[0]), _mass(ends[1], self.upper))
        if max(heaped) > _NOISE:
            return None
        return self._replace(lower=_bound(max, ends[0], self.lower), upper=_bound(min, ends[1], self.upper))

    def initializer(self) -> Builtin:
        """The initializer that draws from the law."""
        if not self.stddev:
            return Constant(self.mean)
        if min(-self.lower, self.upper) > _REACH:
            return RandomNormal(self.mean, self.stddev)
        return TruncatedNormal(self.mean, self.stddev, lower=self.lower, upper=self.upper)


class Uniform(NamedTuple):
    """A uniform law on [low, high)."""

    low: float
    high: float

    def affine(self, scale: float, shift: float) -> Law | None:
        """The law of `scale * x + shift`."""
        ends = (scale * self.low + shift, scale * self.high + shift)
        return Uniform(min(ends), max(ends))

    def clamped(self, low: float, high: float) -> Law | None:
        """The law of values kept in [low, high]; None where that heaps values up at an end."""
        return self if low <= self.low and self.high <= high else None

    def initializer(self) -> Builtin:
        """The initializer that draws from the law."""
        return RandomUniform(self.low, self.high) if self.low < self.high else Constant(self.low)


class LogUniform(NamedTuple):
    """The law of values whose logarithms are uniform, and of their inverse softplus."""

    low: float
    high: float
    floor: float = 0.0
    inverse_softplus: bool = False

    def affine(self, scale: float, shift: float) -> Law | None:
        """The law of `scale * x + shift`, where that is the same one."""
        return self if (scale, shift) == (1.0, 0.0) else None

    def clamped(self, low: float, high: float) -> Law | None:
        """The law of values kept in [low, high]: they may be heaped up at the lower end."""
        if self.inverse_softplus or high < self.high or low >= self.high:
            return None
        return self if low <= self.low else self._replace(floor=max(low, self.floor))

    def initializer(self) -> Builtin:
        """The initializer that draws from the law."""
        return log_uniform.LogUniform(self.low, self.high, floor=self.floor, inverse_softplus=self.inverse_softplus)


class Orthogonal(NamedTuple):
    """The law of an orthogonal matrix (out, rest) times a gain, as a whole: its elements are not independent."""

    gain: float

    def affine(self, scale: float, shift: float) -> Law | None:
        """The law of `scale * x + shift`, where that is orthogonal too."""
        return None if shift else Orthogonal(scale * self.gain)

    def clamped(self, low: float, high: float) -> Law | None:
        """No law: values kept between two numbers are not orthogonal."""
        return None

    def initializer(self) -> Builtin:
        """The initializer that draws from the law."""
        return orthogonal.Orthogonal(self.gain, axis=0)


class Sparse(NamedTuple):
    """The law of a matrix of normal values, zero in some rows of each column, as a whole."""

    sparsity: float
    stddev: float

    def affine(self, scale: float, shift: float) -> Law | None:
        """The law of `scale * x + shift`, where that has the zeros too."""
        return None if shift else Sparse(self.sparsity, abs(scale) * self.stddev)

    def clamped(self, low: float, high: float) -> Law | None:
        """No law: values kept between two numbers are not normal."""
        return None

    def initializer(self) -> Builtin:
        """The initializer that draws from the law."""
        return sparse.Sparse(self.sparsity, self.stddev)


Law = Normal | Uniform | LogUniform | Orthogonal | Sparse
WHOLE = (Orthogonal, Sparse)
"""The laws of whole matrices, parts of which have another one."""


def inverse_softplus(law: Law | None) -> Law | None:
    """The law of ln(e^x - 1)."""
    return law._replace(inverse_softplus=True) if isinstance(law, LogUniform) and not law.inverse_softplus else None


def normal(mean: float = 0.0, stddev: float = 1.0) -> Law:
    """The law of torch's `normal_`."""
    return Normal(float(mean), float(stddev))


def uniform(low: float = 0.0, high: float = 1.0) -> Law:
    """The law of torch's `uniform_`."""
    return Uniform(float(low), float(high))


def truncated(mean: float, stddev: float, low: float, high: float) -> Law | None:
    """The law of torch's `trunc_normal_`, whose bounds are absolute."""
    return Normal(float(mean), float(stddev), (low - mean) / stddev, (high - mean) / stddev) if stddev else None


def after(operation: str, law: Law, others: list[float | None], place: int, alpha: float = 1.0) -> Law | None:
    """The law after an operation on values of `law` and on numbers; None where it is not understood.

    Args:
        operation: The name of torch's operation.
        law: The law of the argument at `place`.
        others: The other arguments, in order.
        place: 0 or 1.
        alpha: The factor of the second argument of `add` and `sub`.
    """
    if place and operation not in {"add", "sub", "rsub", "mul"}:
        return None
    if operation in {"clamp", "clamp_min", "clamp_max"}:
        low, high = {"clamp_min": [*others, None], "clamp_max": [None, *others]}.get(operation, [*others, None])[:2]
        return law.clamped(-inf if low is None else low, inf if high is None else high)
    if operation == "neg":
        return law.affine(-1.0, 0.0)
    if operation == "erfinv" and isinstance(law, Uniform) and -1 <= law.low < law.high <= 1:
        # erfinv(u) is the quantile of the standard normal law at (u + 1) / 2, divided by the square root of 2.
        return Normal(0.0, _HALF, _quantile(law.low), _quantile(law.high))
    if operation == "exp" and isinstance(law, Uniform) and law.low < law.high < 700:
        return LogUniform(_exponential(law.low), _exponential(law.high))
    if len(others) != 1:
        return None
    number = others[0]
    if number is None:
        return None
    if operation == "add":
        return law.affine(1.0, alpha * number) if not place else law.affine(alpha, number)
    if operation in {"sub", "rsub"}:
        first = place == (operation == "rsub")
        return law.affine(1.0, -alpha * number) if first else law.affine(-alpha, number)
    if operation == "mul":
        return law.affine(number, 0.0)
    if operation == "div" and number:
        return law.affine(1.0 / number, 0.0)
    return None


def _exponential(x: float) -> float:
    """e^x, as a number of 15 digits where x is its logarithm but for roundings: 0.001 for what ln 0.001 was."""
    found = float(elementary.exp(np.array(x)))
    short = float(f"{found:.15g}")
    return short if isclose(elementary.ln(short), x, rel_tol=2.0**-51) else found


def _bound(tighter: Callable[[float, float], float], end: float, own: float) -> float:
    """The bound of a law after a clamp: where they are meant to be one, the clamp's, in its author's own digits."""
    return end if isfinite(end) and abs(_cdf(end) - _cdf(own)) <= _SAME else tighter(end, own)


def _mass(low: float, high: float) -> float:
    """The mass of the standard normal law between two numbers; 0 where the first is the greater."""
    return max(0.0, _cdf(high) - _cdf(low))


def _cdf(x: float) -> float:
    return _STANDARD.cdf(x) if isfinite(x) else float(x > 0)


def _quantile(u: float) -> float:
    return _STANDARD.inv_cdf((u + 1) / 2) if -1 < u < 1 else inf * u
