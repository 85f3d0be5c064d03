"""Dask: any chunks, any scheduler, any selection."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import dask.array as da
import numpy as np
import pytest
import xarray
import zarr
from dask.base import tokenize
from dask.distributed import Client
from hypothesis import given, settings
from hypothesis import strategies as st

import varscale as vs

INIT = vs.lecun_normal(7).fold_in("kernel")
SHAPE = (100, 70)
FULL = INIT(SHAPE)


@pytest.mark.parametrize("chunks", ["auto", -1, (30, 17), (1, -1), (-1, 1), ((1, 99), (70,)), "1 KiB", {0: 7, 1: 70}])
def test_any_chunks(chunks: Any) -> None:
    """If this fails values depend on how a tensor is cut."""
    array = vs.dask.array(INIT, SHAPE, chunks)
    assert (array.shape, array.dtype) == (SHAPE, np.float32)
    assert np.array_equal(array.compute(scheduler="threads"), FULL)


@pytest.mark.parametrize("scheduler", ["sync", "threads", "processes"])
def test_any_scheduler(scheduler: str) -> None:
    """If this fails values depend on what runs the tasks."""
    assert np.array_equal(vs.dask.array(INIT, SHAPE, (9, 33)).compute(scheduler=scheduler), FULL)


@pytest.mark.filterwarnings("ignore:Port 8787")
@pytest.mark.parametrize("processes", [False, True])
def test_distributed(processes: bool, tmp_path: Path) -> None:
    """If this fails a cluster makes other values, or its workers cannot write a tensor together."""
    with Client(n_workers=2, threads_per_worker=2, processes=processes, dashboard_address=None) as client:
        assert client.scheduler_info()["workers"]
        array = vs.dask.array(INIT, SHAPE, (9, 33))
        assert np.array_equal(array.compute(), FULL)
        array.to_zarr(str(tmp_path / "weights.zarr"))
    assert np.array_equal(zarr.open_array(str(tmp_path / "weights.zarr"), mode="r")[...], FULL)


def test_xarray() -> None:
    """If this fails xarray keeps something else than a lazy tensor's values, or cannot take it."""
    labelled = xarray.DataArray(INIT.lazy(SHAPE), dims=("fan_in", "fan_out"))
    assert (labelled.dtype, labelled.dims) == (np.float32, ("fan_in", "fan_out"))
    assert np.array_equal(labelled.values, FULL)
    chunked = xarray.DataArray(vs.dask.array(INIT, SHAPE, (9, 33)), dims=("fan_in", "fan_out"))
    assert np.array_equal(chunked.isel(fan_in=slice(3, 20, 4), fan_out=-1).values, FULL[3:20:4, -1])


def test_to_zarr(tmp_path: Path) -> None:
    """If this fails a stored tensor is not the one that was asked for."""
    vs.dask.array(INIT, (1000, 300), (128, 97), "float16").to_zarr(str(tmp_path / "weights.zarr"))
    stored = zarr.open_array(str(tmp_path / "weights.zarr"), mode="r")
    assert stored.chunks == (128, 97)
    assert np.array_equal(stored[...], INIT((1000, 300), "float16"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_every_dtype(dtype: str) -> None:
    """If this fails chunks come in another dtype than the tensor's."""
    array = vs.dask.array(INIT, SHAPE, (64, 64), dtype)
    assert array.dtype == array.compute().dtype == INIT((1,), dtype).dtype
    assert array.compute().tobytes() == INIT(SHAPE, dtype).tobytes()


@pytest.mark.parametrize("shape", [(), (0, 4), (5,), (2, 3, 4, 5), (1,)])
def test_every_rank(shape: tuple[int, ...]) -> None:
    """If this fails scalars, vectors, empty or deep tensors cannot be made."""
    assert np.array_equal(vs.dask.array(INIT, shape).compute(), INIT(shape))


selections = st.one_of(
    st.slices(40),
    st.integers(0, 4),
    st.lists(st.integers(-5, 4), min_size=1, max_size=5),
)


@settings(deadline=None, max_examples=200)
@given(data=st.data(), chunks=st.tuples(st.integers(4, 41), st.integers(4, 31)))
def test_any_selection_of_a_selection(data: st.DataObject, chunks: tuple[int, int]) -> None:
    """If this fails Dask pushes an index into the tensor that means something else there than in a NumPy array."""
    full = INIT((40, 30))
    array, reference = vs.dask.array(INIT, full.shape, chunks), da.from_array(full, chunks)
    for _ in range(2):
        axis = data.draw(st.integers(0, array.ndim - 1))
        if array.shape[axis] >= 5:
            index = (slice(None),) * axis + (data.draw(selections),)
            array, reference = array[index], reference[index]
            if array.ndim == 0:
                break
    assert np.array_equal(array.compute(scheduler="sync"), reference.compute(scheduler="sync"))


def test_masks_and_points() -> None:
    """If this fails Dask's other ways to select give other values."""
    array = vs.dask.array(INIT, SHAPE, (30, 17))
    assert np.array_equal(array[array[:, 0] > 0].compute(), FULL[FULL[:, 0] > 0])
    assert np.array_equal(array.vindex[[1, 2, 99], [3, 4, 0]].compute(), FULL[[1, 2, 99], [3, 4, 0]])
    assert np.array_equal(array.T[3].compute(), FULL.T[3])


def test_two_chunkings_in_one_graph() -> None:
    """If this fails the chunks of two arrays of one tensor are taken for each other."""
    one, other = vs.dask.array(INIT, SHAPE, (30, 17)), vs.dask.array(INIT, SHAPE, (50, 70))
    assert one.name != other.name
    assert one.name == vs.dask.array(INIT, SHAPE, (30, 17)).name
    assert not (one - other).any().compute()
    assert not (da.concatenate([one, other]) - np.concatenate([FULL, FULL])).any().compute()


def test_makes_only_what_is_asked_for() -> None:
    """If this fails a tensor beyond memory cannot be used."""
    huge = vs.dask.array(INIT, (2**20, 2**24), (2**12, 2**12))
    assert huge.nbytes == 2**46
    assert np.array_equal(huge[-1, -5:].compute(), INIT((2**20, 2**24), index=(-1, slice(-5, None))))


def test_the_graph_holds_no_values() -> None:
    """If this fails a scheduler has to carry the weights."""
    array = vs.dask.array(INIT, (4096, 4096), (1024, 1024))
    assert len(cloudpickle.dumps(dict(array.dask))) < 20_000


def test_without_a_seed_it_is_one_tensor() -> None:
    """If this fails the chunks of an unseeded array come from several tensors."""
    array = vs.dask.array(vs.lecun_normal(), SHAPE, (30, 17))
    assert np.array_equal(array.compute(scheduler="processes"), array.compute(scheduler="threads"))
    assert not np.array_equal(array.compute(), vs.dask.array(vs.lecun_normal(), SHAPE).compute())


def test_lazy_tensors_of_a_model() -> None:
    """If this fails a model's parameters cannot be made by Dask."""
    model = vs.Model({"wte": (50, 8), "mlp.weight": (8, 32)}, layout="torch")
    for name, tensor in model.lazy(3).items():
        assert np.array_equal(vs.dask.array(tensor, None, 5).compute(), model.init(3)[name])


def test_bad_arguments() -> None:
    """If this fails a mistake is found in the middle of a run, or not at all."""
    with pytest.raises(ValueError, match=r"`shape` must be that of the lazy tensor, \(2, 3\), or None, got \(3, 2\)"):
        vs.dask.array(INIT.lazy((2, 3)), (3, 2))
    with pytest.raises(ValueError, match="`dtype` must be that of the lazy tensor, 'float32', or None, got 'float64'"):
        vs.dask.array(INIT.lazy((2, 3)), None, dtype="float64")
    with pytest.raises(TypeError, match="`init` must be one of varscale's own initializers or a lazy tensor"):
        vs.dask.array(np.zeros, (2, 3))
    with pytest.raises(TypeError, match="`shape` must be a sequence"):
        vs.dask.array(INIT, None)


def test_docstring_example() -> None:
    """If this fails the example of `help(varscale.dask.array)` does not give what it shows."""
    assert doctest.testmod(vs.dask).attempted > 2
    assert doctest.testmod(vs.dask).failed == 0


def test_tokens_name_the_values() -> None:
    """If this fails Dask recomputes what it has, or takes another tensor for this one."""
    code = (
        "import varscale as vs; from dask.base import tokenize; init = vs.lecun_normal(7).fold_in('a'); "
        "print(tokenize(init), tokenize(init.lazy((30, 40), 'bfloat16')))"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    init = vs.lecun_normal(7).fold_in("a")
    here = [tokenize(init), tokenize(init.lazy((30, 40), "bfloat16"))]
    assert elsewhere.stdout.split() == here
    others = [vs.lecun_normal(8).fold_in("a"), init.fold_in("b"), vs.he_normal(7).fold_in("a"), init.lazy((30, 40))]
    assert len({*here, *map(tokenize, others), tokenize(init.lazy((40, 30), "bfloat16"))}) == 7
