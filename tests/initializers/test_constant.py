"""Constant, Zeros, Ones and Identity."""

from __future__ import annotations

import time

import ml_dtypes
import numpy as np
import pytest

import varscale as vs
from varscale._filling.assign import assign

NUMERIC = [
    *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "float8_e4m3fn", "int4"),
]


@pytest.mark.parametrize("dtype", NUMERIC)
def test_any_numeric_dtype(dtype: str) -> None:
    """If this fails counters and masks cannot be initialised, as they can in TensorFlow."""
    wanted = np.dtype(getattr(ml_dtypes, dtype, dtype))
    for init, value in ((vs.Zeros(dtype), 0), (vs.Ones(dtype), 1), (vs.Constant(1, dtype), 1)):
        x = init((2, 0, 3))
        assert (x.dtype, x.shape) == (wanted, (2, 0, 3))
        x = init((2, 3))
        assert (x.astype(np.complex128) == value).all()
        assert vs.Zeros()((2,), dtype).dtype == wanted


def test_constant_takes_a_scalar_or_a_value_for_each_element() -> None:
    """If this fails a list of values is broadcast, cut or repeated."""
    assert np.array_equal(vs.Constant(2.5)((2, 3)), np.full((2, 3), 2.5, np.float32))
    assert np.array_equal(vs.Constant([1, 2, 3, 4])((2, 2)), np.array([[1, 2], [3, 4]], np.float32))
    assert np.array_equal(vs.Constant(np.eye(2))((4,)), np.array([1, 0, 0, 1], np.float32))
    info = vs.PartitionInfo((2, 2), (1, 0))
    assert np.array_equal(vs.Constant([1, 2, 3, 4])((1, 2), None, info), np.array([[3, 4]], np.float32))
    assert vs.Constant(-np.inf)((2,)).tolist() == [-np.inf, -np.inf]
    assert vs.Constant(True)((1,)).tolist() == [1.0]
    for count in (3, 5):
        with pytest.raises(ValueError, match="`value` must hold one number or 4"):
            vs.Constant([0] * count)((2, 2))


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(1e6, "float16"), (1e39, "float32"), (300, "uint8"), (-1, "uint8"), (1.5, "int32"), (9, "int4")],
)
def test_constants_that_the_dtype_cannot_hold_are_refused(value: float, dtype: str) -> None:
    """If this fails a constant is silently wrapped, cut or made infinite."""
    with pytest.raises(ValueError, match="`value` must be one that the dtype"):
        vs.Constant(value, dtype)((2,))


@pytest.mark.thread_unsafe(reason="times itself")
def test_a_part_of_a_list_costs_what_it_holds() -> None:
    """If this fails one element of a long list takes the time of all, or fails for a value that it does not hold."""
    count = 10**6
    init = vs.Constant([*range(count - 1), 1e300], "float64")
    began = time.perf_counter()
    for row in range(100):
        assert init((1000, count // 1000), index=(row, 5)) == 1000 * row + 5
    assert time.perf_counter() - began < 0.1
    assert init((count,), "float16", index=slice(2, 4)).tolist() == [2, 3]
    for shape, index in (((count,), -1), ((count - 1,), 0)):
        with pytest.raises(ValueError, match="`value` must"):
            init(shape, "float16", index=index)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_large_constants_in_any_order(order: tuple[int, ...]) -> None:
    """If this fails a block of a large array is left out, or cut where it is another one's."""
    shape = (3, 1000, 7001)
    memory = np.zeros(tuple(shape[axis] for axis in order), np.int8)
    out = memory.transpose(np.argsort(order))[:, ::-1]
    assert vs.Ones()(shape, out=out) is out
    assert memory.all()
    values = np.resize(np.arange(7, dtype=np.int8), shape)
    assign(out, values)
    assert np.array_equal(out, values)


@pytest.mark.parametrize("bad", ["1", None, [1, "a"], object(), {"a": 1}, [[1, 2], [3]], 1j])
def test_constants_that_are_no_numbers_are_refused(bad: object) -> None:
    """If this fails the error comes at the call, or never."""
    with pytest.raises(TypeError, match="`value` must be a real number or bool"):
        vs.Constant(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["str", "datetime64[s]", object, ">f4", [("a", "f4")]])
def test_dtypes_that_are_not_numeric_are_refused(bad: object) -> None:
    """If this fails a tensor of strings or swapped bytes is made."""
    for cls in (vs.Zeros, vs.Ones):
        with pytest.raises((ValueError, TypeError), match="`dtype` must"):
            cls(bad)
        with pytest.raises((ValueError, TypeError), match="`dtype` must"):
            cls()((2,), bad)


def test_identity() -> None:
    """If this fails the identity is not NumPy's eye times the gain."""
    for shape in ((3, 3), (2, 4), (4, 2), (0, 3), (1, 1)):
        for dtype in ("float16", "bfloat16", "float32", "float64"):
            x = vs.Identity(-1.5)(shape, dtype)
            assert np.array_equal(x.astype(np.float64), -1.5 * np.eye(*shape))
    for shape in ((), (3,), (2, 3, 4)):
        with pytest.raises(ValueError, match="`shape` must have two dimensions"):
            vs.Identity()(shape)
    with pytest.raises(ValueError, match="overflow `dtype` 'float16'"):
        vs.Identity(1e6)((2, 2), "float16")
    with pytest.raises(ValueError, match="floating-point"):
        vs.Identity()((2, 2), "int32")


def test_constants_fold_to_themselves_and_fill_out() -> None:
    """If this fails a model cannot treat all its initializers alike."""
    assert vs.Zeros().fold_in("a") == vs.Zeros()
    for init in (vs.Zeros(), vs.Ones(), vs.Constant(3), vs.Identity()):
        out = np.full((3, 3), 9, np.float32)
        assert init((3, 3), out=out) is out
        assert np.array_equal(out, init((3, 3)))
