"""Blocks: arrays that share memory, and of which nobody sees that."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import sys
import weakref

import numpy as np
import pytest

import varscale as vs
from varscale._filling import blocks
from varscale._filling.blocks import Blocks

SHAPES = [(300 + 7 * number, 304) for number in range(100)]  # 0.36 to 1.2 MB: 79 MB, three blocks
WEIGHTS = {f"h.{number}.weight": shape for number, shape in enumerate(SHAPES)}
BLOCK = 32 << 20


def model() -> vs.Model:
    return vs.Model(WEIGHTS, layout="jax")


def base(array: np.ndarray) -> np.ndarray:
    while array.base is not None:
        array = array.base
    return array


def test_arrays_of_a_block_lie_apart() -> None:
    """If this fails one array of a model is written over by another, or is not what `out=` and JAX take."""
    dtypes = [np.dtype(name) for name in ("float32", "uint8", "float64")]
    kinds = [(shape, dtypes[number % 3]) for number, shape in enumerate(SHAPES)]
    together = Blocks(sum(np.prod(shape) * dtype.itemsize for shape, dtype in kinds))
    arrays = [together.new_array(shape, dtype) for shape, dtype in kinds]
    assert len({id(base(array)) for array in arrays}) < len(arrays) / 10
    for number, array in enumerate(arrays):
        array[...] = number
    for number, (array, (shape, dtype)) in enumerate(zip(arrays, kinds, strict=True)):
        assert (array == number).all()
        assert (array.shape, array.dtype, array.flags.carray, array.flags.writeable) == (shape, dtype, True, True)
        assert array.ctypes.data % 64 == 0


def test_a_models_values_are_its_initializers() -> None:
    """If this fails where an array lies changes its values."""
    for name, array in model().init(7).items():
        assert array.tobytes() == vs.lecun_normal(7).fold_in(name)(WEIGHTS[name]).tobytes()


def test_an_array_keeps_its_block_alone() -> None:
    """If this fails one tensor of a model keeps the memory of all."""
    arrays = model().init(7)
    kept = arrays.pop("h.3.weight")
    others = {id(base(array)): weakref.ref(base(array)) for array in arrays.values()}
    assert len(others) == 3
    others.pop(id(base(kept)))
    assert kept.nbytes < base(kept).nbytes <= BLOCK + (2 << 20)
    arrays.clear()
    gc.collect()
    assert [found() for found in others.values()] == [None, None]


def test_blocks_are_no_larger_than_what_is_left() -> None:
    """If this fails a model of a megabyte takes 32."""
    arrays = vs.Model({f"h.{number}.weight": (300, 300) for number in range(3)}, layout="jax").init(7)
    bases = {id(base(array)): base(array).nbytes for array in arrays.values()}
    assert sum(bases.values()) < sum(array.nbytes for array in arrays.values()) + (1 << 10)


def test_small_and_large_arrays_have_their_own_memory() -> None:
    """If this fails a bias that somebody keeps, or resizes, has 32 MB beside it."""
    together = Blocks(1 << 40)
    small = [together.new_array((100,), np.dtype(np.float32)) for _ in range(2)]
    large = [together.new_array((size,), np.dtype(np.float32)) for size in (1 << 20, 1 << 22)]
    assert all(array.base is None for array in small)
    assert base(large[0]) is not base(large[1])
    assert base(large[0]).nbytes - large[0].nbytes <= 64
    assert base(large[1]).nbytes - large[1].nbytes <= large[1].nbytes / 8
    if sys.platform == "linux":
        assert large[1].ctypes.data % (2 << 20) == 0, "its huge pages are its own from the first on"


def test_what_is_saved_or_copied_is_the_array() -> None:
    """If this fails a checkpoint of a bias has 32 MB."""
    array = model().init(7)["h.3.weight"]
    file = io.BytesIO()
    np.save(file, array)
    for size in (len(file.getvalue()), len(pickle.dumps(array)), len(pickle.dumps(array, protocol=5))):
        assert array.nbytes < size < array.nbytes + 300
    for copied in (array.copy(), copy.copy(array), copy.deepcopy(array)):
        assert base(copied).nbytes == array.nbytes
        assert not np.shares_memory(copied, array)


def test_without_memory_for_a_block_an_array_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a model that would fit is refused, in words of an array that nobody asked for."""
    made = blocks.new_array

    def refuse(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        if dtype == np.uint8:
            raise MemoryError
        return made(shape, dtype)

    monkeypatch.setattr(blocks, "new_array", refuse)
    arrays = model().init(7)
    assert len({id(base(array)) for array in arrays.values()}) == len(arrays)
