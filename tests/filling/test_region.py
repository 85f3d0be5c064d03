"""A box-shaped part of a tensor equals that slice of the whole, and the first values do not depend on the length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import reference
from oracle.core import fill, fill_at_once
from oracle.parts import Box, boxed, boxes


@settings(max_examples=2000, deadline=None)
@given(boxes(), st.sampled_from(reference.LAWS), st.sampled_from(list(reference.DTYPES)))
def test_a_part_is_the_slice_of_the_whole(box: Box, law: str, dtype: str) -> None:
    """If this fails a shard differs from the tensor it is a shard of."""
    full, offset, part = box
    whole = fill(law, dtype, full, scale=0.1)
    found = fill(law, dtype, part, scale=0.1, full_shape=full, offset=offset)
    assert found.tobytes() == boxed(whole, box).tobytes()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 5000), st.integers(0, 5000), st.sampled_from(list(reference.DTYPES)))
def test_the_first_values_do_not_depend_on_the_length(short: int, more: int, dtype: str) -> None:
    """If this fails a layer that grows changes the weights it had."""
    assert fill("normal", dtype, short).tobytes() == fill("normal", dtype, short + more)[:short].tobytes()


@pytest.mark.parametrize("dtype", reference.DTYPES)
def test_parts_that_cross_chunks(dtype: str) -> None:
    """If this fails a chunk of a part starts at the wrong row or in the middle of the wrong run."""
    full, offset, part = (700, 3, 311), (13, 1, 7), (600, 2, 301)
    whole = fill("normal", dtype, full)
    found = fill("normal", dtype, part, full_shape=full, offset=offset)
    assert found.tobytes() == np.ascontiguousarray(whole[13:613, 1:3, 7:308]).tobytes()


def test_parts_of_tensors_beyond_memory() -> None:
    """If this fails element numbers are cut to 32 bits, or the whole tensor is made on the way."""
    rows, columns = 2**24, 2**30
    found = fill("normal", "float32", (2, 5), full_shape=(rows, columns), offset=(rows - 2, columns - 5))
    elements = [row * columns + column for row in (rows - 2, rows - 1) for column in range(columns - 5, columns)]
    expected = [reference.values("normal", "float32", bytes(range(16)), np.array([e], np.uint64)) for e in elements]
    assert found.tobytes() == np.concatenate(expected).tobytes()


def test_parts_outside_are_refused() -> None:
    """If this fails a wrong offset silently gives other values."""
    for full, offset in (((4, 4), (0, 2)), ((4, 4), (3, 0)), ((4,), (0, 0)), ((2**40, 2**25), (0, 0))):
        with pytest.raises(ValueError, match=r"along axis|every axis|2\^64"):
            fill("normal", "float32", (2, 3), full_shape=full, offset=offset)


def test_the_arrays_of_one_fill_lie_apart() -> None:
    """If this fails two workers write one element at once, or an array without elements is in another's way."""
    memory = np.zeros((5, 1000), np.float32)
    empty = np.lib.stride_tricks.as_strided(memory[2:], (0, 1000), memory.strides)
    fill_at_once(memory[:2], empty, memory[2:])
    assert memory.all()
    for first, shared in ((memory, memory[2:3]), (memory[:2], memory[::-2]), (memory, memory.T[3:4])):
        with pytest.raises(ValueError, match="two arrays of one fill share memory"):
            fill_at_once(first, shared)
