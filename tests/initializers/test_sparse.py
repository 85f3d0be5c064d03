"""Sparse: the number of zeros, which rows have them, and the values beside them."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import varscale as vs
from oracle import reference
from oracle.parts import cases, sliced
from varscale._initializers import sparse

ANSWERS = Path(__file__).parents[1] / "known_answers" / "initializers.txt"
DTYPES = ("float16", "bfloat16", "float32", "float64")
COUNTS = [line.split()[1:] for line in ANSWERS.read_text(encoding="utf-8").splitlines() if line.startswith("sparse_")]


@pytest.mark.parametrize(("sparsity", "rows", "zeros"), COUNTS)
def test_each_column_has_torchs_number_of_zeros(sparsity: str, rows: str, zeros: str) -> None:
    """If this fails a column has more or fewer zeros than torch's `sparse_` puts into each."""
    found = vs.Sparse(float(sparsity), 1.0, 3)((int(rows.rstrip(":")), 60))
    assert {*np.count_nonzero(found == 0, axis=0).tolist()} == {int(zeros)}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (64, 65), (5000, 7), (3, 900), (0, 4), (4, 0)])
def test_values_are_the_oracles(dtype: str, shape: tuple[int, int]) -> None:
    """If this fails the zeros or the values beside them are not those that are promised."""
    name = reference.identity(None, 7, ("a", 1))
    for sparsity in (0.0, 0.3, 0.9, 1.0):
        expected = reference.sparse(name, dtype, *shape, ceil(sparsity * shape[0]), 0.02)
        found = vs.Sparse(sparsity, 0.02, 7, dtype).fold_in("a", 1)(shape)
        assert found.dtype == expected.dtype
        assert found.tobytes() == expected.tobytes()


def test_values_are_those_of_random_normal() -> None:
    """If this fails a sparse matrix and a dense one of the same seed have nothing in common."""
    found, dense = vs.Sparse(0.5, 0.02, 7)((60, 50)), vs.RandomNormal(0.0, 0.02, 7)((60, 50))
    assert np.array_equal(found[found != 0], dense[found != 0])


@settings(max_examples=150, deadline=None)
@given(cases(rank=2), st.sampled_from(DTYPES), st.sampled_from([0.0, 0.3, 0.8, 1.0]))
def test_parts(case: tuple[tuple[int, ...], tuple[Any, ...]], dtype: str, sparsity: float) -> None:
    """If this fails a part of a sparse matrix is not the slice of it."""
    shape, index = case
    init = vs.Sparse(sparsity, seed=3, dtype=dtype)
    expected = sliced(init(shape), index)
    for found in (init(shape, index=index), init.lazy(shape)[index]):
        assert found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()


def test_blocks_of_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails the columns behind the first block have other zeros, or a part of them has."""
    init = vs.Sparse(0.4, seed=3)
    whole = init((50, 40))
    monkeypatch.setattr(sparse, "_MOST", 350)
    assert init((50, 40)).tobytes() == whole.tobytes()
    for index in (np.s_[:, ::-1], np.s_[::3, 5:], np.s_[:, [3, 1, 39, 1, 7, 7, 8, 20, 30]], np.s_[[0, 4], ::-3]):
        assert np.array_equal(init((50, 40), index=index), whole[index])
    monkeypatch.setattr(sparse, "_MOST", 1)
    assert init((50, 40)).tobytes() == whole.tobytes()


def test_equal_keys() -> None:
    """If this fails rows with equal keys, of which matrices have some, make one zero too many, or another one."""
    keys = np.array([[3, 1, 1, 1, 0], [1, 1, 1, 1, 1], [5, 4, 3, 2, 1], [2, 0, 2, 0, 2]], np.float32)
    for number in range(1, 6):
        for line, least in zip(keys, sparse._least(keys, number), strict=True):
            assert np.flatnonzero(least).tolist() == sorted(np.argsort(line, kind="stable")[:number].tolist())


def zeros_of(shape: tuple[int, int], init: Callable[[tuple[int, int]], NDArray[Any]]) -> list[float]:
    """How far zeros are from even ones, in standard errors: by row, by pairs of rows, and by pairs of columns."""
    zero = init(shape) == 0
    rows, columns = shape
    share = zero[:, 0].mean()
    counts = zero.sum(axis=1)
    by_row = (counts - columns * share) / sqrt(columns * share * (1 - share))
    # Two rows are both zero with the share k (k - 1) / n (n - 1), as those of a column are drawn without return.
    both = share * (rows * share - 1) / (rows - 1)
    pairs = (zero[:-1] & zero[1:]).sum(axis=1)
    by_pair = (pairs - columns * both) / sqrt(columns * both * (1 - both))
    # Neighbouring columns share as many rows as chance has it.
    shared = (zero[:, :-1] & zero[:, 1:]).sum() / (columns - 1)
    variance = rows * share * share * (1 - share) ** 2 * rows / (rows - 1)
    by_column = (shared - rows * share * share) / sqrt(variance / (columns - 1))
    return [float(np.abs(by_row).max()), float(np.abs(by_pair).max()), abs(float(by_column))]


def wrong(variant: str) -> Callable[[tuple[int, int]], NDArray[Any]]:
    """Sparse matrices whose zeros are not drawn as they should be."""

    def make(shape: tuple[int, int]) -> NDArray[Any]:
        rows, columns = shape
        rng = np.random.default_rng(3)
        order = {
            "always the first rows": np.arange(rows) + np.zeros((columns, 1)),
            "a run of rows": (np.arange(rows) - rng.integers(rows, size=(columns, 1))) % rows,
            "the same rows in two columns": np.repeat(rng.random((columns // 2, rows)), 2, axis=0),
            "the first row too often": rng.random((columns, rows)) - np.eye(1, rows) * 0.05,
        }[variant]
        ranks = order.argsort(axis=1).argsort(axis=1).T
        return np.where(ranks < rows * 3 // 10, 0.0, 1.0)

    return make


def test_all_rows_are_equally_likely() -> None:
    """If this fails some rows have more zeros than others, or zeros hang together; five standard errors are allowed."""
    shape = (40, 40_000)
    for seed in range(3):
        assert max(zeros_of(shape, vs.Sparse(0.3, seed=seed))) < 5
    for variant in (
        "always the first rows",
        "a run of rows",
        "the same rows in two columns",
        "the first row too often",
    ):
        assert max(zeros_of(shape, wrong(variant))) > 8, variant


def test_zeros_do_not_depend_on_the_values() -> None:
    """If this fails the zeros replace large or small values more often than others."""
    dense, found = vs.RandomNormal(0.0, 1.0, 5)((1000, 1000)), vs.Sparse(0.5, 1.0, 5)((1000, 1000))
    for of in (lambda x: x, np.abs):
        x = of(dense).astype(np.float64)
        z = (x[found == 0].mean() - x.mean()) / (x.std() / 2 / sqrt(x.size / 4))
        assert abs(z) < 5
    wrongly = dense[np.abs(dense) < 0.6744898].astype(np.float64)  # as many, but by their size
    assert abs(np.abs(wrongly).mean() - np.abs(dense).mean()) / (np.abs(dense).std() / 2 / sqrt(dense.size / 4)) > 8


def test_calls_without_a_seed() -> None:
    """If this fails values and zeros of one call are of two streams, or two calls are alike."""
    init = vs.Sparse(0.5)
    assert not np.array_equal(init((30, 30)), init((30, 30)))
    vs.set_random_seed(3)
    try:
        first, second = init((30, 30)), init((30, 30))
        dense = vs.RandomNormal(0.0, 0.01)((30, 30))
        vs.set_random_seed(3)
        assert np.array_equal(init((30, 30)), first)
        assert np.array_equal(vs.RandomNormal(0.0, 0.01)((30, 30))[second != 0], second[second != 0])
        assert np.array_equal(vs.RandomNormal(0.0, 0.01)((30, 30)), dense), "each call took one number"
    finally:
        vs.set_random_seed(None)


def test_everything_that_initializers_have() -> None:
    """If this fails a sparse matrix cannot be a view, a piece, a parameter, a part of TensorFlow's, or 16 bits wide."""
    init = vs.Sparse(0.5, 0.02, 7)
    whole = init((60, 30))
    for out in (np.empty((30, 60), np.float32).T, np.empty((120, 90), np.float32)[::-2, ::3]):
        out[...] = 9
        assert init((60, 30), out=out) is out
        assert np.array_equal(out, whole)
    assert np.array_equal(init((10, 30), None, vs.PartitionInfo((60, 30), (20, 0))), whole[20:30])
    assert init((60, 30), "bfloat16").tobytes() == whole.astype("bfloat16").tobytes()
    pieces = vs.Pieces([(..., vs.Sparse(0.5, 0.02)), (0, vs.Ones())], seed=7)((60, 30))
    assert np.array_equal(pieces[1:], whole[1:])
    model = vs.Model({"a": ((60, 30), None, vs.Sparse(0.5))}).init(3)
    assert np.array_equal(model["a"], vs.Sparse(0.5, seed=3).fold_in("a")((60, 30)))


def test_describe() -> None:
    """If this fails a model's table has other moments than the values."""
    init = vs.Sparse(0.7, 2.0, 3)
    found, made = init.describe((1000, 500)), init((1000, 500))
    assert found[:2] == (1000, 500)
    assert (found.mean, found.low, found.high) == (0.0, -np.inf, np.inf)
    assert made.std() == pytest.approx(found.stddev, rel=0.01)
    assert found.stddev == pytest.approx(2 * sqrt(0.3))
    assert vs.Sparse(0.7).describe((0, 5)).stddev == 0.01


def test_arguments() -> None:
    """If this fails a wrong argument makes values."""
    for sparsity in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="`sparsity` must be a number from 0 to 1"):
            vs.Sparse(sparsity)
    with pytest.raises(ValueError, match="`stddev` must be a finite number that is not negative"):
        vs.Sparse(0.5, -1)
    for shape in ((), (3,), (2, 3, 4)):
        for call in (vs.Sparse(0.5), vs.Sparse(0.5).describe, vs.Sparse(0.5).lazy):
            with pytest.raises(ValueError, match="`shape` must have two dimensions"):
                call(shape)
    with pytest.raises(ValueError, match="overflow `dtype` 'float16'"):
        vs.Sparse(0.5, 1e6)((2, 2), "float16")
    with pytest.raises(ValueError, match=r"`law` must be .* got 'sparse'"):
        vs.Sparse(0.5, seed=vs.replay.torch(3))((3, 3))
