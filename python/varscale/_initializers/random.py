"""Random initializers whose scale does not depend on the shape."""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar

import numpy as np

from .._arguments.checks import finite, not_negative
from .._arguments.dtypes import DTypeLike, FloatType
from .._arguments.fans import compute_fans
from .._arguments.show import show
from .._sources.plan import (
    COMPLEX_TRUNCATED_STDDEV,
    STANDARD_BOUNDS,
    Plan,
    check_overflow,
    normal_plan,
    parse_bounds,
    truncated_normal_plan,
)
from .._sources.request import Interval, Law, Normal
from .._sources.seeds import SeedLike
from .sampled import Description, Sampled


class RandomNormal(Sampled):
    """Draws normal values, which reach 6.76 standard deviations (9.49 in float64).

    Of a complex dtype stddev^2 is E |w - mean|^2: each part has half of it.

    Args:
        mean: A finite number.
        stddev: A finite number that is not negative; 0 gives a constant.
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: `mean` or `stddev` is not finite, `stddev` is negative, or `dtype` is another.

    Example:
        >>> import varscale as vs
        >>> vs.RandomNormal(0.0, 0.02, seed=1)((50257, 768)).dtype
        dtype('float32')
    """

    mean: float
    stddev: float
    _complex = True
    _parameters: ClassVar[dict[str, Any]] = dict.fromkeys(("mean", "stddev", "seed", "dtype"), Sampled._REQUIRED)

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.05,
        seed: SeedLike = None,
        dtype: DTypeLike = "float32",
    ) -> None:
        self._set(mean=finite("mean", mean), stddev=not_negative("stddev", stddev))
        self._seal(seed, dtype)

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        return normal_plan(self.mean, self.stddev, kind)

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        return Law("normal", Normal(self.mean, self.stddev))

    def _divided(self, by: float) -> Sampled:
        return _narrowed(self, by)

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        return Description(*compute_fans(full_shape), self.mean, self.stddev, -np.inf, np.inf)


class TruncatedNormal(Sampled):
    """Draws normal values truncated to [mean + lower * stddev, mean + upper * stddev], both ends included.

    Of a complex dtype it is truncated at |w - mean| = 2 stddev, which leaves 0.9620 of the standard deviation.

    Args:
        mean: The mean of the normal law *before* truncation, a finite number.
        stddev: The standard deviation *before* truncation, as in TensorFlow and JAX: a finite number that is not
            negative. Truncation at two standard deviations leaves 0.8796 of it.
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        lower: The lower bound, in standard deviations from the mean; may be -inf.
        upper: The upper bound, in standard deviations from the mean; may be inf.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, `lower` is not less than `upper`, or the mass between them
            underflows float64. It does if both lie beyond 36 standard deviations on one side. Complex values have no
            bounds but -2 and 2.

    Example:
        >>> import varscale as vs
        >>> vs.TruncatedNormal(stddev=1.0, lower=0.0, upper=float("inf")).describe((3, 4)).mean
        0.7978845608028649
    """

    mean: float
    stddev: float
    lower: float
    upper: float
    _moments: tuple[float, float]
    _complex = True
    _parameters: ClassVar[dict[str, Any]] = RandomNormal._parameters | {"lower": -2.0, "upper": 2.0}

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.05,
        seed: SeedLike = None,
        dtype: DTypeLike = "float32",
        *,
        lower: float = -2.0,
        upper: float = 2.0,
    ) -> None:
        bounds, moments = parse_bounds(lower, upper)
        self._set(
            mean=finite("mean", mean),
            stddev=not_negative("stddev", stddev),
            lower=bounds[0],
            upper=bounds[1],
            _moments=moments,
        )
        self._seal(seed, dtype)

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        return truncated_normal_plan(self.mean, self.stddev, kind, (self.lower, self.upper))

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        return Law("truncated_normal", Normal(self.mean, self.stddev), (self.lower, self.upper))

    def _divided(self, by: float) -> Sampled:
        return _narrowed(self, by)

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        plan = self._plan(full_shape, self._kind)
        mean, stddev = self._moments if self._kind.part is None else (0.0, COMPLEX_TRUNCATED_STDDEV)
        fans = compute_fans(full_shape)
        return Description(*fans, self.mean + self.stddev * mean, self.stddev * stddev, plan.low, plan.high)


class RandomUniform(Sampled):
    """Draws uniform values in [minval, maxval).

    In float32 and float64, a value that would round to `maxval` becomes the next number below it. Values of fewer bits
    are the float32 values, rounded once, and may equal `maxval`.

    Args:
        minval: The least value, a finite number.
        maxval: The bound that no value reaches, a finite number not less than `minval`. Equal bounds give a constant.
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point dtype.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: `minval` or `maxval` is not finite, `minval` is greater, or `dtype` is another.

    Example:
        >>> import varscale as vs
        >>> init = vs.RandomUniform(-1, 1)
        >>> vs.RandomUniform.from_config(init.get_config()) == init
        True
    """

    minval: float
    maxval: float
    _parameters: ClassVar[dict[str, Any]] = dict.fromkeys(("minval", "maxval", "seed", "dtype"), Sampled._REQUIRED)

    def __init__(
        self,
        minval: float = -0.05,
        maxval: float = 0.05,
        seed: SeedLike = None,
        dtype: DTypeLike = "float32",
    ) -> None:
        low, high = finite("minval", minval), finite("maxval", maxval)
        if low > high:
            msg = f"`minval` must not be greater than `maxval`, got {show(minval)} and {show(maxval)}"
            raise ValueError(msg)
        self._set(minval=low, maxval=high)
        self._seal(seed, dtype)

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        check_overflow(max(-self.minval, self.maxval), kind)
        # The bounds are halved first, because their difference may overflow where no value does.
        loc, scale = self.maxval / 2 + self.minval / 2, self.maxval / 2 - self.minval / 2
        low, high = kind.value(self.minval), kind.value(self.maxval)
        # The core clamps to [low, high], with both ends: the half-open interval ends one number below `maxval`.
        if low < high:
            high = np.nextafter(high, low)
        return Plan("uniform", STANDARD_BOUNDS, loc, scale, float(low), float(high))

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        return Law("uniform", Interval(self.minval, self.maxval))

    def _divided(self, by: float) -> RandomUniform:
        if self.minval != -self.maxval:
            msg = f"`init` must be uniform about 0, got {show(self)}"
            raise ValueError(msg)
        limit = finite("maxval", self.maxval / sqrt(by))
        return self._with(minval=-limit, maxval=limit)

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        half = self.maxval / 2 - self.minval / 2
        mean = self.maxval / 2 + self.minval / 2
        return Description(*compute_fans(full_shape), mean, half / sqrt(3.0), self.minval, self.maxval)


def _narrowed(init: RandomNormal | TruncatedNormal, by: float) -> Sampled:
    """A normal law about 0 with its variance divided by a number."""
    if init.mean != 0:
        msg = f"`init` must have the mean 0, got {show(init)}"
        raise ValueError(msg)
    return init._with(stddev=not_negative("stddev", init.stddev / sqrt(by)))


normal = random_normal = RandomNormal
truncated_normal = TruncatedNormal
uniform = random_uniform = RandomUniform
