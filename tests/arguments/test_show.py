"""What messages show of a value: its repr if that is short, and never more than is read or than costs time."""

from __future__ import annotations

import array
import time
from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arguments.anything import ANYTHING, value_of
from varscale._arguments.show import show

MANY = 10**6
ORDINARY = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**128) + 1, 2**128 - 1), st.floats(), st.complex_numbers(),
        st.text(max_size=20), st.binary(max_size=20), st.just(...), st.sampled_from([int, len, np.float32]),
        st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 3)), st.slices(9),
        st.sampled_from([np.float32(1.5), np.int8(3), np.dtype(">f4"), np.arange(3), np.array([0.5, -0.0])]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple), st.sets(st.integers(), max_size=3),
        st.dictionaries(st.text(max_size=3), inner), st.frozensets(st.text(max_size=3), max_size=3),
    ),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(ORDINARY)
def test_small_values_are_their_repr(value: Any) -> None:
    """If this fails a message does not show what its caller wrote."""
    if len(repr(value)) <= 200:
        assert show(value) == repr(value)


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_anything_is_shown_in_few_letters(text: str) -> None:
    """If this fails a message is megabytes long, or the error that was to be raised is lost in another one."""
    assert 0 < len(show(value_of(text))) <= 300


@pytest.mark.parametrize(
    "value",
    [
        [0] * MANY, ("a",) * MANY, {*range(MANY)}, frozenset(range(MANY)), deque([0] * MANY), "x" * MANY, b"x" * MANY,
        dict.fromkeys(range(MANY)), dict.fromkeys(range(MANY)).keys(), bytearray(MANY), array.array("i", [0] * MANY),
        [[[["x" * MANY] * MANY] * MANY] * MANY] * MANY, [{"a": [0] * MANY}] * MANY, 10**MANY, [10**MANY] * MANY,
        range(10**MANY), slice([0] * MANY, 10**MANY), np.zeros(MANY), np.array([[0] * MANY, None], object),
        np.zeros(3, "f4," * 10**4), np.dtype("f4," * 10**4), np.array("x" * MANY), np.str_("x" * MANY),
        value_of("deep('list')"), value_of("deep('tuple')"), value_of("deep('dict')"), value_of("itself('list')"),
        type("Many", (list,), {})([0] * MANY), type("x" * MANY, (), {})(), type("x" * MANY, (), {}),
    ],
    ids=lambda value: type(value).__name__[:20],
)  # fmt: skip
def test_large_values_are_shown_at_once(value: Any) -> None:
    """If this fails the refusal of a large argument takes as long as its use would."""
    seconds = []
    for _ in range(5):
        start = time.thread_time()
        assert len(show(value)) <= 300
        seconds.append(time.thread_time() - start)
    assert min(seconds) < 0.02


def test_an_array_is_its_shape_and_dtype() -> None:
    """If this fails a message shows numbers in place of what is wrong with an array."""
    assert show(np.zeros((30, 40), np.float32)) == "<array of shape (30, 40) and dtype float32>"
    assert show([np.array([None])]) == "[<array of shape (1,) and dtype object>]"
