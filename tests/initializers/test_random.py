"""RandomNormal, TruncatedNormal and RandomUniform: bounds, half-open intervals, constants, descriptions."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import stats

import varscale as vs
from oracle.core import fill_words
from oracle.reference import DTYPES


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("low", "high"), [(-0.05, 0.05), (0.0, 1.0), (1.0, 1.0 + 2**-20), (-3e38, 3e38), (1e-45, 1e-44), (5.0, 5.1)]
)
def test_uniform_is_half_open(low: float, high: float, dtype: str) -> None:
    """If this fails RandomUniform can return maxval, or a value below minval."""
    real = DTYPES[dtype].type
    x = vs.RandomUniform(low, high, 3, dtype)((500_000,))
    assert x.min() >= real(low)
    assert x.max() < real(high)


def test_uniform_takes_the_next_value_below_where_it_would_round_to_maxval() -> None:
    """If this fails the half-open end is only a matter of luck: the largest word must land just below maxval."""
    plan = vs.RandomUniform(1.0, 2.0)._plan((), vs.RandomUniform()._kind)  # type: ignore[attr-defined]
    words = np.array([2**31 - 1] * 4, np.uint32)
    place = {"loc": plan.loc, "scale": plan.scale}
    assert fill_words("uniform", "float32", words, **place)[0] == np.float32(2.0), "this word does round to maxval"
    kept = fill_words("uniform", "float32", words, **place, low=plan.low, high=plan.high)
    assert kept[0] == np.nextafter(np.float32(2), np.float32(0))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_16_bit_uniform_is_the_rounded_float32_and_may_equal_maxval(dtype: str) -> None:
    """If this fails 16-bit values are clamped after rounding, which would make them another law."""
    x32 = vs.RandomUniform(0, 1, 5)((300_000,))
    x16 = vs.RandomUniform(0, 1, 5, dtype)((300_000,))
    assert x16.tobytes() == x32.astype(x16.dtype).tobytes()
    assert x16.max() == 1


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2", "float16", "bfloat16"])
@pytest.mark.parametrize(
    "init", [vs.lecun_normal(2), vs.RandomNormal(1, 2, 2), vs.he_uniform(2), vs.TruncatedNormal(0, 1, 2, lower=0.5)]
)
def test_small_values_are_the_float32_values_rounded_once(init: vs.VarianceScaling, dtype: str) -> None:
    """If this fails a bfloat16 or float8 model does not start from the rounded float32 model."""
    x16 = init((300, 301), dtype)
    assert x16.dtype == DTYPES[dtype]
    assert x16.tobytes() == init((300, 301)).astype(x16.dtype).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "init",
    [
        vs.lecun_normal(1),
        vs.glorot_uniform(1),
        vs.TruncatedNormal(0.3, 0.7, 1),
        vs.TruncatedNormal(-400, 0.1, 1, lower=-1, upper=3),
        vs.TruncatedNormal(0, 1, 1, lower=8, upper=9),
        vs.TruncatedNormal(0, 1, 1, lower=-np.inf, upper=0),
    ],
)
def test_values_lie_within_the_described_bounds(init: vs.VarianceScaling, dtype: str) -> None:
    """If this fails a value leaves the interval that `describe` promises, rounded to the dtype."""
    x, described = init((700, 700), dtype), init.describe((700, 700))
    real = np.float64 if dtype == "float64" else np.float32
    for end, bound in ((-x.min(), -described.low), (x.max(), described.high)):
        assert np.isinf(bound) or end <= np.asarray(real(bound)).astype(x.dtype)  # e4m3fn has no infinity
    assert np.isfinite(x.astype(np.float64)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_width_gives_a_constant(dtype: str) -> None:
    """If this fails stddev 0 or equal bounds give NaN, -0 or something near."""
    value = np.asarray(0.3, np.float64 if dtype == "float64" else np.float32).astype(DTYPES[dtype])
    for init in (
        vs.RandomNormal(0.3, 0.0, 1, dtype),
        vs.TruncatedNormal(0.3, 0.0, 1, dtype),
        vs.TruncatedNormal(0.3, 0.0, 1, dtype, lower=-np.inf, upper=1),
        vs.RandomUniform(0.3, 0.3, 1, dtype),
    ):
        assert (init((1000,)) == value).all()
        assert init.describe((3,)).stddev == 0
    assert not np.signbit(vs.RandomNormal(0.0, 0.0, 1)((100,))).any()


@pytest.mark.parametrize(
    "bounds", [(-2, 2), (-1, 3), (8, 9), (-9, -8), (-np.inf, 0), (-5, 5), (0.3, 0.3001), (-36, np.inf), (30, np.inf)]
)
def test_moments_of_truncated_normals_are_exact(bounds: tuple[float, float]) -> None:
    """If this fails `describe` gives the parent's mean or stddev, or a cancelled difference."""
    with mpmath.workdps(60):
        a, b = map(mpmath.mpf, bounds)
        mass = mpmath.ncdf(b) - mpmath.ncdf(a) if a < 0 else mpmath.ncdf(-a) - mpmath.ncdf(-b)
        pa, pb = mpmath.npdf(a), mpmath.npdf(b)
        mean = (pa - pb) / mass
        ends = (a * pa if mpmath.isfinite(a) else 0) - (b * pb if mpmath.isfinite(b) else 0)
        stddev = mpmath.sqrt(1 + ends / mass - mean**2)
    found = vs.TruncatedNormal(10.0, 2.0, lower=bounds[0], upper=bounds[1]).describe((4, 5))
    assert abs(found.mean - (10 + 2 * mean)) < 1e-12 * (1 + abs(mean))
    assert abs(found.stddev / (2 * stddev) - 1) < 1e-11
    assert (found.low, found.high) == (10 + 2 * bounds[0], 10 + 2 * bounds[1])
    assert (found.fan_in, found.fan_out) == (4, 5)


@pytest.mark.parametrize("bounds", [(-1.0, 3.0), (8.0, 9.0), (-np.inf, 0.0), (0.0, 0.001)])
def test_other_bounds_follow_their_law(bounds: tuple[float, float]) -> None:
    """If this fails a truncation is inside its bounds but distributed otherwise."""
    x = vs.TruncatedNormal(0.0, 1.0, 9, "float64", lower=bounds[0], upper=bounds[1])((200_000,))
    assert stats.kstest(x, stats.truncnorm(*bounds).cdf).pvalue > 1e-4


def test_describe_of_the_simple_laws() -> None:
    """If this fails `describe` differs from the textbook."""
    assert vs.RandomNormal(1, 2).describe((3, 4)) == vs.Description(3, 4, 1.0, 2.0, -np.inf, np.inf)
    uniform = vs.RandomUniform(-1, 3).describe((2, 3, 5))
    assert uniform == vs.Description(6, 10, 1.0, 2 / np.sqrt(3.0), -1.0, 3.0)
    default = vs.TruncatedNormal(0.0, 1.0).describe(())
    assert default == vs.Description(1, 1, 0.0, 0.87962566103423978, -2.0, 2.0)
