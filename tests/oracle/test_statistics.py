"""The laws as distributions, 2^24 values each, in standard errors; every statistic is seen to fail on a wrong law.

Seeds are fixed, so a test that passes once passes always. The full-size run is `make test-long`.
"""

from __future__ import annotations

import numpy as np
import pytest

import varscale
from oracle import distributions as d
from oracle import reference
from oracle.core import fill

pytestmark = pytest.mark.thread_unsafe(reason="takes as much memory as there is for one")

N = 2**24
DTYPES = [dtype for dtype, kind in reference.DTYPES.items() if kind.itemsize > 1]
"""Those whose rounding changes no moment that can be seen."""
CASES = [(law, dtype) for law in reference.LAWS for dtype in DTYPES]


def check(x: np.ndarray, law: d.Distribution, dtype: str) -> None:
    """Raises where any statistic is five standard errors off."""
    zs = {"mean": d.mean_z(x), "variance": d.variance_z(x, law.variance)}
    zs |= {f"beyond {t}": z for t, z in zip(law.thresholds, d.tail_zs(x, law), strict=True)}
    if d.is_16_bit(dtype):
        zs["cells"] = d.cells_z(x, law)
    far = {name: z for name, z in zs.items() if not abs(z) < 5}
    assert not far, far
    if not d.is_16_bit(dtype):
        assert d.kolmogorov_p(x, law) > 1e-6


@pytest.mark.parametrize(("law", "dtype"), CASES)
def test_distribution(law: str, dtype: str) -> None:
    """If this fails the values do not follow their law: mean, variance, tails, and shape as a whole."""
    check(fill(law, dtype, N), d.DISTRIBUTIONS[law], dtype)


@pytest.mark.parametrize("law", reference.LAWS)
@pytest.mark.parametrize("dtype", [dtype for dtype in reference.DTYPES if dtype not in DTYPES])
def test_each_8_bit_number_is_as_frequent_as_its_cell(dtype: str, law: str) -> None:
    """If this fails float8 weights are not the law's, rounded."""
    exact = fill(law, "float32", N)
    assert abs(d.cells_z(fill(law, dtype, N), d.DISTRIBUTIONS[law])) < 5
    # Towards zero, as a cast that cuts bits off has it.
    rounded = exact.astype(reference.DTYPES[dtype])
    too_far = np.abs(rounded.astype(np.float32)) > np.abs(exact)
    cut = np.where(too_far, rounded.view(np.uint8) - 1, rounded.view(np.uint8)).astype(np.uint8).view(rounded.dtype)
    assert d.cells_z(cut, d.DISTRIBUTIONS[law]) > 5


@pytest.mark.long
@pytest.mark.parametrize("law", reference.LAWS)
def test_distribution_at_two_to_the_30(law: str) -> None:
    """If this fails the variance is off by more than 0.02 % or a tail by more than its counts can hide."""
    x = fill(law, "float32", 2**30)
    parts = x.reshape(64, -1)
    mean = np.mean([part.mean(dtype=np.float64) for part in parts])
    square = np.mean([np.mean(part.astype(np.float64) ** 2) for part in parts])
    fourth = np.mean([np.mean(part.astype(np.float64) ** 4) for part in parts[:4]])
    variance = d.DISTRIBUTIONS[law].variance
    assert abs(mean) < 5 * np.sqrt(variance / x.size)
    assert abs(square - variance) < 5 * np.sqrt((fourth - square**2) / x.size)
    assert max(map(abs, d.tail_zs(x, d.DISTRIBUTIONS[law]))) < 5


# Named wrong laws: which statistic sees them ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_variance_sees_a_missing_truncation_factor(dtype: str) -> None:
    """If this fails a lecun_normal without the 0.8796 correction would pass."""
    wrong = fill("truncated_normal", dtype, N, scale=0.87962566103423978)
    assert abs(d.variance_z(wrong, d.DISTRIBUTIONS["truncated_normal"].variance)) > 50


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("law", reference.LAWS)
def test_the_variance_sees_a_scale_off_by_two_thousandths(law: str, dtype: str) -> None:
    """If this fails a scale that is wrong by 0.2 % would pass."""
    assert abs(d.variance_z(fill(law, dtype, N, scale=1.002), d.DISTRIBUTIONS[law].variance)) > 5


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_mean_sees_a_shift(dtype: str) -> None:
    """If this fails a law that is off centre by half a hundredth would pass."""
    assert abs(d.mean_z(fill("normal", dtype, N, loc=0.005))) > 5


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_tails_see_a_bound_of_1_9(dtype: str) -> None:
    """If this fails a truncation at 1.9 instead of 2 would pass, even one scaled to the right variance."""
    law = d.DISTRIBUTIONS["truncated_normal"]
    wrong = fill("truncated_normal", dtype, N, bounds=(-1.9, 1.9))
    wrong = fill(
        "truncated_normal", dtype, N, bounds=(-1.9, 1.9), scale=np.sqrt(law.variance) / wrong.std(dtype=np.float64)
    )
    assert max(map(abs, d.tail_zs(wrong, law))) > 5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kolmogorov_sees_a_bound_of_1_9(dtype: str) -> None:
    """If this fails the test of the whole shape cannot fail."""
    wrong = fill("truncated_normal", dtype, N, bounds=(-1.9, 1.9))
    assert d.kolmogorov_p(wrong, d.DISTRIBUTIONS["truncated_normal"]) < 1e-6


@pytest.mark.parametrize("law", reference.LAWS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_cells_see_a_rounding_towards_zero(law: str, dtype: str) -> None:
    """If this fails 16-bit values that are cut off instead of rounded would pass."""
    exact = fill(law, "float32", N)
    rounded = exact.astype(reference.DTYPES[dtype])
    too_far = np.abs(rounded.astype(np.float32)) > np.abs(exact)
    cut = np.where(too_far, np.nextafter(rounded, rounded.dtype.type(0)), rounded)
    assert d.cells_z(cut, d.DISTRIBUTIONS[law]) > 5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("law", "bounds", "densest"),
    [
        ("uniform", (-2.0, 2.0), 0.5 * 2.0**-24),
        ("normal", (-2.0, 2.0), 0.49 * 2.0**-24),
        ("truncated_normal", (-2.0, 2.0), 0.51 * 2.0**-24),
        ("truncated_normal", (-5.0, 5.0), 0.49 * 2.0**-24),
        ("truncated_normal", (-1.0, 3.0), 0.58 * 2.0**-24),
        ("truncated_normal", (8.0, 9.0), 8.2 * 2.0**-20),
        ("truncated_normal", (-9.0, -8.0), 8.2 * 2.0**-20),
        ("truncated_normal", (-np.inf, 0.0), 0.97 * 2.0**-24),
    ],
)
def test_no_value_is_an_atom(law: str, bounds: tuple[float, float], dtype: str, densest: float) -> None:
    """If this fails some value, a bound above all, is drawn far more often than its neighbours.

    `densest` is the largest probability of one float32: density times spacing, where it is largest.
    """
    x = np.sort(fill(law, dtype, 2**22, bounds=bounds))
    assert np.isfinite(x).all()
    starts = np.flatnonzero(np.append(True, np.diff(x) > 0))
    most = np.diff(np.append(starts, x.size)).max()
    likely = 1 if dtype == "float64" else x.size * (densest + 2.0**-24)
    assert most <= likely + 8 * np.sqrt(likely) + 4
    wrong = np.sort(x.clip(*np.quantile(x, [0.0001, 0.9999])))
    starts = np.flatnonzero(np.append(True, np.diff(wrong) > 0))
    assert np.diff(np.append(starts, x.size)).max() > likely + 8 * np.sqrt(likely) + 4


# Resolution and independence --------------------------------------------------------------------------------------


def test_float32_has_all_its_values() -> None:
    """If this fails the law has fewer distinct values than its 24-bit grid, as laws of 23 bits have."""
    grid = 2**24
    expected = grid * (1 - np.exp(-N / grid))
    error = np.sqrt(grid * (np.exp(-N / grid) - 2 * np.exp(-2 * N / grid)))
    place = ((fill("uniform", "float32", N).astype(np.float64) + 1) * 2**23).astype(np.intp)
    assert abs(np.count_nonzero(np.bincount(place, minlength=grid)) - expected) < 5 * error
    assert abs(np.count_nonzero(np.bincount(place | 1, minlength=grid)) - expected) > 5 * error


@pytest.mark.parametrize(("dtype", "least"), [("bfloat16", 3000), ("float16", 20_000)])
@pytest.mark.parametrize("law", reference.LAWS)
def test_16_bit_types_use_their_small_values(law: str, dtype: str, least: int) -> None:
    """If this fails 16-bit weights lie on a coarse grid: 128 bfloat16 values is what others draw."""
    assert len(np.unique(fill(law, dtype, 2**22).view(np.uint16))) > least


@pytest.mark.parametrize("law", reference.LAWS)
def test_neighbours_rows_and_columns_are_independent(law: str) -> None:
    """If this fails values near each other in the tensor, or their squares, move together."""
    x = fill(law, "float32", (4096, 4096))
    for lag in (1, 2, 3, 4, 8, 64):
        assert abs(d.correlation_z(x[:, lag:], x[:, :-lag])) < 5, f"columns {lag} apart"
        assert abs(d.correlation_z(x[lag:], x[:-lag])) < 5, f"rows {lag} apart"
        assert abs(d.correlation_z(x[:, lag:] ** 2, x[:, :-lag] ** 2)) < 5, f"squares of columns {lag} apart"
    sums = x.astype(np.float64).sum(axis=0)
    z = (sums.var() / (x.var(dtype=np.float64) * 4096) - 1) / np.sqrt(2 / 4096)
    assert abs(z) < 5, "the columns' sums vary more or less than sums of independent values"
    wrong = x + 0.01 * np.roll(x, 1, axis=1)
    assert abs(d.correlation_z(wrong[:, 1:], wrong[:, :-1])) > 5


def test_neighbouring_seeds_and_names_are_independent() -> None:
    """If this fails two layers of one model, or two seeds of one study, share part of their values."""
    base = varscale.RandomNormal(seed=7)
    others = [varscale.RandomNormal(seed=seed) for seed in (6, 8, -7, 7 + 2**32, 7 + 2**64)]
    others += [base.fold_in(*path) for path in (("a",), ("b",), ("a", "b"), (0,), (1,), ("0",), ("",))]
    samples = [init((2048, 2048)) for init in (base, *others)]
    for i, x in enumerate(samples):
        for y in samples[:i]:
            assert abs(d.correlation_z(x, y)) < 5
    assert abs(d.correlation_z(samples[0], base((2048, 2048)))) > 1000


@pytest.mark.parametrize("dtype", DTYPES)
def test_variance_scaling_has_the_stddev_it_promises(dtype: str) -> None:
    """If this fails the standard deviation after truncation is not sqrt(scale / fan_in)."""
    for distribution in ("truncated_normal", "untruncated_normal", "uniform"):
        init = varscale.VarianceScaling(2.0, "fan_in", distribution, seed=11, dtype=dtype)
        assert abs(d.variance_z(init((1000, 4000)), 2.0 / 1000)) < 5
        wrong = init((1000, 4000)).astype(np.float64) * 0.87962566103423978
        assert abs(d.variance_z(wrong, 2.0 / 1000)) > 50
