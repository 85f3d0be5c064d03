"""The number of threads that a fill may use, changed for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import SupportsIndex

from .._core import exchange_num_threads


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
    before = exchange_num_threads(n)
    try:
        yield
    finally:
        exchange_num_threads(before)
