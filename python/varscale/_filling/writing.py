"""Arrays that are being written: whoever would write an element that another call is writing is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Lock
from types import TracebackType
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

_WORK = 10_000
"""What finding out whether two arrays share an element may cost; for the views that people make it is far less."""


class Writing:
    """While it is entered, the arrays belong to this call.

    Arrays that share no element may be written at once, however their elements interleave in memory. Arrays of one call
    may share what they like.

    Raises:
        ValueError: Another call is writing an element of them.
    """

    __slots__ = ("__weakref__", "arrays")

    def __init__(self, *arrays: NDArray[Any]) -> None:
        """Takes the arrays that are going to be written."""
        self.arrays = arrays

    def __enter__(self) -> None:
        with _lock:
            if _calls and any(_share(array, other) for other in _others() for array in self.arrays):
                msg = "`out` shares memory with an array that another call is filling"
                raise ValueError(msg)
            _calls[id(self)] = ref(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _lock:
            _calls.pop(id(self), None)


def _others() -> Iterator[NDArray[Any]]:
    """What is being written. A call that Ctrl-C kept from leaving is gone all the same."""
    for call in [alive for alive in (found() for found in _calls.values()) if alive is not None]:
        yield from call.arrays


def _share(array: NDArray[Any], other: NDArray[Any]) -> bool:
    if not np.may_share_memory(array, other):
        return False
    try:
        return bool(np.shares_memory(array, other, max_work=_WORK))  # type: ignore[arg-type]  # NumPy's stub is narrower
    except np.exceptions.TooHardError:
        return True


def _forget() -> None:
    """In a forked child nobody is writing, nor will the lock be released by a thread that is not there."""
    global _lock, _calls
    _lock, _calls = Lock(), {}


_lock: Lock
_calls: dict[int, ref[Writing]]
_forget()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
