"""Inspections: moments, laws and verdicts, beside SciPy's and safetensors'."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from scipy import stats

import varscale as vs
from checkpoint.cases import MODEL, small_pieces
from varscale._models.headers import read_headers
from varscale.checkpoint import Inspected
from varscale.checkpoint._laws import cdf, distance, probability, target

pytestmark = pytest.mark.thread_unsafe(reason="sets the threads")
NORMAL = vs.RandomNormal(0.5, 0.02)
CUT = vs.TruncatedNormal(0.0, 0.1, lower=1.0, upper=3.0)
FLAT = vs.RandomUniform(-0.3, 0.1)
LAWS = {
    "normal": (NORMAL, stats.norm(0.5, 0.02)),
    "cut": (CUT, stats.truncnorm(1.0, 3.0, 0.0, 0.1)),
    "flat": (FLAT, stats.uniform(-0.3, 0.4)),
}


def inspected(path: Path, *arguments: Any) -> dict[str, Inspected]:
    return {row.name: row for row in vs.checkpoint.inspect(path, *arguments)}


def written(folder: Path, arrays: dict[str, Any]) -> Path:
    save_file(arrays, folder / "some.safetensors")
    return folder / "some.safetensors"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("law", LAWS)
def test_moments_and_probabilities_are_numpys_and_scipys(tmp_path: Path, law: str, dtype: str) -> None:
    """If this fails a report has other moments than its tensor, or another probability than its law."""
    init, expected = LAWS[law]
    model = vs.Model({"w": ((251, 403), dtype, init)})
    values = model.init(5)["w"].astype(np.float64)
    vs.checkpoint.save(model, tmp_path, 5)
    row = inspected(tmp_path, model)["w"]
    assert (row.low, row.high) == (values.min(), values.max())
    assert row.mean == pytest.approx(values.mean(), rel=1e-12)
    assert row.stddev == pytest.approx(values.std(), rel=1e-11)
    assert (row.target_mean, row.target_stddev) == pytest.approx(expected.stats("mv") ** np.array([1.0, 0.5]))
    assert (row.exact, row.why) == (True, ())


@pytest.mark.parametrize("law", LAWS)
def test_statistics_are_scipys(law: str) -> None:
    """If this fails a law's distribution is another one, or its statistic misses the greatest distance."""
    init, expected = LAWS[law]
    model = vs.Model({"w": ((999,), "float64", init)})
    plan = target(model["w"]).plan
    assert plan is not None
    for seed in range(6):  # the greatest distance is one above the law, or one below it
        values = np.sort(model.init(seed)["w"])
        # Each number has a bin of its own, as narrow as can be.
        edges = np.stack([np.nextafter(values, -np.inf), values], axis=1).ravel()
        counts = np.tile([1, 0], values.size)[:-1]
        assert distance(plan, counts, edges) == pytest.approx(stats.kstest(values, expected.cdf).statistic, abs=1e-12)
    points = np.linspace(values[0], values[-1], 1001)
    assert cdf(plan, points) == pytest.approx(expected.cdf(points), abs=1e-14)


def test_probabilities_are_scipys() -> None:
    """If this fails the probability of a distance is off where it decides."""
    for count in (5, 50, 10_000, 10**9):
        for far in (0.1, 0.3, 0.6, 1.0, 1.5, 2.5):
            wanted = stats.kstwo.sf(far / np.sqrt(count), count)
            assert probability(far / np.sqrt(count), count) == pytest.approx(wanted, abs=0.02)
    assert probability(0.9, 10**6) == 0.0


@pytest.mark.parametrize("dtype", ["float8_e5m2", "bfloat16", "float16", "float32", "float64"])
def test_fresh_tensors_have_the_probabilities_of_chance(tmp_path: Path, dtype: str) -> None:
    """If this fails fresh tensors look stale, or stale ones fresh, because of the rounding to their dtype."""
    model = vs.Model({f"w{number}": ((4000,), dtype, vs.RandomNormal(0.0, 0.02)) for number in range(150)})
    vs.checkpoint.save(model, tmp_path, 1)
    chances = np.array([row.p for row in vs.checkpoint.inspect(tmp_path, model)])
    # Bins see less than all of a distance: of numbers of 8 bits far less, so that small probabilities are rarer.
    assert (chances < 0.1).mean() < 0.16
    assert chances.min() > 1e-4
    if dtype != "float8_e5m2":
        assert (chances < 0.5).mean() > 0.4


def test_the_hash_is_that_of_the_tensors_bytes(tmp_path: Path) -> None:
    """If this fails tensors cannot be told by their hashes, or a row shows another tensor's."""
    arrays = {
        "b": np.arange(600_000, dtype=np.float32),
        "a": np.ones((3, 4), np.int8),
        "e": np.zeros((0, 3), np.float16),
    }
    rows = inspected(written(tmp_path, arrays))
    assert {name: row.sha256 for name, row in rows.items()} == {
        name: hashlib.sha256(values.tobytes()).hexdigest() for name, values in arrays.items()
    }


def test_threads_and_runs_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a report depends on how many threads made it, or on how a large tensor was shared."""
    model = vs.Model(
        {"w": ((1100, 1300), None, NORMAL), "v": ((1300, 1100), "bfloat16", FLAT), "b": ((), "int64", vs.Zeros())}
    )
    vs.checkpoint.save(model, tmp_path, 3)
    reports = []
    for run in (1 << 26, 1 << 20):
        monkeypatch.setattr("varscale.checkpoint._sweep.RUN", run)
        for threads in (1, 2, 3):
            with vs.num_threads(threads):
                reports.append(vs.checkpoint.inspect(tmp_path, model))
    assert all(report == reports[0] for report in reports)
    assert all(row.exact and not row.why for row in reports[0])
    made = model.init(3)
    for row in reports[0]:
        values = made[row.name].astype(np.float64)
        assert (row.mean, row.stddev) == pytest.approx((values.mean(), values.std()), rel=1e-10, abs=1e-15)


def test_what_is_varscales_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails another seed's tensors, or one bit that has changed, count as exactly ours."""
    [path] = vs.checkpoint.save(MODEL, tmp_path, 3)
    assert [row.exact for row in vs.checkpoint.inspect(path)] == [None] * len(MODEL)
    other = inspected(path, MODEL, 4)
    drawn = {name for name, row in other.items() if not row.exact}
    assert drawn == {
        name
        for name in MODEL
        if ("weight" in name and "empty" not in name) or name in {"h.0.padded", "h.0.small", "h.0.phase"}
    }
    assert other["wte.weight"].why == ("the bytes are not those of the plan and the seed",)
    held = read_headers(path)[0]["wte.weight"]
    with path.open("r+b") as stream:
        stream.seek(held.start + held.nbytes - 4)
        last = stream.read(1)
        stream.seek(-1, 1)
        stream.write(bytes([last[0] ^ 1]))
    small_pieces(monkeypatch, 1 << 16)  # the change is in the last of several spans
    changed = inspected(path, MODEL, 3)
    assert {name for name, row in changed.items() if not row.exact} == {"wte.weight"}
    model = vs.Model.from_dict(MODEL.to_dict())
    del model._parameters["steps"]  # now the file is of another plan, and does not tell the seed
    # What draws nothing needs no seed.
    assert inspected(path, model)["h.0.mlp.bias"].exact is True
    assert inspected(path, model)["wte.weight"].exact is None


FAULTS: dict[str, tuple[Any, str]] = {
    "nan": (lambda w: w.__setitem__((3, 4), np.nan), "1 NaN"),
    "infinite": (lambda w: w.__setitem__((3, 4), -np.inf), "1 infinite"),
    "far": (lambda w: w.__setitem__((3, 4), 0.2), "where the plan has"),
    "constant": (lambda w: w.fill(0.01), "constant: all elements are 0.01"),
    "row": (lambda w: w.__setitem__(7, 0.0), "of 300 rows 1 are zero, of 200 columns 0"),
    "column": (lambda w: w.__setitem__((slice(None), slice(2)), 0.0), "of 300 rows 0 are zero, of 200 columns 2"),
    "shifted": (lambda w: w.__iadd__(0.003), "mean 0.00"),
    "narrow": (lambda w: w.__imul__(0.95), "standard errors off"),
    "law": (lambda w: w.__setitem__(..., np.sign(w) * w.std()), "the values do not follow the law: p = 0"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_faults_are_seen_and_said(tmp_path: Path, fault: str, dtype: str) -> None:
    """If this fails a tensor that is no fresh one is taken for one, or nobody learns why it is not."""
    model = vs.Model({"w": ((300, 200), dtype, vs.lecun_uniform())}, layout="torch")
    values = model.init(1)["w"]
    assert inspected(written(tmp_path, {"w": values}), model)["w"].why == ()
    change, reason = FAULTS[fault]
    change(values)
    why = inspected(written(tmp_path, {"w": values}), model)["w"].why
    assert any(reason in line for line in why), why


def test_without_a_plan_only_what_is_never_fresh_is_suspect(tmp_path: Path) -> None:
    """If this fails biases of zeros and scales of ones look suspect, or NaN and dead rows do not."""
    fine = {"bias": np.zeros(9), "scale": np.ones(9), "w": np.random.default_rng(0).normal(size=(30, 9))}
    assert vs.checkpoint.inspect(written(tmp_path, fine)).suspects == ()
    bad = {"m": np.ones((4, 4)), "n": np.array([1.0, np.nan]), "d": np.eye(5)[:3].repeat(2, 0)}
    found = {row.name: row.why[0] for row in vs.checkpoint.inspect(written(tmp_path, bad)).suspects}
    assert found == {
        "m": "constant: all elements are 1", "n": "1 NaN", "d": "dead: of 6 rows 0 are zero, of 5 columns 2",
    }  # fmt: skip


def test_another_form_than_the_plans_is_said(tmp_path: Path) -> None:
    """If this fails a tensor of another shape or dtype, a new one or a missing one goes unnoticed."""
    model = vs.Model({"a": ((20, 30), None, NORMAL), "b": ((9,), None, vs.Zeros()), "c": ((9,), None, vs.Zeros())})
    made = model.init(1)
    path = written(tmp_path, {"a": made["a"].T.copy(), "b": made["b"].astype(ml_dtypes.bfloat16), "d": made["c"]})
    found = vs.checkpoint.inspect(path, model, 1)
    assert {row.name: row.why for row in found} == {
        "a": ("the shape is 30x20, where the plan has 20x30", "the bytes are not those of the plan and the seed"),
        "b": ("the dtype is bfloat16, where the plan has float32", "the bytes are not those of the plan and the seed"),
        "d": ("the plan does not have it",),
    }
    assert found.missing == ("c",)
    assert "c: the plan has it, the checkpoint has not" in repr(found)


@pytest.mark.parametrize("dtype", ["int8", "uint64", "bool", "int64"])
def test_whole_numbers_have_moments(tmp_path: Path, dtype: str) -> None:
    """If this fails counters and masks are not looked at, or overflow."""
    values = np.random.default_rng(1).integers(0, 2 if dtype == "bool" else 100, 50_001).astype(dtype)
    row = inspected(written(tmp_path, {"x": values}))["x"]
    assert (row.low, row.high) == (values.min(), values.max())
    assert (row.mean, row.stddev) == pytest.approx((values.mean(), values.astype(float).std()))


def test_a_table_and_plain_data_say_the_same(tmp_path: Path) -> None:
    """If this fails a terminal shows something else than a program reads."""
    vs.checkpoint.save(MODEL, tmp_path, 3)
    found = vs.checkpoint.inspect(tmp_path, MODEL)
    assert (
        repr(found).splitlines()[-1]
        == f"{len(MODEL)} tensors: {len(MODEL)} exactly as planned, all look freshly initialised"
    )
    plain = found.to_dict()
    assert [entry["name"] for entry in plain["tensors"]] == [row.name for row in found]
    assert plain["tensors"][0]["shape"] == list(found.rows[0].shape)


@pytest.mark.parametrize("name", vs.checkpoint.__all__)
def test_names_say_where_users_find_them(name: str) -> None:
    """If this fails pickles, reprs and errors name a file of ours, which may move."""
    assert getattr(vs.checkpoint, name).__module__ == "varscale.checkpoint"
