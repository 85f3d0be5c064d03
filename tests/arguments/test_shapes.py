"""Shapes and output arrays: what is taken, what is refused, and that nothing is made before."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import varscale as vs
from arguments.cost import seconds
from varscale._arguments.shapes import MOST_DIMENSIONS

INIT = vs.lecun_normal(5)


@pytest.mark.parametrize(
    "shape",
    [
        (3, 4),
        [3, 4],
        np.array([3, 4]),
        np.array([3, 4], np.uint8),
        (np.int32(3), np.int64(4)),
        [3, np.uint16(4)],
        SimpleNamespace(as_list=lambda: [3, 4]),
        range(3, 5),
    ],
    ids=str,
)
def test_every_spelling_of_a_shape(shape: object) -> None:
    """If this fails a shape that frameworks pass is not understood."""
    for init in (INIT, vs.Zeros(), vs.Identity()):
        assert init(shape).shape == (3, 4)
    assert INIT(shape).tobytes() == INIT((3, 4)).tobytes()
    assert INIT.describe(shape).fan_in == 3


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3), (0, 0), (2, 0, 5), [], np.array([], np.int64), (1,) * 64])
def test_scalars_and_empty_tensors(shape: tuple[int, ...]) -> None:
    """If this fails a scalar or an empty weight is an error."""
    x = INIT(shape)
    assert isinstance(x, np.ndarray)
    assert x.shape == tuple(shape)
    assert x.dtype == np.float32


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        (3, TypeError),
        (np.int64(3), TypeError),
        (None, TypeError),
        ("34", TypeError),
        (b"34", TypeError),
        (3.0, TypeError),
        ({3, 4}, TypeError),
        ((3, None), TypeError),
        ((3, 4.0), TypeError),
        ((True, 4), TypeError),
        ((3, np.True_), TypeError),
        (np.array([3.0, 4.0]), TypeError),
        (np.array([[3, 4]]), TypeError),
        (np.array(3), TypeError),
        (np.array([True, True]), TypeError),
        (SimpleNamespace(as_list=lambda: [None, 4]), TypeError),
        ((3, -1), ValueError),
        ([-1], ValueError),
        (np.array([-3, 4]), ValueError),
        ((2**62, 2**62), ValueError),
        ((2**63,), ValueError),
        ((2**63, 0), ValueError),
        ((2**62, 0), ValueError),
        ((1,) * 65, ValueError),
    ],
    ids=str,
)
@pytest.mark.parametrize("init", [INIT, vs.RandomUniform(), vs.Zeros()], ids=repr)
def test_impossible_shapes_are_refused(init: vs.Initializer, shape: object, error: type[Exception]) -> None:
    """If this fails a wrong shape crashes, wraps around, or gives a tensor of another shape."""
    with pytest.raises(error, match="`shape` must"):
        init(shape)


@pytest.mark.parametrize(
    "shape", [(1,) * 10**6, [1] * 10**6, np.ones(10**6, int), range(1, 10**7), range(10**30), range(10**8, 0, -1)],
    ids=lambda shape: type(shape).__name__,
)  # fmt: skip
def test_endless_shapes_are_refused_at_once(shape: Any) -> None:
    """If this fails a shape that can only be wrong is looked at to its end, and shown in megabytes."""
    calls: list[Callable[[], object]] = [
        lambda: INIT(shape), lambda: INIT.lazy(shape), lambda: INIT.describe(shape),
        lambda: vs.Model({"a": (shape, None)}), lambda: vs.PartitionInfo(shape, shape),
        lambda: INIT((2,), partition_shape=shape, partition_offset=(0,)),
        lambda: vs.VarianceScaling(in_axis=shape.tolist() if isinstance(shape, np.ndarray) else shape),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(ValueError, match=f"must (have|name) at most {MOST_DIMENSIONS}") as caught:
            call()
        assert len(str(caught.value)) < 1000
        assert seconds(call) < 0.05


def test_memory_that_is_refused_is_a_memory_error() -> None:
    """If this fails the process is aborted where memory runs out, or its user is not told what for."""
    for init in (INIT, vs.Zeros()):
        with pytest.raises(MemoryError, match=r"`shape` \(35184372088832, 1024\) and the `dtype` float32, 144,115"):
            init((2**45, 2**10))


def test_new_arrays_are_ordinary() -> None:
    """If this fails results are read-only, in another order, or above 64 KiB unaligned for JAX."""
    for shape in ((3, 5), (300, 301), (1025, 1023)):
        for dtype in ("float16", "bfloat16", "float32", "float64"):
            x = INIT(shape, dtype)
            assert x.flags.c_contiguous
            assert x.flags.writeable
            assert x.flags.aligned
            assert x.nbytes <= 1 << 16 or x.ctypes.data % 64 == 0


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_out_is_filled_in_place(dtype: type, tmp_path: object) -> None:
    """If this fails `out=` copies, converts, or returns another array."""
    for shape in ((), (0, 3), (7,), (130, 129)):
        out = np.empty(shape, dtype)
        assert INIT(shape, out=out) is out
        assert out.tobytes() == INIT(shape, dtype).tobytes()
        assert INIT(shape, dtype, out=out) is out
    rows = np.zeros((4, 5, 6), dtype)
    INIT((5, 6), out=rows[2])
    assert rows[2].tobytes() == INIT((5, 6), dtype).tobytes()
    assert not rows[1].any()
    assert not rows[3].any()
    disk = np.memmap(f"{tmp_path}/weights", dtype, "w+", shape=(40, 30))
    assert INIT((40, 30), out=disk) is disk
    assert disk.tobytes() == INIT((40, 30), dtype).tobytes()


def read_only() -> np.ndarray:
    out = np.empty((4, 6), np.float32)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        (np.empty((6, 4), np.float32), ValueError, r"must have the shape \(4, 6\), got \(6, 4\)"),
        (np.empty((4, 6, 1), np.float32), ValueError, "must have the shape"),
        (np.broadcast_to(np.float32(0), (4, 6)), ValueError, "not writable or free of overlap"),
        (np.lib.stride_tricks.as_strided(np.empty(24, np.float32), (4, 6), (0, 4)), ValueError, "not free of overlap"),
        (np.lib.stride_tricks.as_strided(np.empty(24, np.float32), (4, 6), (4, 4)), ValueError, "not free of overlap"),
        (np.lib.stride_tricks.as_strided(np.empty(24, np.float32), (4, 6), (20, 4)), ValueError, "not free of overlap"),
        (np.empty(4 * 6 * 4 + 1, np.uint8)[1:].view(np.float32).reshape(4, 6), ValueError, "not aligned"),
        (read_only(), ValueError, "not writable"),
        (np.empty((4, 6), ">f4"), ValueError, "native byte order"),
        (np.empty((4, 6), np.int32), ValueError, "floating-point or complex dtype"),
        ([[0.0] * 6] * 4, TypeError, "must be a NumPy array"),
        (memoryview(bytearray(96)), TypeError, "must be a NumPy array"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_unusable_out_is_refused(out: object, error: type[Exception], message: str) -> None:
    """If this fails an array is left half written, transposed, or silently replaced."""
    with pytest.raises(error, match=message):
        INIT((4, 6), out=out)


def test_out_and_dtype_must_agree() -> None:
    """If this fails `out=` is filled with values of another dtype than was asked for."""
    with pytest.raises(ValueError, match="`out` must have the dtype 'float64', got 'float32'"):
        INIT((2, 2), "float64", out=np.empty((2, 2), np.float32))
    with pytest.raises(ValueError, match="`out` must have the dtype 'int32', got 'float32'"):
        vs.Zeros()((2, 2), "int32", out=np.empty((2, 2), np.float32))
