"""The number of threads that a fill may use, changed for good or for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import index
from typing import Any, SupportsIndex

from .._arguments.show import show
from .._core import MAX_THREADS, exchange_num_threads
from .._core import set_num_threads as core_set_num_threads


def set_num_threads(n: SupportsIndex) -> None:
    """Sets how many threads a fill may use.

    Raises:
        TypeError: `n` is not an integer.
        ValueError: `n` is not in 1 to 1024.
    """
    core_set_num_threads(_count(n))


@contextmanager
def num_threads(n: SupportsIndex) -> Iterator[None]:
    """Within a `with` statement, the fills of this Python thread use at most `n` threads; after it, as many as before.

    Other Python threads keep the number that `set_num_threads` was given. The values never depend on it.

    Raises:
        TypeError: `n` is not an integer.
        ValueError: `n` is not in 1 to 1024.

    Example:
        >>> import varscale as vs
        >>> with vs.num_threads(1):
        ...     vs.get_num_threads()
        1
    """
    before = exchange_num_threads(_count(n))
    try:
        yield
    finally:
        exchange_num_threads(before)


def _count(n: Any) -> int:
    """`n` as a number of threads."""
    try:
        # In Python a bool is an integer; as a number of threads it is a slip.
        count = None if isinstance(n, bool) else index(n)
    except TypeError:
        # A float is a number all the same: its value is wrong, not its kind.
        count = 0 if hasattr(n, "__float__") else None
    if count is None:
        msg = f"`num_threads` must be an integer, got {show(n)}"
        raise TypeError(msg)
    if not 1 <= count <= MAX_THREADS:
        msg = f"`num_threads` must be an integer from 1 to {MAX_THREADS}, got {show(n)}"
        raise ValueError(msg)
    return count
