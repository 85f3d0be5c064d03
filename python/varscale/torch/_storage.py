"""Storages: what was written to the memory of tensors that have none, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from .._arguments.boxes import Box, uncovered, volume
from .._engines import missing
from ._geometry import NOTHING, View, placed
from ._laws import WHOLE
from ._values import Draws, Value

try:
    import torch
    from torch.multiprocessing.reductions import StorageWeakRef
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

_MOST = 64
"""The most writes whose overlaps are worked out; a loop over elements has more, and is computed."""

UNWRITTEN = "memory that nothing was written to"


class Write(NamedTuple):
    """One write: the view through which it was made, and the values."""

    view: View
    value: Value


class Storage:
    """The record of one storage.

    Attributes:
        device: The device that the network's code asked for.
        nbytes: The size of the storage.
        writes: All writes, in order.
    """

    __slots__ = ("_memory", "device", "nbytes", "writes")

    def __init__(self, memory: Any, device: torch.device) -> None:
        # Not the memory, which is the network's to drop. Its address is taken by no other one until this record goes.
        self._memory = StorageWeakRef(memory)
        self.device, self.nbytes = device, memory.nbytes()
        self.writes: list[Write] = []

    def memory(self) -> Any:
        """The storage itself; None where no tensor has it any more."""
        if self._memory.expired():
            return None
        return torch.UntypedStorage._new_with_weak_ptr(self._memory.cdata)

    def write(self, view: View, value: Value) -> None:
        """Notes that a view was given values."""
        if view.offset == 0 and view.is_dense() and view.numel * view.itemsize == self.nbytes:
            # What was there before can be seen by values that were read before, and by nobody else.
            self.writes = []
        self.writes.append(Write(view, value))

    def read(self, view: View, dtype: torch.dtype) -> Value:
        """The values that a view has now."""
        return read(tuple(self.writes), self.nbytes, view, dtype)

    def parts(self, view: View, dtype: torch.dtype) -> list[tuple[Box, Value]]:
        """The values of a view that consists of several pieces, of which later ones lie over earlier ones."""
        pieces = visible(self.writes, view)
        if pieces is None or len(pieces) < 2 or not covers(self.writes, pieces, view):
            return []
        return [(box, read((write,), self.nbytes, view.part(box), dtype)) for box, write in pieces]

    def fill(self, draws: Draws | None) -> None:
        """Does the writes to the storage's memory; what is random is left out where nothing draws."""
        for view, value in self.writes:
            if draws is not None or not value.random:
                target = torch.empty(0, dtype=value.dtype, device=self.device)
                target.set_(self.memory(), view.offset, view.size, view.stride).copy_(value.real(draws))

    def certain(self, view: View, dtype: torch.dtype) -> torch.Tensor:
        """The elements of a view that nothing random went into; zeros in place of the others."""
        return _real(self.writes, self.nbytes, view, dtype, None)


def read(writes: tuple[Write, ...], nbytes: int, view: View, dtype: torch.dtype) -> Value:
    """The values that a view has after writes to a storage."""
    if writes and writes[-1].view == view and writes[-1].value.dtype == dtype:
        return writes[-1].value
    pieces = visible(writes, view)
    inputs = [write.value for write in writes]
    seen = inputs if pieces is None else [write.value for _, write in pieces]
    if not covers(writes, pieces, view):
        return Value(view.size, dtype, why=UNWRITTEN)
    compute = lambda draws: _real(writes, nbytes, view, dtype, draws)  # noqa: E731
    if len(seen) == 1 and seen[0].dtype == dtype:
        # A part of one tensor. A view that has its elements more than once has no law.
        if seen[0].constant is not None:
            return Value(view.size, dtype, constant=seen[0].constant)
        if seen[0].law is not None and pieces is not None and not isinstance(seen[0].law, WHOLE):
            places = lambda: _places(pieces, view, seen[0].origin)  # noqa: E731
            return Value(view.size, dtype, compute, law=seen[0].law, source=seen[0], places=places, inputs=inputs)
    why: str | None = next((value.why for value in seen if value.why), "parts of random tensors")
    why = why if any(value.random for value in seen) else None
    return Value(view.size, dtype, compute, why=why, inputs=inputs)


def visible(writes: Sequence[Write], view: View) -> list[tuple[Box, Write]] | None:
    """The writes that are seen through a view, in order, as boxes of its indices; None where these are no boxes."""
    placements: list[tuple[Box, Write]] = []
    whole = tuple(map(range, view.size))
    # Backwards, to the last one that covers all.
    for write in reversed(writes):
        box = placed(view, write.view)
        if box is None or len(placements) == _MOST:
            return None
        if box != NOTHING or whole == NOTHING:
            placements.append((box, write))
        if box == whole:
            break
    placements.reverse()
    if len(placements) < 2:
        return placements
    seen = {number for number, _ in uncovered([box for box, _ in placements])}
    return [placement for number, placement in enumerate(placements) if number in seen]


def covers(writes: Sequence[Write], pieces: list[tuple[Box, Write]] | None, view: View) -> bool:
    """Whether something was written to every element of a view."""
    if pieces is not None:
        return sum(volume(box) for _, box in uncovered([box for box, _ in pieces])) == view.numel
    ends = [write.view for write in writes] + [view]
    size = max((each.stop() for each in ends if each.numel), default=0)
    memory = torch.zeros(size, dtype=torch.bool, device="cpu")
    for write in writes:
        if write.view.itemsize == view.itemsize:
            torch.as_strided(memory, write.view.size, write.view.stride, write.view.offset).fill_(True)
    return bool(torch.as_strided(memory, view.size, view.stride, view.offset).all())


def repeats(pieces: list[tuple[Box, Write]], view: View) -> bool:
    """Whether the pieces of a tensor show some random number more than once, such as equal rows."""
    origins = Counter(write.value.origin for _, write in pieces if write.value.random)
    for origin, count in origins.items():
        places = _places(pieces, view, origin) if count > 1 else torch.empty(0, device="cpu")
        if places[places >= 0].unique().numel() < (places >= 0).sum():
            return True
    return False


def _places(pieces: list[tuple[Box, Write]], view: View, origin: Value) -> torch.Tensor:
    """For each element of a view its number among those of a random value; -1 for other elements."""
    memory = torch.full((max(each.stop() for each in (view, *(write.view for _, write in pieces))),), -1, device="cpu")
    for _, write in pieces:
        target = torch.as_strided(memory, write.view.size, write.view.stride, write.view.offset)
        target.copy_(write.value.places() if write.value.origin is origin else torch.tensor(-1, device="cpu"))
    return torch.as_strided(memory, view.size, view.stride, view.offset)


def _real(writes: Sequence[Write], nbytes: int, view: View, dtype: torch.dtype, draws: Draws | None) -> torch.Tensor:
    """The elements of a view, made by doing the writes; those that are random are left out where nothing draws."""
    memory = torch.zeros(nbytes, dtype=torch.uint8, device="cpu")
    for write in writes:
        if write.value.random and draws is None:
            continue
        target = memory[: nbytes // write.view.itemsize * write.view.itemsize].view(write.value.dtype)
        torch.as_strided(target, write.view.size, write.view.stride, write.view.offset).copy_(write.value.real(draws))
    source = memory[: nbytes // view.itemsize * view.itemsize].view(dtype)
    return torch.as_strided(source, view.size, view.stride, view.offset).clone()
