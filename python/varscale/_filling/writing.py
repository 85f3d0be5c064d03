"""Arrays that are being written: a call is refused while another one is writing an element of its arrays."""

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
"""The most work that NumPy may spend on finding a shared element; the views that people make take far less."""


class Writing:
    """Keeps other calls from writing the arrays within a `with` statement.

    Arrays that share no element may be written at the same time, however their elements interleave in memory. Arrays
    of one call may share elements.

    Raises:
        ValueError: On entry, where another call is writing an element of the arrays.
    """

    __slots__ = ("__weakref__", "arrays")

    def __init__(self, *arrays: NDArray[Any]) -> None:
        """The arrays are those that the statement is going to write."""
        self.arrays = arrays

    def __enter__(self) -> None:
        with _lock:
            if _calls and any(_share(array, other) for other in _others() for array in self.arrays):
                msg = "`out` shares memory with an array that another call is filling"
                raise ValueError(msg)
            # A weak reference, because Ctrl-C may come before `__exit__` and keep this call in the table.
            _calls[id(self)] = ref(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _lock:
            _calls.pop(id(self), None)


def _others() -> Iterator[NDArray[Any]]:
    """The arrays that are being written, without those of calls that Ctrl-C kept from leaving the table."""
    for call in [alive for alive in (found() for found in _calls.values()) if alive is not None]:
        yield from call.arrays


def _share(array: NDArray[Any], other: NDArray[Any]) -> bool:
    # Most arrays lie apart, which is seen from their first and last bytes.
    if not np.may_share_memory(array, other):
        return False
    try:
        return bool(np.shares_memory(array, other, max_work=_WORK))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:  # rather refuse a call than let two write one element
        return True


def _forget() -> None:
    """Starts afresh in a forked child: nobody is writing there, and the thread that held the lock is gone."""
    global _lock, _calls
    _lock, _calls = Lock(), {}


_lock: Lock
_calls: dict[int, ref[Writing]]
_forget()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
