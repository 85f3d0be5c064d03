"""`index=` gives exactly `tensor[index]`, for whatever NumPy takes as an index, and makes nothing else."""

from __future__ import annotations

import itertools
import tracemalloc
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import varscale as vs
from arguments.cost import seconds
from oracle import reference
from oracle.parts import cases, sliced

FLOATS = ("float16", "bfloat16", "float32", "float64")
RANDOM = (
    vs.lecun_normal(3),
    vs.VarianceScaling(2.0, "fan_avg", "untruncated_normal", 3),
    vs.he_uniform(3),
    vs.RandomNormal(1.0, 2.0, 3),
    vs.TruncatedNormal(1.0, 2.0, 3, lower=-1.0, upper=3.0),
    vs.RandomUniform(-1, 2, 3),
)
FIXED = (vs.Constant(3.5), vs.Zeros(), vs.Ones())


def check(init: Any, dtype: str, case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    shape, index = case
    expected = sliced(init(shape, dtype), index)
    found = init(shape, dtype, index=index)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert found.tobytes() == expected.tobytes()
    out = np.empty(expected.shape[::-1], expected.dtype).T
    assert init(shape, index=index, out=out) is out
    assert out.tobytes() == expected.tobytes()
    lazy = init.lazy(shape, dtype)[index]
    assert lazy.tobytes() == expected.tobytes()


@settings(max_examples=1000, deadline=None)
@given(cases(), st.sampled_from(RANDOM + FIXED), st.sampled_from(FLOATS))
def test_index_is_the_slice(case: tuple[tuple[int, ...], tuple[Any, ...]], init: Any, dtype: str) -> None:
    """If this fails a shard made alone differs from the same shard of the whole."""
    check(init, dtype, case)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(cases(), st.sampled_from(RANDOM + FIXED), st.sampled_from(FLOATS))
def test_index_is_the_slice_in_10_000_cases(
    case: tuple[tuple[int, ...], tuple[Any, ...]], init: Any, dtype: str
) -> None:
    """As above, more of them."""
    check(init, dtype, case)


def check_identity_and_list(case: tuple[tuple[int, ...], tuple[Any, ...]], dtype: str) -> None:
    check(vs.Identity(2.0), dtype, case)
    check(vs.Constant(list(range(prod(case[0])))), dtype, case)


MATRICES = cases(rank=2)


@settings(max_examples=200, deadline=None)
@given(MATRICES, st.sampled_from(FLOATS))
def test_parts_of_identities_and_lists(case: tuple[tuple[int, ...], tuple[Any, ...]], dtype: str) -> None:
    """If this fails the diagonal, or a list's values, land elsewhere; repeated indices too."""
    check_identity_and_list(case, dtype)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(MATRICES, st.sampled_from(FLOATS))
def test_parts_of_identities_and_lists_in_10_000_cases(
    case: tuple[tuple[int, ...], tuple[Any, ...]], dtype: str
) -> None:
    """As above, more of them."""
    check_identity_and_list(case, dtype)


@pytest.mark.parametrize(
    ("index", "shape"),
    [(-1, (4, 5)), ((1, 2, 3), ()), (..., (3, 4, 5)), ((), (3, 4, 5)), (slice(None, None, -1), (3, 4, 5)),
     (([2, 0], ..., [1, 1, -1]), (2, 4, 3)), ((..., range(0, 5, 2)), (3, 4, 3)), (np.int8(2), (4, 5)),
     ((slice(5, 1), 0), (0, 5)), (([],), (0, 4, 5)), (np.array([1], np.uint64), (1, 4, 5))],
)  # fmt: skip
def test_shapes_of_parts(index: Any, shape: tuple[int, ...]) -> None:
    """If this fails an index means another part than NumPy's, or integers keep their axes."""
    assert vs.lecun_normal(1)((3, 4, 5), index=index).shape == shape
    assert vs.lecun_normal(1).lazy((3, 4, 5))[index].shape == shape


@pytest.mark.parametrize(
    ("index", "message"),
    [(3, "`index` 3 is out of bounds for axis 0 with size 3"), (-4, "`index` -4 is out of bounds for axis 0"),
     ((0, [1, 4]), "`index` 4 is out of bounds for axis 1 with size 4"), ((0, [-5]), "`index` -5 is out of bounds"),
     ((0, 0, 0), "at most 2 entries"), ((..., ...), "at most one Ellipsis"), (None, "integers, slices"),
     (np.ones((3, 4), bool), "integers, slices"), ([True, False, True], "integers, slices"), (True, "integers, slices"),
     (np.array([[0, 1]]), "integers, slices"), (1.0, "integers, slices"), ("a", "integers, slices"),
     ([0.5], "integers, slices"), ([[0], [1, 2]], "integers, slices"), (([[0], [1, 2]],), "integers, slices"),
     (slice(0.5), "slices of integers"), (slice(0, 2, 0), "a step that is not 0")],
)  # fmt: skip
def test_wrong_indices_are_index_errors(index: Any, message: str) -> None:
    """If this fails a mask or a float silently chooses something."""
    for init in (vs.lecun_normal(1), vs.Zeros()):
        with pytest.raises(IndexError, match=message):
            init((3, 4), index=index)
        with pytest.raises(IndexError, match=message):
            init.lazy((3, 4))[index]


@pytest.mark.parametrize(
    "index",
    [range(10**8), range(10**30), range(-(10**30), 5), range(10**8, 0, -1), ["a"] * 10**6, [np.zeros(10**6)] * 2,
     np.broadcast_to(0, (2**45,)), [np.broadcast_to(0, (2**45,))], np.broadcast_to(0.5, (2**45,)), [[0] * 10**6] * 2],
    ids=lambda index: type(index).__name__,
)  # fmt: skip
def test_what_no_axis_has_is_refused_at_once(index: Any) -> None:
    """If this fails a range or a view, which takes no memory, is listed before it is refused."""
    for init in (vs.lecun_normal(1), vs.Zeros()):
        with pytest.raises((IndexError, MemoryError), match="`index`"):
            init((10, 10), index=index)
        with pytest.raises((IndexError, MemoryError), match="`index`"):
            init.lazy((10, 10))[:, index]
    assert seconds(lambda: init((10, 10), index=index)) < 0.05


def test_ranges_mean_their_indices() -> None:
    """If this fails a range around 0, which counts from both ends of the axis, makes other elements."""
    init, size = vs.lecun_normal(1), 5
    whole, ends = init((size, 2)), range(-size - 1, size + 1)
    for start, stop, step in itertools.product(ends, ends, (1, 2, 3, -1, -2, -3)):
        entry = range(start, stop, step)
        if all(-size <= number < size for number in entry):
            assert np.array_equal(init((size, 2), index=entry), whole[list(entry)])
    far = init((2**63, 2), index=(range(-2, 3), 1))
    assert np.array_equal(far, init((2**63, 2), index=([2**63 - 2, 2**63 - 1, 0, 1, 2], 1)))


def test_lists_hold_any_integers() -> None:
    """If this fails indices that were computed with NumPy are refused, or those of 64 bits become floats."""
    init = vs.lecun_normal(1)
    assert np.array_equal(init((3, 2), index=[np.int8(2), np.array(0), 1]), init((3, 2))[[2, 0, 1]])
    assert np.array_equal(init((2**64,), index=[-1, 2**63, 0]), init((2**64,), index=[2**64 - 1, 2**63, 0]))
    with pytest.raises(IndexError, match="`index` <integer of 333 bits> is out of bounds for axis 0"):
        init((3, 2), index=[0, 10**100])


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_narrow_indices_count_from_the_end_of_a_long_axis(dtype: type) -> None:
    """If this fails -1 means another element where the axis is longer than the array's dtype can say."""
    whole = vs.lecun_normal(1)((70_000,))
    index = np.array([-1, -128, 5, -2], dtype)
    assert vs.lecun_normal(1)((70_000,), index=index).tobytes() == whole[[-1, -128, 5, -2]].tobytes()


def test_a_part_is_named_in_one_way() -> None:
    """If this fails one of two contradicting parts is silently ignored."""
    init, info = vs.lecun_normal(1), vs.PartitionInfo((3, 4), (0, 0))
    with pytest.raises(TypeError, match="in one way"):
        init((3, 4), None, info, index=0)
    with pytest.raises(TypeError, match="in one way"):
        init((3, 4), index=0, partition_shape=(1, 1), partition_offset=(0, 0))


@pytest.mark.parametrize("dtype", FLOATS)
def test_far_elements_are_the_oracles(dtype: str) -> None:
    """If this fails element numbers are cut to 32 or 40 bits, or a tensor beyond memory is made."""
    init, shape = vs.RandomNormal(0.0, 1.0, 7, dtype), (2**20, 2**24)
    name = reference.identity(None, 7)
    tracemalloc.start()
    for rows, columns in (([0, 2**8, 2**8 + 1], [2**24 - 1, 0]), ([2**16, 2**20 - 1], [5, 6, 7, 2**23])):
        elements = np.array([row * 2**24 + column for row in rows for column in columns], np.uint64)
        expected = reference.values("normal", dtype, name, elements)
        assert init(shape, index=(rows, columns)).tobytes() == expected.tobytes()
    assert (
        init((2**63, 2), index=(-1, -1)).tobytes()
        == reference.values("normal", dtype, name, np.array([2**64 - 1], np.uint64)).tobytes()
    )
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("index", "numbers"),
    [(0, [0]), (-1, [2**64 - 1]), ([0, -1, 2**63 - 1, -1], [0, 2**64 - 1, 2**63 - 1, 2**64 - 1]),
     (np.array([2**64 - 1, 3, 8], np.uint64), [2**64 - 1, 3, 8]),
     (slice(None, None, 2**63), [0, 2**63]), (slice(None, None, -(2**63) - 3), [2**64 - 1, 2**63 - 4]),
     (slice(5, None, 10**30), [5]), (slice(None, None, 1 - 2**62), [2**64 - 1 - i * (2**62 - 1) for i in range(5)])],
)  # fmt: skip
def test_an_axis_of_all_2_to_the_64_elements(index: Any, numbers: list[int], dtype: str) -> None:
    """If this fails an extent, an index or a step beyond 64 bits is an error of the border, or another element."""
    init, name = vs.RandomNormal(0.0, 1.0, 7, dtype), reference.identity(None, 7)
    expected = reference.values("normal", dtype, name, np.array(numbers, np.uint64))
    assert init((2**64,), index=index).tobytes() == expected.tobytes()
    assert init.lazy((1, 2**64, 1))[:, index].tobytes() == expected.tobytes()
    out = np.zeros((2, len(numbers), 1), expected.dtype)
    init.lazy((2**64, 1)).fill(out[1], ([index] if isinstance(index, int) else index, [0]))
    assert out[1].tobytes() == expected.tobytes()
    assert not out[0].any()


def test_parts_of_nothing() -> None:
    """If this fails an extent beyond 64 bits beside an empty axis is an error of the border."""
    for init in (vs.lecun_normal(1), vs.Identity(), vs.Zeros()):
        lazy = init.lazy((0, 2**70))
        assert lazy[:, :5].shape == (0, 5)
        assert lazy[:, [-1, 3]].shape == (0, 2)
        assert lazy[:, -1].shape == (0,)
        with pytest.raises(ValueError, match="address space"):
            lazy[...]


def test_more_than_2_to_the_64_elements_are_refused() -> None:
    """If this fails the stream is left, or memory taken, before the error."""
    with pytest.raises(ValueError, match=r"2\^64 elements"):
        vs.lecun_normal(1)((2**33, 2**32), index=(0, 0))
    with pytest.raises(ValueError, match=r"2\^64 elements"):
        vs.lecun_normal(1).lazy((2**33, 2**32))
    with pytest.raises(ValueError, match="address space"):
        vs.lecun_normal(1)((2**32, 2**32), index=slice(None, None, 2))
