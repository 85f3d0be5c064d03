"""Measuring: what threads find of every tensor, piece by piece, put together in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from .._core import get_num_threads
from .._filling.lazy import Lazy
from .._models.headers import Stored
from ._old import copy
from ._pieces import Span, spans
from ._read import PIECE, Bytes
from ._sweep import Sweep, runs
from ._tally import Bins, Moments, tally


class Measured(NamedTuple):
    """What is found of a tensor, or of a run of it."""

    sha256: str = ""
    moments: tuple[Moments, ...] = ()
    """Those of each piece, in order."""
    bins: Bins = np.zeros(1 << 16, np.uint64)
    """How many numbers the bins hold."""
    exact: bool | None = None
    """Whether its bytes are those that the plan and the seed give; None where that is not known."""

    def with_(self, other: Measured) -> Measured:
        """What is found of both."""
        exact = other.exact if self.exact is None else self.exact and other.exact is not False
        bins = self.bins + other.bins if self.moments and other.moments else other.bins if other.moments else self.bins
        return Measured(self.sha256 or other.sha256, self.moments + other.moments, bins, exact)


def measure(
    stored: Mapping[str, Stored], lazies: Mapping[str, Lazy], olds: Mapping[str, Stored]
) -> Iterator[tuple[str, Measured]]:
    """What is found of each tensor, in order; `lazies` are those whose bytes are known, `olds` what is kept of them."""
    sweep = Sweep()
    share = sum(tensor.nbytes for tensor in stored.values()) // get_num_threads()
    calls = {
        name: list(_calls(sweep, name, tensor, lazies.get(name), olds.get(name), share))
        for name, tensor in stored.items()
    }
    with closing(sweep.in_order(chain.from_iterable(calls.values()))) as results:
        for name, made in calls.items():
            found = Measured()
            for part in islice(results, len(made)):
                found = found.with_(part)
            yield name, found


def _calls(
    sweep: Sweep, name: str, tensor: Stored, lazy: Lazy | None, old: Stored | None, share: int
) -> Iterator[Callable[[], Measured]]:
    """All that is to be done for a tensor, where `share` bytes are a thread's share of all."""
    cut = runs(tensor)
    if tensor.nbytes <= share or len(cut) == 1:
        yield partial(_look, sweep, tensor, cut, hashes=True)
    else:
        # A hash needs all that comes before, so that one thread makes it while others count.
        yield partial(_hash, sweep, tensor)
        yield from (partial(_look, sweep, tensor, [run], hashes=False) for run in cut)
    if lazy is not None:
        if (tensor.shape, tensor.dtype) == (lazy.shape, lazy.dtype):
            yield from (partial(_compare, sweep, tensor, lazy, old, span) for span in spans(name, lazy))
        else:
            yield partial(Measured, exact=False)


def _look(sweep: Sweep, tensor: Stored, cut: list[range], *, hashes: bool) -> Measured:
    """Counts runs, and hashes them: whatever looks at a piece finds it in the cache."""
    from hashlib import sha256  # here and below, because it loads OpenSSL

    digest, bins = sha256(), np.zeros(1 << 16, np.uint64)

    def pieces(run: range) -> Iterator[Bytes]:
        for piece in sweep.pieces(tensor, run):
            if hashes:
                digest.update(piece.data)
            yield piece

    moments = tuple(chain.from_iterable(tally(tensor.dtype, pieces(run), bins) for run in cut))
    return Measured(digest.hexdigest() if hashes else "", moments, bins)


def _hash(sweep: Sweep, tensor: Stored) -> Measured:
    from hashlib import sha256

    digest = sha256()
    for piece in sweep.pieces(tensor):
        digest.update(piece.data)
    return Measured(digest.hexdigest())


def _compare(sweep: Sweep, tensor: Stored, lazy: Lazy, old: Stored | None, span: Span) -> Measured:
    """Whether a span has the bytes that are made for it."""
    values = lazy[span.box].reshape(-1)
    if old is not None:
        copy(old, span.start, values)
    made = values.view(np.uint8)
    start = span.start * lazy.dtype.itemsize
    pieces = sweep.pieces(tensor, range(start, start + made.size))
    return Measured(exact=all(np.array_equal(made[n * PIECE :][: piece.size], piece) for n, piece in enumerate(pieces)))
