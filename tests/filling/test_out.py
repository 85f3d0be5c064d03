"""`out=` in any memory order: views, transposed and Fortran-ordered arrays, backwards, files."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import varscale as vs
from oracle.core import fill_at_once

INIT = vs.lecun_normal(5)
DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
VIEWS: dict[str, Callable[[type], np.ndarray]] = {
    "Fortran order": lambda dtype: np.zeros((300, 411), dtype, order="F"),
    "transposed": lambda dtype: np.zeros((411, 300), dtype).T,
    "every second column": lambda dtype: np.zeros((300, 822), dtype)[:, ::2],
    "backwards": lambda dtype: np.zeros((300, 411), dtype)[::-1, ::-1],
    "a middle block": lambda dtype: np.zeros((310, 500), dtype)[5:305, 9:420],
    "axes of another tensor": lambda dtype: np.zeros((411, 3, 300), dtype)[:, 1].T,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", VIEWS)
def test_views_are_filled_in_place(name: str, dtype: type) -> None:
    """If this fails a view is transposed, copied, or something beside it is written."""
    out = VIEWS[name](dtype)
    assert not out.flags.c_contiguous
    base = out if out.base is None else out.base
    assert INIT(out.shape, out=out) is out
    assert out.tobytes() == INIT((300, 411), dtype).tobytes()
    assert np.count_nonzero(base) == np.count_nonzero(out)
    assert INIT((600, 1233), index=np.s_[::-2, 1::3], out=out) is out
    assert out.tobytes() == INIT((600, 1233), dtype)[::-2, 1::3].tobytes()
    part = vs.PartitionInfo((600, 500), (7, 80))
    INIT((300, 411), None, part, out=out)
    assert out.tobytes() == INIT((600, 500), dtype)[7:307, 80:491].tobytes()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_view_equals_a_new_array(data: st.DataObject) -> None:
    """If this fails some stride, order or empty view goes wrong."""
    rank = data.draw(st.integers(0, 4))
    order = data.draw(st.permutations(range(rank)))
    base = np.zeros(tuple(data.draw(st.integers(0, 12)) for _ in range(rank)), np.float32)
    steps = tuple(slice(None, None, data.draw(st.sampled_from([1, 2, 3, -1, -2]))) for _ in range(rank))
    out = base.transpose(order)[(*steps, ...)]
    assert INIT(out.shape, out=out).tobytes() == INIT(out.shape).tobytes()


def test_views_of_many_axes() -> None:
    """If this fails an array of NumPy's 64 axes ends in a panic, or holds other values."""
    shape = (1,) * 62 + (2, 3)
    for out in np.zeros(shape, np.float32), np.zeros(shape[::-1], np.float32).T:
        assert INIT(shape, out=out).tobytes() == INIT(shape).tobytes()


@pytest.mark.thread_unsafe(reason="sets the process's number of threads")
def test_large_views_on_any_number_of_threads() -> None:
    """If this fails pieces of a large view overlap or are left out."""
    out = np.zeros((3001, 2003), np.float32, order="F")
    expected = INIT(out.shape).tobytes()
    for count in (1, 2, 7):
        with vs.num_threads(count):
            out[:] = 0
            INIT(out.shape, out=out)
        assert out.tobytes() == expected


@pytest.mark.thread_unsafe(reason="counts the memory of the whole process")
def test_a_view_needs_no_second_array() -> None:
    """If this fails filling a transposed parameter takes its size again in memory."""
    out = np.zeros((2048, 4096), np.float32).T
    tracemalloc.start()
    INIT(out.shape, out=out)
    vs.Ones()(out.shape, out=out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def unaligned() -> np.ndarray:
    return np.zeros(4 * 6 * 4 + 1, np.uint8)[1:].view(np.float32).reshape(4, 6)


def read_only() -> np.ndarray:
    out = np.zeros((4, 6), np.float32)
    out.flags.writeable = False
    return out


FIT = np.zeros((4, 6), np.float32)
UNFIT = {
    "wrapped": lambda: np.lib.stride_tricks.as_strided(np.zeros(24, np.float32), (4, 6), (0, 4)),
    "close together": lambda: np.lib.stride_tricks.as_strided(np.zeros(24, np.float32), (4, 6), (12, 4)),
    "unaligned": unaligned,
    "read-only": read_only,
}


class Liar(np.ndarray):
    """An array that says of itself what is true of another one."""

    def __getattribute__(self, name: str) -> Any:
        return getattr(FIT, name)

    __getitem__ = __setitem__ = __array_function__ = __array_ufunc__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "init", [INIT, vs.RandomNormal(seed=vs.replay.torch(1)), vs.Ones()], ids=["ours", "torch", "ones"]
)
def test_what_a_subclass_says_of_itself_does_not_count(init: vs.Initializer) -> None:
    """If this fails two threads write one element, or memory beside an array, because a class said what is not true."""
    for out in (*(make() for make in UNFIT.values()), np.zeros((6, 4), np.float32), np.zeros(4, np.float32)):
        with pytest.raises(ValueError, match="`out` must"):
            init((4, 6), out=out.view(Liar))
        assert not out.any()
    for view in VIEWS.values():
        out = view(np.float32)[:4, :6]
        lying = out.view(Liar)
        assert init((4, 6), out=lying) is lying
        assert out.tobytes() == init((4, 6)).tobytes()
    with pytest.raises(TypeError, match="`out` must be an array of the element's dtype"):
        INIT((4, 6), out=np.zeros((4, 6)).view(Liar))


@pytest.mark.parametrize("name", UNFIT)
def test_the_core_asks_the_array_once_more(name: str) -> None:
    """If this fails the core relies on what Python has seen of an array."""
    with pytest.raises(ValueError, match="`out` must be aligned, writable and free of overlap"):
        fill_at_once(UNFIT[name]())


def test_files(tmp_path: Path) -> None:
    """If this fails weights cannot be written straight into a file."""
    for order in "CF":
        out = np.memmap(tmp_path / order, np.float32, "w+", shape=(500, 301), order=order)  # type: ignore[call-overload]
        INIT((500, 301), out=out)
        out.flush()
        kept = np.fromfile(tmp_path / order, np.float32).reshape((500, 301), order=order)  # type: ignore[call-overload]
        assert np.array_equal(kept, INIT((500, 301)))
