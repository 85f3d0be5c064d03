"""Constant, Zeros, Ones and Identity."""

from __future__ import annotations

import copy
import math
import pickle
import tracemalloc
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import varscale as vs
from arguments.anything import deep, itself, view
from arguments.cost import seconds
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
    ("value", "shape", "fits"),
    [([[1, 2], [3, 4]], (2, 2), True), ([1, 2, 3, 4], (2, 2), False), (np.ones((2, 2)), (4,), False),
     ([1, 2, 3, 4], (4,), True), (3, (2, 2), False), (3, (), True), ([3], (1,), True), ([[3]], (), False)],
)  # fmt: skip
def test_shapes_are_verified_as_in_tensorflow(value: Any, shape: tuple[int, ...], fits: bool) -> None:
    """If this fails `verify_shape` lets another shape through, which TensorFlow 1's does not, or refuses its own."""
    init = vs.Constant(value, "float32", True)
    assert vs.Constant(value)(shape).shape == shape
    if fits:
        assert np.array_equal(init(shape), np.asarray(value, np.float32))
        assert np.array_equal(init(shape, index=...), init(shape))
    else:
        for call in (init, init.describe, init.lazy):
            with pytest.raises(ValueError, match=r"`value` must have the `shape`, .* to verify it, got "):
                call(shape)


def test_a_part_is_verified_by_its_tensors_shape() -> None:
    """If this fails a part of a constant is refused, or passes for it is as large as the value."""
    init = vs.Constant([[1, 2], [3, 4]], verify_shape=True)
    assert init((2, 2), index=1).tolist() == [3, 4]
    assert init((1, 2), None, vs.PartitionInfo((2, 2), (1, 0))).tolist() == [[3, 4]]
    with pytest.raises(ValueError, match="to verify it"):
        init((4, 4), index=(slice(2), slice(2)))
    assert init.get_config() == {"value": [[1, 2], [3, 4]], "dtype": "float32", "verify_shape": True}
    assert init != vs.Constant([[1, 2], [3, 4]])
    with pytest.raises(TypeError, match="`verify_shape` must be True or False"):
        vs.Constant(3, "float32", 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(1e6, "float16"), (1e39, "float32"), (300, "uint8"), (-1, "uint8"), (1.5, "int32"), (9, "int4")],
)
def test_constants_that_the_dtype_cannot_hold_are_refused(value: float, dtype: str) -> None:
    """If this fails a constant is silently wrapped, cut or made infinite."""
    with pytest.raises(ValueError, match="`value` must be one that the dtype"):
        vs.Constant(value, dtype)((2,))


@pytest.mark.thread_unsafe(reason="measures the process's memory")
def test_a_part_of_a_list_costs_what_it_holds() -> None:
    """If this fails one element of a long list takes the work of all, or fails for a value that it does not hold."""
    count = 10**6
    init = vs.Constant([*range(count - 1), 1e300], "float64")
    tracemalloc.start()
    for row in range(0, 1000, 100):
        assert init((1000, count // 1000), index=(row, 5)) == 1000 * row + 5
    # Whatever NumPy did to all elements would make an array of them, if only of bools.
    assert tracemalloc.get_traced_memory()[1] < count // 10
    tracemalloc.stop()
    assert init((count,), "float16", index=slice(2, 4)).tolist() == [2, 3]
    for shape, index in (((count,), -1), ((count - 1,), 0)):
        with pytest.raises(ValueError, match="`value` must"):
            init(shape, "float16", index=index)


@pytest.mark.parametrize(
    ("value", "same", "others"),
    [
        (math.nan, [math.nan, np.float64("nan"), np.float32("nan")], [0.0, math.inf, [math.nan]]),
        (-0.0, [-0.0, np.float32(-0.0)], [0.0, 0, False]),
        (0.0, [0, 0.0, False, np.int8(0)], [-0.0, 1, [0.0]]),
        ([1, 2], [(1.0, 2.0), np.array([1, 2], "u1")], [[2, 1], [[1, 2]], [[1], [2]], [1, 2, 3]]),
        ([math.nan, -0.0], [[math.nan, -0.0]], [[math.nan, 0.0]]),
        (2**53 + 1, [2**53 + 1, np.uint64(2**53 + 1)], [2**53, 2.0**53]),
        (2**53, [2.0**53], [2**53 + 1]),
        (2**63, [np.uint64(2**63)], [2**63 + 1, -(2**63)]),
        ([2**63, 1], [np.array([2**63, 1], np.uint64)], [[-(2**63), 1]]),
    ],
)
def test_constants_are_equal_by_their_bits(value: Any, same: list[Any], others: list[Any]) -> None:
    """If this fails a constant is not its own copy, or another one, and a set or a cache holds it twice."""
    init = vs.Constant(value)
    for copied in (copy.deepcopy(init), pickle.loads(pickle.dumps(init)), vs.Constant.from_config(init.get_config())):
        assert copied == init
        assert hash(copied) == hash(init)
    for equal in map(vs.Constant, same):
        assert equal == init
        assert hash(equal) == hash(init)
    for other in map(vs.Constant, others):
        assert other != init
    assert vs.Constant(value, "float64") != init
    assert vs.Model({"a": ((2, 1), None, init)}) == vs.Model({"a": ((2, 1), None, vs.Constant(same[0]))})


@pytest.mark.parametrize(
    "value",
    [["a"] * 10**6, [1, *["a"] * 10**6], [[b"a"] * 10**5] * 10, [None] * 10**6, [{}] * 10**6, 10**100, [[1], [1, 2]],
     view("M8[s]", 2**45), view("O", 2**45), deep("list"), deep("tuple"), deep("dict"), [itself("list")] * 2],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_holds_no_numbers_is_refused_at_once(value: Any) -> None:
    """If this fails text takes the memory of all numbers as text, or a list that holds itself has no end."""
    with pytest.raises(TypeError, match="`value` must be a real number or bool") as caught:
        vs.Constant(value)
    assert len(str(caught.value)) < 1000
    assert seconds(lambda: vs.Constant(value)) < 0.1


def test_long_doubles_beyond_float64_are_refused() -> None:
    """If this fails a finite number becomes infinite, with a warning at best."""
    largest = np.finfo(np.longdouble).max
    if largest > np.finfo(np.float64).max:
        with pytest.raises(ValueError, match="`value` must hold numbers that float64 can hold"):
            vs.Constant([1, largest])
    assert vs.Constant(np.longdouble("inf"))((1,)).tolist() == [np.inf]


def test_integers_of_64_bits_are_exact() -> None:
    """If this fails large unsigned integers pass through float64, and lose their last digits."""
    numbers = [2**63 + 1, 1, 2**64 - 1]
    assert vs.Constant(numbers, "uint64")((3,)).tolist() == numbers
    assert vs.Constant([[numbers[0]], [3]], "uint64")((2,)).tolist() == [numbers[0], 3]
    assert vs.Constant([2**63, 0.5], "float64")((2,)).tolist() == [2.0**63, 0.5]
    with pytest.raises(TypeError, match="`value` must be a real number"):
        vs.Constant([2**63 + 1, -1], "uint64")


def twice(value: Any, times: int) -> Any:
    for _ in range(times):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    "value", [view("f4", 2**48), view("i1", 2**24, 2**25), [view("i1", 2**50)] * 2, twice([1], 50)]
)
def test_more_numbers_than_memory_are_a_memory_error(value: Any) -> None:
    """If this fails numbers are listed one by one until the process is killed."""
    with pytest.raises(MemoryError, match="no memory for the numbers of `value`, got "):
        vs.Constant(value)


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


@pytest.mark.thread_unsafe(reason="measures the process's memory")
def test_a_part_of_a_large_identity_lists_no_long_axis() -> None:
    """If this fails a part of one row, or of none, takes the memory or the time of all columns."""
    size = 2**32
    assert vs.Identity()((2**40, 0)).shape == (2**40, 0)
    assert vs.Identity()((0, size)).shape == (0, size)
    assert vs.Identity()((size, size), index=(5, [4, 5, 6, -1])).tolist() == [0, 1, 0, 0]
    row = vs.Identity()((size, size), "float16", index=(slice(2**21, 2**21 + 1), slice(2**22)))
    assert row.shape == (1, 2**22)
    assert np.flatnonzero(row).tolist() == [2**21]
    tracemalloc.start()
    vs.Identity()((size, size), out=row, index=(slice(2**21, 2**21 + 1), slice(2**22)))
    assert tracemalloc.get_traced_memory()[1] < 2**20, "and int64 indices of the columns would take 2^25"
    tracemalloc.stop()


def test_identities_backwards() -> None:
    """If this fails a part whose rows or columns run backwards has its ones in other places."""
    for shape in ((5, 5), (4, 7), (7, 4)):
        eye = np.eye(*shape, dtype=np.float32)
        for index in (np.s_[:, ::-1], np.s_[::-1], np.s_[::-1, ::-2], np.s_[[2, 0], ::-1], np.s_[::-1, [3, 1]]):
            assert np.array_equal(vs.Identity()(shape, index=index), eye[index])


@pytest.mark.parametrize(
    ("init", "shape"),
    [(vs.Zeros(), (3, 4)), (vs.Ones("int8"), ()), (vs.Constant(-2.5), (5,)), (vs.Constant([1, 2, 3, 9]), (2, 2)),
     (vs.Constant([0.1] * 3), (3,)), (vs.Constant(True, bool), (2,)), (vs.Identity(-1.5), (3, 7)),
     (vs.Identity(2.0), (1, 1)), (vs.Identity(2.0), (5, 2))],
)  # fmt: skip
def test_descriptions_are_those_of_the_values(init: vs.Initializer, shape: tuple[int, ...]) -> None:
    """If this fails a model's table says something else than its constants are."""
    found = init.describe(shape)
    values = np.asarray(init(shape), np.float64)
    assert found[:2] == vs.RandomNormal().describe(shape)[:2]
    assert found[2:] == pytest.approx((values.mean(), values.std(), values.min(), values.max()), rel=1e-6)
    assert (found.stddev == 0) == (values.min() == values.max()), "exactly"


def test_descriptions_of_what_has_no_moments() -> None:
    """If this fails an infinite or empty constant has a made-up mean, or warns."""
    assert vs.Constant(-np.inf).describe((3,))[2:] == (-np.inf, 0.0, -np.inf, -np.inf)
    for init, shape in ((vs.Constant(np.nan), (3,)), (vs.Constant([]), (0,)), (vs.Identity(), (0, 3))):
        assert np.isnan(init.describe(shape)[2:]).all()
    for init, shape in ((vs.Constant([1, 2]), (3,)), (vs.Identity(), (3,)), (vs.Zeros(), (-1,))):
        with pytest.raises(ValueError, match="must"):
            init.describe(shape)


def test_constants_fold_to_themselves_and_fill_out() -> None:
    """If this fails a model cannot treat all its initializers alike."""
    assert vs.Zeros().fold_in("a") == vs.Zeros()
    for init in (vs.Zeros(), vs.Ones(), vs.Constant(3), vs.Identity()):
        out = np.full((3, 3), 9, np.float32)
        assert init((3, 3), out=out) is out
        assert np.array_equal(out, init((3, 3)))
