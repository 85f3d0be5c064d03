"""Filling: the one way into the core, for one array or for many in one parallel pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from sys import maxsize
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.diagonal import diagonal_places
from .._arguments.parts import Part
from .._core import fill as core_fill
from .._sources.source import Drawn, Joined, Known, Source
from .arrays import check_out, new_array
from .assign import assign
from .writing import Writing

if TYPE_CHECKING:
    from .._core import _Job

Fill = tuple[NDArray[Any], Part, Drawn]
"""An array, the part of a tensor that it holds, and the source of its values."""


def make(source: Source, part: Part, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Fills a new array of the part's shape, or `out`, which other calls must not write until it returns."""
    if out is None:
        array = new_array(part.shape, source.dtype)
        _write(source, part, array)
        return array
    plain = check_out(out, part.shape)
    with Writing(plain):
        _write(source, part, plain)
    return out


def _write(source: Source, part: Part, array: NDArray[Any]) -> None:
    if isinstance(source, Drawn):
        fill(((array, part, source),))
    elif isinstance(source, Joined):
        together = Pass()
        together.add(source, part, array)
        together.run()
    elif isinstance(source, Known):
        _write_known(source, part, array)
    elif array.size:
        source.write(array, part)


def _write_known(source: Known, part: Part, array: NDArray[Any]) -> None:
    mesh = part.mesh(array)
    assign(mesh, source.value)
    if source.diagonal is not None and array.size:
        rows, columns = part.axes()
        mesh[diagonal_places(rows, columns)] = source.diagonal


class Pass:
    """Arrays that are filled together, in one parallel pass or in several of bounded size.

    The caller must keep other calls from writing an `out` until the pass is over.
    """

    def __init__(
        self,
        most: int = maxsize,
        report: Callable[[int], object] | None = None,
        new: Callable[[tuple[int, ...], np.dtype[Any]], NDArray[Any]] = new_array,
    ) -> None:
        """A new pass begins after `most` bytes, `report` gets the bytes of each when it is done, `new` makes arrays."""
        self._most, self._report, self._new = most, report, new
        self._fills: list[Fill] = []
        self._pending = 0

    def add(self, source: Source, part: Part, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The array of a part: a new one, or `out`. Its values are there once the pass has run."""
        array = self._new(part.shape, source.dtype) if out is None else check_out(out, part.shape)
        self._put(source, part, array)
        self._pending += array.nbytes
        if self._pending >= self._most:
            self.run()
        return array

    def _put(self, source: Source, part: Part, array: NDArray[Any]) -> None:
        if isinstance(source, Drawn):
            self._fills.append((array, part, source))
        elif isinstance(source, Joined):
            mesh, views = part.mesh(array), list[NDArray[Any]]()
            for place, inner, values in source.pieces:
                view = mesh[place]
                # One pass takes arrays that lie apart. Those whose elements interleave are filled one after another.
                if any(np.may_share_memory(view, other) for other in views):
                    _write(values, inner, view)
                else:
                    self._put(values, inner, view)
                    views.append(view)
        else:
            _write(source, part, array)  # now: the source may hold as many bytes as the array, and need not be kept

    def run(self) -> None:
        """Fills the arrays that have been added since the last pass."""
        # Taken away first: where this pass fails, the next one must not repeat it.
        fills, pending = self._fills, self._pending
        self._fills, self._pending = [], 0
        fill(fills)
        if pending and self._report is not None:
            self._report(pending)


def fill(fills: Iterable[Fill]) -> None:
    """Fills all the arrays in one parallel pass of the core."""
    jobs: list[_Job] = []
    in_order: list[tuple[NDArray[Any], NDArray[Any]]] = []
    for array, part, source in fills:
        target = array
        if source.in_order and not array.flags.c_contiguous:
            # The core hands such words out in C order only: it fills an array in that order, which is then copied.
            target = np.empty(array.shape, array.dtype)
            in_order.append((array, target))
        job = _job(target, part, source)
        # An empty part takes its call's number, but does not cross. Beside its extent of 0 the tensor may have others
        # that are too large for the core to count.
        if part.picks is None or array.size:
            jobs.append(job)
    if jobs:
        core_fill(jobs)
    for array, filled in in_order:
        assign(array, filled)


def _job(array: NDArray[Any], part: Part, source: Drawn) -> _Job:
    """The job that crosses into the core: a plain tuple, which the core takes apart faster than a named one.

    Its stream gets its name here, when only the core can still refuse the call.
    """
    kind, name = source.kind, source.named()
    # 16-bit floats cross as their bits, which the core rounds by itself.
    out = array if kind.crosses_as is None else array.view(kind.crosses_as)
    if part.picks is None:
        return out, kind.name, source.plan, name, None, None
    return part.mesh(out), kind.name, source.plan, name, part.full_shape, part.picks
