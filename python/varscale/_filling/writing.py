"""Arrays that are being written: a call is refused while another one is writing an element of its arrays.

No lock is taken, which a signal handler that interrupts its holder, or a forked child, would wait for for ever. The
steps that must not be divided are single operations on one dict.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from types import TracebackType
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

_numbers = count()
_calls: dict[int, ref[Writing]] = {}
"""The calls that are writing, in the order in which they came."""
_WORK = 10_000
"""The most work that NumPy may spend on finding a shared element; the views that people make take far less."""


class Writing:
    """Keeps other calls from writing the arrays within a `with` statement.

    Arrays that share no element may be written at the same time, however their elements interleave in memory. Arrays
    of one call may share elements.

    Raises:
        ValueError: On entry, where another call is writing an element of the arrays.
    """

    __slots__ = ("__weakref__", "_number", "arrays")

    def __init__(self, *arrays: NDArray[Any]) -> None:
        """The arrays are those that the statement is going to write."""
        self.arrays = arrays
        self._number = next(_numbers)

    def __enter__(self) -> None:
        # A weak reference, because Ctrl-C may come before `__exit__` and keep this call in the table.
        _calls[self._number] = ref(self)
        # Only then the look at those that came before: of two calls that share an element, one sees the other.
        if len(_calls) > 1 and any(_share(array, other) for other in _before(self._number) for array in self.arrays):
            _calls.pop(self._number, None)
            msg = "`out` shares memory with an array that another call is filling"
            raise ValueError(msg)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _calls.pop(self._number, None)


def _before(number: int) -> Iterator[NDArray[Any]]:
    """The arrays of the calls that came before this one."""
    for other, found in _calls.copy().items():
        if other == number:
            return
        call = found()
        if call is None:  # Ctrl-C kept it from leaving the table
            _calls.pop(other, None)
        else:
            yield from call.arrays


def _share(array: NDArray[Any], other: NDArray[Any]) -> bool:
    # Most arrays lie apart, which is seen from their first and last bytes.
    if not np.may_share_memory(array, other):
        return False
    try:
        return bool(np.shares_memory(array, other, max_work=_WORK))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:  # rather refuse a call than let two write one element
        return True


if hasattr(os, "register_at_fork"):
    # In a forked child nobody is writing: the threads of its parent are not there.
    os.register_at_fork(after_in_child=_calls.clear)
