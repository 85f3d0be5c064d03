"""Jobs: a model cut into parts for any executor; their union is the model."""

from __future__ import annotations

import multiprocessing
import pickle
import random
import re
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import varscale as vs

MODEL = vs.Model(
    {
        "big": (300, 77),
        "deep": ((2, 3, 5, 7), "float64"),
        "half": ((65, 3), "bfloat16"),
        "bias": (77,),
        "eye": ((40, 30), None, vs.Identity()),
        "scalar": ((), "int8", vs.Ones()),
        "empty.weight": (0, 8),
    },
    [(re.compile("big|deep|half"), vs.lecun_normal())],
    layout="keras",
)


def union(model: vs.Model, parts: list[vs.ModelPart]) -> dict[str, np.ndarray]:
    """The arrays that the parts make up; each element must be written once."""
    arrays = {name: np.empty(p.shape, p.dtype) for name, p in model.items()}
    times = {name: np.zeros(p.shape, np.int64) for name, p in model.items()}
    for part in parts:
        assert arrays[part.name][part.index].shape == part.values.shape
        arrays[part.name][part.index] = part.values
        times[part.name][part.index] += 1
    assert all((count == 1).all() for count in times.values())
    return arrays


@settings(max_examples=30, deadline=None)
@given(st.integers(8, 300_000), st.integers(0, 1000))
def test_the_union_is_the_model(max_bytes: int, order: int) -> None:
    """If this fails a part is lost, made twice, too large, or has other values than the whole."""
    jobs = list(MODEL.jobs(7, max_bytes=max_bytes))
    random.Random(order).shuffle(jobs)
    parts = [part for job in jobs for part in pickle.loads(pickle.dumps(job)).run()]
    made = union(MODEL, parts)
    for name, array in MODEL.init(7).items():
        assert made[name].tobytes() == array.tobytes()
    for job in jobs:
        assert job.nbytes == sum(part.values.nbytes for part in job()) <= max_bytes
    assert {part.name for part in parts} == set(MODEL)


def test_jobs_are_as_few_as_their_size_allows() -> None:
    """If this fails thousands of small biases are a job each."""
    assert len(list(MODEL.jobs(7))) == 1
    assert list(vs.Model({}).jobs(7)) == []
    small = vs.Model({f"{i}.bias": (100,) for i in range(1000)})
    assert len(list(small.jobs(1, max_bytes=40_000))) == 10
    rows = list(vs.Model({"a.weight": (10, 100)}, layout="keras").jobs(1, max_bytes=1200))
    assert len(set(rows)) == len(rows), "jobs may be keys, of what an executor returns for instance"
    assert [job.pieces[0][2][0] for job in rows] == [slice(0, 3, 1), slice(3, 6, 1), slice(6, 9, 1), slice(9, 10, 1)]


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_any_executor_runs_them(kind: str) -> None:
    """If this fails jobs do not survive a worker process, or differ there."""
    spawn = multiprocessing.get_context("spawn")
    executor: Executor = ThreadPoolExecutor(3) if kind == "threads" else ProcessPoolExecutor(2, mp_context=spawn)
    with executor:
        parts = [part for made in executor.map(vs.ModelJob.run, MODEL.jobs(7, max_bytes=20_000)) for part in made]
    made = union(MODEL, parts)
    assert all(made[name].tobytes() == array.tobytes() for name, array in MODEL.init(7).items())


def test_a_model_beyond_memory_is_cut_lazily() -> None:
    """If this fails cutting a model of terabytes takes its memory, or the time of all its parts."""
    model = vs.Model({"huge.weight": ((2**20, 2**24), "bfloat16")}, layout="torch")
    jobs = model.jobs(7, max_bytes=1 << 20)
    job = next(jobs)
    (part,) = job.run()
    assert part.values.shape == (1, 2**19)
    assert np.array_equal(part.values, model.lazy(7)["huge.weight"][part.index])
    assert prod(part.values.shape) * 2 == 1 << 20


def test_limits_are_checked_at_once() -> None:
    """If this fails a limit that no element fits in loops forever."""
    with pytest.raises(ValueError, match="`max_bytes` must hold one element of 8 bytes, got 7"):
        MODEL.jobs(7, max_bytes=7)
    with pytest.raises(TypeError, match="`max_bytes` must be an integer"):
        MODEL.jobs(7, max_bytes=1e9)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="nope"):
        MODEL.jobs(7, names=["nope"])
