"""Sweeps: threads that go through tensors piece by piece, and give their results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from .._core import exchange_num_threads, get_num_threads
from .._models.headers import Stored
from ._read import Bytes, read_pieces

Result = TypeVar("Result")
_AHEAD = 32
"""The most results that wait for one before them: while a thread hashes a large tensor, others go on with the next."""
RUN = 1 << 26
"""The bytes of a run: what one thread takes of a tensor that several share."""


class Sweep:
    """Calls that several threads make, as many as fills may use."""

    def __init__(self) -> None:
        self._stop = Event()

    def pieces(self, tensor: Stored, run: range | None = None) -> Iterator[Bytes]:
        """The bytes of a tensor, or a run of them, piece by piece, until the sweep is over."""
        for piece in read_pieces(tensor, run):
            if self._stop.is_set():
                return
            yield piece

    def in_order(self, calls: Iterable[Callable[[], Result]]) -> Generator[Result]:
        """The results of the calls, each once those before it are there. After an error, or Ctrl-C, the others stop."""
        threads = get_num_threads()
        waiting: deque[Future[Result]] = deque()
        # Who makes values here does so alone: the others have work of their own.
        with ThreadPoolExecutor(threads, "varscale-sweep", exchange_num_threads, (1,)) as pool:
            try:
                for call in calls:
                    waiting.append(pool.submit(call))
                    if len(waiting) > threads + _AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                self._stop.set()
                for future in waiting:
                    future.cancel()


def runs(tensor: Stored) -> list[range]:
    """The runs of a tensor's bytes; one of no bytes has one too."""
    return [range(start, min(start + RUN, tensor.nbytes)) for start in range(0, max(tensor.nbytes, 1), RUN)]
