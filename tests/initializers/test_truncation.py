"""Variance scalings that are truncated at any bounds: the standard deviation is the one after truncation."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import mpmath
import numpy as np
import pytest

import varscale as vs
from varscale import replay

BOUNDS = [(-2.0, 3.0), (-1.0, 1.0), (0.0, inf), (-inf, inf), (-inf, -1.5), (1.0, 1.5), (5.0, 9.0), (-0.0005, 0.0005)]


def exact(lower: float, upper: float) -> tuple[float, float]:
    """The mean and the standard deviation of the standard normal law between bounds."""
    with mpmath.workdps(60):
        ends = [mpmath.mpf(bound) for bound in (lower, upper)]
        low, high = (mpmath.npdf(end) for end in ends)
        # Above 0 from the upper tail, where the difference of masses keeps its digits.
        mass = mpmath.ncdf(-ends[0]) - mpmath.ncdf(-ends[1])
        mean = (low - high) / mass
        moved = [end * density if mpmath.isfinite(end) else 0 for end, density in zip(ends, (low, high), strict=True)]
        return float(mean), float(mpmath.sqrt(1 + (moved[0] - moved[1]) / mass - mean**2))


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_what_is_left_has_the_variance_that_was_asked_for(bounds: tuple[float, float]) -> None:
    """If this fails weights of other bounds are too small: the correction is that of -2 and 2, or none."""
    lower, upper = bounds
    init = vs.VarianceScaling(2.0, seed=7, lower=lower, upper=upper)
    mean, stddev = exact(lower, upper)
    wide = sqrt(2.0 / 500) / stddev
    described = init.describe((500, 800))
    assert described[:2] == (500, 800)
    assert described.stddev == sqrt(2.0 / 500)
    assert described.mean == pytest.approx(wide * mean, rel=1e-12, abs=1e-15)
    assert described[4:] == (pytest.approx(wide * lower, rel=1e-12), pytest.approx(wide * upper, rel=1e-12))
    values = init((500, 800)).astype(np.float64)
    count = values.size
    assert np.float32(described.low) <= values.min()
    assert values.max() <= np.float32(described.high)
    assert abs(values.mean() - described.mean) < 5 * described.stddev / sqrt(count)
    spread = ((values - values.mean()) ** 2).std() / sqrt(count)
    assert abs(values.var() - described.stddev**2) < 5 * spread


def test_values_are_those_of_the_truncated_law() -> None:
    """If this fails the same law has other bits by another name, or the default bounds have another constant."""
    init = vs.VarianceScaling(seed=3, lower=-1.0, upper=3.0)
    wide = init.describe((64, 8)).high / 3.0
    plain = vs.TruncatedNormal(0.0, wide, 3, lower=-1.0, upper=3.0)
    assert (init((64, 8)) == plain((64, 8))).all()
    assert vs.VarianceScaling(seed=3, lower=-2, upper=2.0) == vs.VarianceScaling(seed=3)
    assert vs.lecun_normal().describe((100, 8)).high == 2.0 * 0.1 / 0.87962566103423978


def test_bounds_travel() -> None:
    """If this fails a config, a copy or a part forgets the bounds, or says them where they are usual."""
    init = vs.VarianceScaling(3.0, "fan_out", seed=5, lower=-inf, upper=1.0).fold_in("w")
    config = init.get_config()
    assert (config["lower"], config["upper"]) == (-inf, 1.0)
    assert vs.deserialize(vs.serialize(init)) == init != init.from_config(config | {"upper": 2.0})
    assert not {"lower", "upper"} & vs.VarianceScaling().get_config().keys()
    assert (init((30, 40), index=(slice(3, 9), 7)) == init((30, 40))[3:9, 7]).all()
    assert (init.lazy((30, 40))[4] == init((30, 40))[4]).all()
    rules = [("*", vs.VarianceScaling(lower=-inf, upper=1.0))]
    turned = vs.Model({"h.weight": (30, 40)}, rules, layout="torch")["h.weight"].initializer
    assert (turned.in_axis, turned.upper) == (1, 1.0)


@pytest.mark.parametrize(
    ("named", "error", "message"),
    [
        ({"lower": 1, "upper": 1}, ValueError, "`lower` must be less than `upper`, got 1 and 1"),
        ({"lower": "0"}, TypeError, "`lower` must be a real number"),
        ({"lower": 40, "upper": 50}, ValueError, "the mass between `lower` and `upper` must not underflow"),
        ({"lower": 1, "upper": 1.0005}, ValueError, r"must be at least 0.001 apart, got \(1.0, 1.0005\)"),
        ({"distribution": "uniform", "upper": 3}, ValueError, r"but for 'truncated_normal', got \(-2.0, 3.0\)"),
        ({"distribution": "untruncated_normal", "lower": -3}, ValueError, r"must be -2 and 2 but for 'truncated_no"),
    ],
)
def test_what_are_no_bounds(named: Any, error: type[Exception], message: str) -> None:
    """If this fails bounds are silently dropped, or divide by a standard deviation of which no digit is right."""
    with pytest.raises(error, match=message):
        vs.VarianceScaling(**named)


@pytest.mark.parametrize("seed", [replay.jax(3), replay.tf1(3), replay.tf_keras(3), replay.keras(3, "jax")], ids=str)
def test_no_framework_has_these(seed: Any) -> None:
    """If this fails a replay draws other values than its framework could, in silence."""
    with pytest.raises(ValueError, match="`lower` and `upper` must be -2 and 2 in variance scalings to replay"):
        vs.VarianceScaling(seed=seed, lower=-1.0, upper=1.0)((4, 6))
    assert vs.VarianceScaling(seed=seed)((4, 6)).shape == (4, 6)
