"""How many threads a fill may use, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import SupportsIndex

from ._core import get_num_threads, set_num_threads


@contextmanager
def num_threads(n: SupportsIndex) -> Iterator[None]:
    """Within a `with` block, fills use at most `n` threads; after it, as many as before.

    The setting belongs to the process: other Python threads see it too. The values never depend on it.

    Raises:
        TypeError: `n` is not an integer.
        ValueError: `n` is not in 1 to 1024.

    Example:
        >>> import varscale as vs
        >>> with vs.num_threads(1):
        ...     vs.get_num_threads()
        1
    """
    before = get_num_threads()
    set_num_threads(n)
    try:
        yield
    finally:
        set_num_threads(before)
