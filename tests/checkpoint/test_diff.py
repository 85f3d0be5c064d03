"""Differences between checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

import varscale as vs
from checkpoint.cases import MODEL

pytestmark = pytest.mark.thread_unsafe(reason="sets the threads")


def written(folder: Path, name: str, arrays: dict[str, Any]) -> Path:
    save_file(arrays, folder / name)
    return folder / name


def test_the_same_weights_are_the_same_however_they_are_stored(tmp_path: Path) -> None:
    """If this fails a sharded checkpoint differs from one file of the same weights, or a NaN from itself."""
    vs.checkpoint.save(MODEL, tmp_path / "a", 3)
    vs.checkpoint.save(MODEL, tmp_path / "b", 3, max_shard=200_000)
    found = vs.checkpoint.diff(tmp_path / "a", tmp_path / "b")
    assert (found.rows, found.same, len(found)) == ((), len(MODEL), 0)
    path = written(tmp_path, "nan", {"x": np.array([np.nan, np.inf])})
    assert vs.checkpoint.diff(path, path).rows == ()


def test_every_difference_is_told(tmp_path: Path) -> None:
    """If this fails a tensor that differs is not told, or not how much it does."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(900, 1000))  # several pieces
    other = values.copy()
    other[[0, 300, 899], [0, 5, 999]] += [1.0, -3.5, 0.25]
    ours = {
        "w": values, "gone": np.ones(3), "shape": np.ones((2, 3)), "dtype": np.ones(3), "same": np.ones(3),
        "zero": np.array([0.0, 1.0], np.float16), "nan": np.array([np.nan, 1.0], np.float32), "i": np.array([1, 2**40]),
        "c": np.array([1 + 1j], np.complex64), "half": np.array([1, 2], ml_dtypes.bfloat16),
    }  # fmt: skip
    theirs = ours | {
        "w": other, "new": np.ones((4, 1)), "shape": np.ones((3, 2)), "dtype": np.ones(3, np.float32),
        "zero": np.array([-0.0, 1.0], np.float16), "nan": np.array([2.0, 1.0], np.float32),
        "i": np.array([1, 2**40 + 7]), "c": np.array([4 + 5j], np.complex64),
        "half": np.array([1, 2.5], ml_dtypes.bfloat16),
    }  # fmt: skip
    del theirs["gone"]
    found = vs.checkpoint.diff(written(tmp_path, "a", ours), written(tmp_path, "b", theirs))
    assert {row.name: row[1:] for row in found} == {
        "w": ("values", "", "", 3, 3.5),
        "gone": ("missing", "3", "", 0, None),
        "shape": ("shape", "2x3", "3x2", 0, None),
        "dtype": ("dtype", "float64", "float32", 0, None),
        "zero": ("values", "", "", 1, 0.0),
        "nan": ("values", "", "", 1, None),
        "i": ("values", "", "", 1, 7.0),
        "c": ("values", "", "", 1, 5.0),
        "half": ("values", "", "", 1, 0.5),
        "new": ("missing", "", "4x1", 0, None),
    }
    assert found.same == 1
    assert repr(found).splitlines()[-1] == "10 tensors differ, 1 are the same"
    assert found.to_dict()["differences"][-1]["name"] == "new"


def test_threads_and_runs_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a difference in a large tensor is lost between two threads, or counted twice."""
    values = np.zeros(600_000)
    other = values.copy()
    other[::70_000] = np.arange(9)
    paths = written(tmp_path, "a", {"x": values}), written(tmp_path, "b", {"x": other})
    monkeypatch.setattr("varscale.checkpoint._sweep.RUN", 1 << 20)
    for threads in (1, 3):
        with vs.num_threads(threads):
            [row] = vs.checkpoint.diff(*paths)
            assert (row.elements, row.largest) == (8, 8.0)
