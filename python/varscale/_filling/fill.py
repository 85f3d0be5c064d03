"""Filling: the one way into the core, for one array or for many in one parallel pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from sys import maxsize
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.parts import Part
from .._core import fill as core_fill
from .._sources.source import Drawn, Source, Written
from .arrays import check_out, new_array
from .pieces import assign
from .writing import Writing

if TYPE_CHECKING:
    from .._core import _Job

Fill = tuple[NDArray[Any], Part, Source]
"""An array, which part of its tensor it holds, and what it is filled from."""


def make(source: Source, part: Part, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """The array of a part, filled: a new one, or `out`, which belongs to this call meanwhile."""
    if out is None:
        array = new_array(part.shape, source.dtype)
        fill(((array, part, source),))
        return array
    check_out(out, part.shape)
    with Writing(out):
        fill(((out, part, source),))
    return out


class Pass:
    """Arrays that are filled together, in one parallel pass or in several of bounded size.

    An `out` belongs to the caller, who sees to it that no other call writes it.
    """

    def __init__(self, most: int = maxsize, report: Callable[[int], object] | None = None) -> None:
        """Begins a new pass after `most` bytes, and reports the bytes of each."""
        self._most, self._report = most, report
        self._fills: list[Fill] = []
        self._pending = 0

    def add(self, source: Source, part: Part, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The array of a part: a new one, or `out`. It is filled once the pass has run."""
        array = new_array(part.shape, source.dtype) if out is None else check_out(out, part.shape)
        self._fills.append((array, part, source))
        self._pending += array.nbytes
        if self._pending >= self._most:
            self.run()
        return array

    def run(self) -> None:
        """Fills what has been added since the last pass."""
        fills, pending = self._fills, self._pending
        self._fills, self._pending = [], 0
        fill(fills)
        if pending and self._report is not None:
            self._report(pending)


def fill(fills: Iterable[Fill]) -> None:
    """Writes all the arrays. What Python writes comes first, the rest is one parallel pass of the core."""
    jobs: list[_Job] = []
    in_order: list[tuple[NDArray[Any], NDArray[Any]]] = []
    for array, part, source in fills:
        if isinstance(source, Written):
            if array.size:
                source.write(array, part)
            continue
        target = array
        if source.in_order and not array.flags.c_contiguous:
            # Its words are counted out element by element: they fill a C-ordered array, which is then copied.
            target = np.empty(array.shape, array.dtype)
            in_order.append((array, target))
        job = _job(target, part, source)
        # An empty part's tensor may have any extent beside that of 0: more elements than the core can count.
        if part.picks is None or array.size:
            jobs.append(job)
    if jobs:
        core_fill(jobs)
    for array, filled in in_order:
        assign(array, filled)


def _job(array: NDArray[Any], part: Part, source: Drawn) -> _Job:
    """The fill as it crosses: a plain tuple, which the core takes apart faster than a named one.

    Its stream gets its name here, once nothing but the core can refuse.
    """
    kind, stream = source.kind, source.stream
    name = stream if isinstance(stream, (bytes, tuple)) else stream._stream()
    out = array if kind.crosses_as is None else array.view(kind.crosses_as)
    if part.picks is None:
        return out, kind.name, source.plan, name, None, None
    return part.mesh(out), kind.name, source.plan, name, part.full_shape, part.picks
