"""Two fills at once: of one element the second is refused, of memory that merely interleaves both work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import varscale as vs
from varscale._filling import writing as _writing
from varscale._filling.writing import Writing

INIT = vs.lecun_normal(5)
SLOW = vs.TruncatedNormal(seed=1, lower=-5, upper=5)


def while_filling(first: np.ndarray, work: Callable[[], object]) -> ValueError | None:
    """Works while a thread fills `first` over and over, twenty times or until it is refused; returns the refusal."""
    stop = threading.Event()

    def fill() -> None:
        while not stop.is_set():
            with suppress(ValueError):  # the work has begun between two fills
                SLOW(first.shape, out=first)

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        for _ in range(20):
            while not _writes(first):
                time.sleep(0)
            work()
    except ValueError as error:
        return error
    finally:
        stop.set()
        thread.join()
    return None


def _writes(array: np.ndarray) -> bool:
    """Whether a call is writing an element of it. Only looks: who enters `Writing` keeps the others out."""
    return any(_writing._share(array, other) for other in _writing._before(-1))


def _refuses(array: np.ndarray) -> bool:
    try:
        with Writing(array):
            return False
    except ValueError:
        return True


BASE = np.zeros((2000, 2000), np.float32)
BUFFER = bytearray(4_000_000)


@pytest.mark.thread_unsafe(reason="fills arrays that its copies share")
@pytest.mark.parametrize("init", [INIT, vs.Ones(), vs.Constant(2.0)])
@pytest.mark.parametrize(
    ("first", "second"),
    [(BASE, BASE), (BASE, BASE[5:9]), (BASE[:1001], BASE[1000:1001]), (BASE, BASE.T[::7]), (BASE.reshape(-1), BASE[-1]),
     (np.frombuffer(BUFFER, np.float32), np.frombuffer(BUFFER, np.float32, 100, 4000))],
)  # fmt: skip
def test_a_second_fill_of_an_element_is_refused(init: vs.Initializer, first: np.ndarray, second: np.ndarray) -> None:
    """If this fails two threads write one element at once, and what it holds is a matter of luck."""
    error = while_filling(first, lambda: init(second.shape, out=second))
    assert str(error) == "`out` shares memory with an array that another call is filling"
    init(second.shape, out=second)


@pytest.mark.thread_unsafe(reason="fills arrays that its copies share")
@pytest.mark.parametrize(
    ("first", "second"),
    [(BASE[::2], BASE[1::2]), (BASE[:, :1000], BASE[:, 1000:]), (BASE.T[:1000], BASE.T[1000:]),
     (BASE[:1000], BASE[1000:]), (BASE[:, ::2], BASE[::2, 1::2]),
     (np.frombuffer(BUFFER, np.float32, 900_000), np.frombuffer(BUFFER, np.float32, -1, 3_600_000))],
)  # fmt: skip
def test_views_without_a_common_element_are_filled_at_once(first: np.ndarray, second: np.ndarray) -> None:
    """If this fails blocks of columns, or views that interleave, get in each other's way."""
    expected = INIT(second.shape)
    assert while_filling(first, lambda: INIT(second.shape, out=second)) is None
    assert np.array_equal(second, expected)
    assert np.array_equal(first, SLOW(first.shape))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_arrays_share_what_their_elements_do(data: st.DataObject) -> None:
    """If this fails a pair of views is refused that may be filled at once, or the other way round."""
    numbers = np.arange(6 * 5 * 7, dtype=np.int64).reshape(6, 5, 7)

    def view() -> np.ndarray:
        entries = tuple(data.draw(st.slices(size)) for size in numbers.shape)
        return numbers[entries].transpose(data.draw(st.permutations(range(3))))

    first, second = view(), view()
    shared = bool(set(first.ravel().tolist()) & set(second.ravel().tolist()))
    with Writing(first):
        assert _refuses(second) == shared
    assert not _refuses(second)


def test_a_failed_fill_frees_its_array() -> None:
    """If this fails an array whose fill raised can never be filled again."""
    out = np.zeros((3, 4), np.float32)
    with pytest.raises(ValueError, match="shape"):
        INIT((4, 3), out=out)
    with pytest.raises(ValueError, match="overflow"):
        vs.RandomNormal(stddev=1e39)((3, 4), out=out)
    assert INIT((3, 4), out=out) is out
