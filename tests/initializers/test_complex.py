"""Complex weights: their words, their laws, their parts, and what refuses them."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import varscale as vs
from oracle import complex_law, reference
from varscale._initializers import complex as module
from varscale._initializers.elementary import minus_log_1m
from varscale._sources.plan import COMPLEX_TRUNCATED_STDDEV, STANDARD_BOUNDS, Plan

DTYPES = {"complex64": np.float32, "complex128": np.float64}
INITIALIZERS: dict[str, Callable[[str], Any]] = {
    "normal": lambda dtype: vs.RandomNormal(0.5, 2.0, 7, dtype),
    "truncated_normal": lambda dtype: vs.TruncatedNormal(-0.25, 3.0, 7, dtype),
    "lecun_normal": lambda dtype: vs.lecun_normal(7, dtype=dtype),
    "he_uniform": lambda dtype: vs.he_uniform(7, dtype=dtype),
    "untruncated": lambda dtype: vs.VarianceScaling(2.0, "fan_avg", "untruncated_normal", 7, dtype),
    "orthogonal": lambda dtype: vs.Orthogonal(2.0, 7, dtype),
    "delta_orthogonal": lambda dtype: vs.DeltaOrthogonal(2.0, 7, dtype),
}
IDENTITY = reference.identity(None, 7)
LARGE = 1 << 19


def z_of_variance(values: NDArray[Any], variance: float) -> float:
    """How far E |w|^2 is from a law's, in standard errors."""
    squares = np.abs(values.astype(np.complex128)) ** 2
    return float((squares.mean() - variance) / (squares.std() / sqrt(squares.size)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_normal_values_are_pairs_of_the_real_law(dtype: str) -> None:
    """If this fails complex values are of other words than the specification says, or have another variance."""
    found = INITIALIZERS["normal"](dtype)((1000, 3))
    wanted = complex_law.normal(IDENTITY, np.arange(3000, dtype=np.uint64), DTYPES[dtype], 0.5, 2.0)
    assert found.dtype == dtype
    assert np.array_equal(found.ravel(), wanted)


@pytest.mark.parametrize(("name", "loc"), [("truncated_normal", -0.25), ("lecun_normal", 0.0), ("he_uniform", 0.0)])
def test_other_laws_have_the_directions_of_the_normal_law(name: str, loc: float) -> None:
    """If this fails a modulus is not the law's for its word, or a digit is lost on the way."""
    init, shape = INITIALIZERS[name], (40, 50)
    plan = init("complex128")._plan(shape, init("complex128")._kind)
    pairs = complex_law.pairs(IDENTITY, np.arange(2000, dtype=np.uint64), np.float64)
    wanted = complex_law.exact(plan.law, pairs, loc, plan.scale)
    found = init("complex128")(shape)
    with mpmath.workdps(40):
        errors = [abs(mpmath.mpc(a) - b) / abs(b - loc) for a, b in zip(found.ravel().tolist(), wanted, strict=True)]
    assert max(map(float, errors)) < 2.0**-48
    assert np.array_equal(init("complex64")(shape), found.astype(np.complex64)), "and rounded once"


@pytest.mark.parametrize("law", ["uniform", "truncated_normal"])
def test_the_ends_of_the_moduli(law: str) -> None:
    """If this fails the largest or the smallest of all words gives a value out of bounds, or NaN."""
    radii = np.append(np.linspace(2.3e-10, 1e-8, 300), [1e-5, 0.01, 0.5, 1.0, 3.0, 6.0, 9.49])
    pairs = np.concatenate([radii[:, None] * [1.0, 1e-19], radii[:, None] * [0.6, -0.8]])
    found = pairs.copy()
    module._place(found, Plan(law, STANDARD_BOUNDS, 0.0, 1.0, -2.0, 2.0))
    wanted = [complex(z) for z in complex_law.exact(law, pairs, 0.0, 1.0)]
    bound = 1.0 if law == "uniform" else 2.0
    assert bound - 1e-14 < np.abs(found).max() <= bound
    assert np.hypot(*found.T) == pytest.approx(np.abs(wanted), rel=1e-14)


def test_constants_and_the_logarithm() -> None:
    """If this fails the mass, the standard deviation, or ln(1 - x) near 0, has a wrong digit."""
    with mpmath.workdps(40):
        rest = mpmath.exp(-4)
        assert float(1 - rest) == module._MASS
        assert float(mpmath.sqrt((1 - 5 * rest) / (1 - rest))) == COMPLEX_TRUNCATED_STDDEV
        # E |z|^2 of the truncated law is its own definition, by quadrature over the modulus.
        mean = mpmath.quad(lambda q: q * mpmath.exp(-q), [0, 4]) / (1 - rest)
        assert float(mpmath.sqrt(mean)) == COMPLEX_TRUNCATED_STDDEV
        points = np.concatenate([np.logspace(-20, -0.01, 800), [0.25, np.nextafter(0.25, 0)]])
        exact = [-mpmath.log1p(-mpmath.mpf(x)) for x in points.tolist()]
        errors = [abs(mpmath.mpf(a) / b - 1) for a, b in zip(minus_log_1m(points).tolist(), exact, strict=True)]
    assert max(map(float, errors)) < 2.0**-49


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_variance_is_what_describe_says(name: str) -> None:
    """If this fails weights have another scale: dividing by 0.95311, as JAX does, makes them 1.0093 times too large."""
    init = INITIALIZERS[name]("complex64")
    shape = (1, 16, 512) if name == "delta_orthogonal" else (1024, LARGE // 1024)
    told = init.describe(shape)
    deviations = init(shape) - told.mean
    # Rows of unitary matrices have a norm, and not a random one.
    assert abs(z_of_variance(deviations, told.stddev**2)) < 4
    if name != "delta_orthogonal":
        assert abs(z_of_variance(deviations * (1.0093 if "orthogonal" not in name else 1.1), told.stddev**2)) > 6
        parts = deviations.view(np.float32)
        assert abs(parts.mean()) < 5 * told.stddev / sqrt(2 * parts.size)
    assert told.low <= init(shape).real.min() < init(shape).real.max() <= told.high


@pytest.mark.parametrize(
    ("name", "law", "bound"),
    [
        ("untruncated", lambda q: 1 - np.exp(-q), inf),
        ("lecun_normal", lambda q: (1 - np.exp(-q * COMPLEX_TRUNCATED_STDDEV**2)) / module._MASS, 4.0),
        ("he_uniform", lambda q: q / 2, 2.0),
    ],
)
def test_the_laws(name: str, law: Callable[[Any], Any], bound: float) -> None:
    """If this fails moduli are not of the law, or the angle is not uniform, or both depend on each other."""
    init, shape = INITIALIZERS[name]("complex128"), (1024, LARGE // 1024)
    values = init(shape).ravel() / init.describe(shape).stddev
    squares, angles = np.abs(values) ** 2, np.angle(values) / (2 * np.pi) + 0.5
    assert stats.kstest(squares, lambda q: np.clip(law(q), 0, 1)).pvalue > 1e-4
    assert stats.kstest(squares * 1.0093**2, lambda q: np.clip(law(q), 0, 1)).pvalue < 1e-6
    assert stats.kstest(angles, "uniform").pvalue > 1e-4
    assert abs(stats.pearsonr(squares, np.cos(2 * np.pi * angles)).statistic) * sqrt(LARGE) < 4
    scale = COMPLEX_TRUNCATED_STDDEV**2 if name == "lecun_normal" else 1.0
    assert squares.max() * scale <= bound * (1 + 1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", INITIALIZERS)
def test_parts_views_and_files(name: str, dtype: str, tmp_path: Path) -> None:
    """If this fails a part has other values than the tensor, or a view or a mapped file is filled wrongly."""
    init, shape = INITIALIZERS[name](dtype), (3, 20, 30)
    whole = init(shape)
    assert np.array_equal(init(shape), whole)
    for index in [(1, slice(None, None, -3)), (..., [5, 2, 2]), (slice(1, 3), 4, 7), (slice(0), 1), ...]:
        wanted = whole[np.ix_([0, 1, 2], range(20), [5, 2, 2])] if index == (..., [5, 2, 2]) else whole[index]
        assert np.array_equal(init(shape, index=index), wanted), index
        assert np.array_equal(init.lazy(shape)[index], wanted), index
    memory = np.memmap(tmp_path / "w", dtype, "w+", shape=(30, 3, 2, 20))
    view = memory[:, :, 1].transpose(1, 2, 0)
    assert init(shape, out=view) is view
    assert np.array_equal(view, whole)
    assert not memory[:, :, 0].any()
    info = vs.PartitionInfo((3, 20, 30), (1, 5, 0))
    assert np.array_equal(init((2, 3, 30), None, info), whole[1:, 5:8])


def test_scalars_empty_and_immense_tensors() -> None:
    """If this fails the first or the last element has other words, or a tensor with too many parts is begun."""
    init = vs.RandomNormal(seed=7)
    assert init((), "complex64") == init((1,), "complex64")[0]
    assert init((0, 5), "complex64").shape == (0, 5)
    last = init.lazy((2**63,), "complex64")[-3:]
    wanted = complex_law.normal(IDENTITY, np.arange(2**63 - 3, 2**63, dtype=np.uint64), np.float32, 0.0, 0.05)
    assert np.array_equal(last, wanted)
    with pytest.raises(ValueError, match=r"at most 2\^64 elements"):
        init.lazy((2**63 + 1,), "complex64")
    with pytest.raises(ValueError, match="dimensions"):
        init((1,) * 64, "complex64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(40, 40), (2, 25, 11), (11, 50)])
def test_orthogonal_matrices_are_unitary(shape: tuple[int, ...], dtype: str) -> None:
    """If this fails a matrix is not the Q of its values whose R has a positive diagonal, and so is not Haar's."""
    matrix = vs.Orthogonal(2.0, 7, dtype)(shape).reshape(-1, shape[-1]) / 2
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    assert np.abs(tall.conj().T @ tall - np.eye(tall.shape[1])).max() < 5 * np.finfo(dtype).eps
    # NumPy's R has a diagonal of any phases.
    q, r = np.linalg.qr(vs.RandomNormal(0.0, 1.0, 7, dtype)(tall.shape).astype(np.complex128))
    phases = np.diagonal(r) / np.abs(np.diagonal(r))
    assert np.abs(q * phases - tall).max() < 1000 * np.finfo(dtype).eps
    assert np.array_equal(vs.DeltaOrthogonal(2.0, 7, dtype)((3, 40, 40))[1], vs.Orthogonal(2.0, 7, dtype)((40, 40)))


def test_blocks_are_unitary_by_themselves() -> None:
    """If this fails the gates of a complex LSTM are not."""
    for block in np.split(vs.Orthogonal(1.0, 7, "complex128", blocks=4)((6, 24)), 4, axis=1):
        assert np.abs(block.conj().T @ block - np.eye(6)).max() < 1e-14


def test_configs_folding_models_and_pieces() -> None:
    """If this fails a complex initializer does not come back from its config, or a model has none."""
    init = vs.lecun_normal(7, dtype=np.complex64).fold_in("a")
    assert init.get_config()["dtype"] == "complex64"
    assert vs.get(vs.serialize(init)) == init
    assert not np.array_equal(init((4, 4)), vs.lecun_normal(7, dtype="complex64")((4, 4)))
    model = vs.Model({"kernel": ((4, 4), "complex64", vs.lecun_normal())})
    assert np.array_equal(model.init(7)["kernel"], vs.lecun_normal(7).fold_in("kernel")((4, 4), "complex64"))
    pieces = vs.Pieces([(..., vs.RandomNormal()), (0, vs.Zeros())], 7, "complex64")((4, 4))
    assert np.array_equal(pieces[1:], vs.RandomNormal(seed=7)((4, 4), "complex64")[1:])
    assert not pieces[0].any()
    vs.set_random_seed(3)
    try:
        init, first = vs.he_uniform(dtype="complex64"), vs.he_uniform(dtype="complex64")((8, 8))
        assert not np.array_equal(first, init((8, 8)))
        vs.set_random_seed(3)
        assert np.array_equal(first, init((8, 8)))
    finally:
        vs.set_random_seed(None)


@pytest.mark.parametrize(
    "init",
    [
        vs.RandomUniform(seed=1),
        vs.LogUniform(seed=1),
        vs.Sparse(0.5, seed=1),
        vs.Identity(),
        vs.Bilinear(),
    ],
    ids=repr,
)
def test_laws_without_a_complex_form_are_refused(init: Any) -> None:
    """If this fails somebody gets weights whose law nobody has defined."""
    with pytest.raises(ValueError, match="`dtype` must be a floating-point dtype: "):
        init((4, 4), "complex64")
    with pytest.raises(ValueError, match="`dtype` must be a floating-point dtype: "):
        type(init).from_config(init.get_config() | {"dtype": "complex128"})


@pytest.mark.parametrize("replay", [vs.replay.torch(0), vs.replay.jax(0), vs.replay.tf1(None, 1), vs.replay.keras(1)])
def test_replays_and_other_bounds_are_refused(replay: Any) -> None:
    """If this fails a complex tensor gets a framework's real numbers, or a bound that is not kept."""
    for dtype in ("complex64", "float8_e4m3fn"):
        with pytest.raises(ValueError, match="`dtype` must be float16, bfloat16, float32 or float64 to replay"):
            vs.RandomNormal(seed=replay)((4, 4), dtype)
    for bounds in ((-1.0, 2.0), (-2.0, inf)):
        for kind in (vs.TruncatedNormal, vs.VarianceScaling):
            init = kind(seed=1, lower=bounds[0], upper=bounds[1], dtype="complex64")
            with pytest.raises(ValueError, match="`lower` and `upper` must be -2 and 2 for the `dtype` 'complex64'"):
                init((4, 4))
    with pytest.raises(ValueError, match="overflow `dtype` 'complex64'"):
        vs.RandomNormal(0.0, 1e38)((4,), "complex64")


def test_unit_scaling_of_complex_weights() -> None:
    """If this fails a complex weight has another variance than a real one."""
    weights = vs.UniformUnitScaling(1.43, 3)((300, 400), "complex64")
    assert np.mean(np.abs(weights) ** 2) == pytest.approx(1.43**2 / 300, rel=5e-3)
    assert np.abs(weights).max() <= 1.43 * (2 / 300) ** 0.5
