"""Views of a storage: which elements of a tensor are written through another tensor that shares its memory."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .._arguments.boxes import Box

NOTHING: Box = (range(0),)
"""The box of a view that has no element in common with the tensor."""


class View(NamedTuple):
    """Where a tensor lies in its storage, in elements."""

    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    itemsize: int

    @classmethod
    def of(cls, tensor: Any) -> View:
        """The view that a tensor has of its storage."""
        return cls(tensor.storage_offset(), tuple(tensor.size()), tuple(tensor.stride()), tensor.element_size())

    @property
    def numel(self) -> int:
        """The number of its elements."""
        return prod(self.size)

    def part(self, box: Box) -> View:
        """The view of a box of its indices."""
        offset = self.offset + sum(side.start * stride for side, stride in zip(box, self.stride, strict=True))
        return View(offset, tuple(map(len, box)), self.stride, self.itemsize)

    def axes(self) -> list[int]:
        """The axes of more than one element, from the longest stride to the shortest."""
        return sorted((k for k, size in enumerate(self.size) if size > 1), key=lambda k: -self.stride[k])

    def is_dense(self) -> bool:
        """Whether its elements are a run of the storage, each once."""
        ends = [*((self.stride[k], self.size[k]) for k in self.axes()), (1, 1)]
        return all(stride == inner * size for (stride, _), (inner, size) in pairwise(ends))

    def is_apart(self) -> bool:
        """Whether it has each of its elements once, as far as its strides tell."""
        reach = 0
        for axis in reversed(self.axes()):
            if self.stride[axis] <= reach:
                return False
            reach += self.stride[axis] * (self.size[axis] - 1)
        return True

    def stop(self) -> int:
        """The element of the storage behind its last one."""
        return self.offset + sum((size - 1) * stride for size, stride in zip(self.size, self.stride, strict=True)) + 1


def placed(tensor: View, written: View) -> Box | None:
    """The elements of a tensor that a view covers, as a box of the tensor's indices.

    Returns:
        The box; `NOTHING` where they have no element in common; None where what they have is no box.
    """
    whole = tuple(map(range, tensor.size))
    if written[:3] == tensor[:3] and written.itemsize == tensor.itemsize:
        return whole
    if written.itemsize != tensor.itemsize:
        return None
    if not written.numel or written.stop() <= tensor.offset or written.offset >= tensor.stop():
        return NOTHING
    if written.is_dense() and written.offset <= tensor.offset and tensor.stop() <= written.stop():
        return whole if tensor.is_apart() else None
    if not tensor.is_dense():
        return None
    start, runs = written.offset - tensor.offset, [(written.size[k], written.stride[k]) for k in written.axes()]
    stop = written.stop() - tensor.offset
    if written.is_dense():
        # A run of elements, of which those inside the tensor count.
        start, stop = max(start, 0), min(stop, tensor.numel)
        runs = [(stop - start, 1)]
    return _box(tensor, start, runs) if start >= 0 and stop <= tensor.numel else None


def meet(one: View, other: View) -> bool:
    """Whether two views of a storage have an element in common."""
    box = placed(one, other) or placed(other, one)
    if box is not None or one.itemsize != other.itemsize:
        return box != NOTHING
    memory = np.zeros(max(one.stop(), other.stop()), bool)
    for view, value in ((one, True), (other, False)):
        strides = [stride * memory.itemsize for stride in view.stride]
        np.lib.stride_tricks.as_strided(memory[view.offset :], view.size, strides)[...] = value
    return int(memory.sum()) < one.numel


def _box(tensor: View, start: int, runs: list[tuple[int, int]]) -> Box | None:
    """The box that begins at an element of a dense tensor and runs so many elements at such strides."""
    axes = tensor.axes()
    first, rest = dict.fromkeys(range(len(tensor.size)), 0), start
    for axis in axes:
        first[axis], rest = divmod(rest, tensor.stride[axis])
    extent: dict[int, int] = {}
    for size, stride in reversed(runs):
        left = size
        place = next((n for n, axis in enumerate(axes) if tensor.stride[axis] == stride), None)
        while place is not None and left > 1:
            axis = axes[place]
            full = tensor.size[axis]
            if axis in extent:
                return None
            if first[axis] + left <= full:
                extent[axis], left = left, 1
            elif first[axis] or left % full:
                return None
            else:  # whole rows: the run goes on along the next longer stride
                extent[axis], left, place = full, left // full, place - 1 if place else None
        if left > 1:
            return None
    return tuple(range(first[axis], first[axis] + extent.get(axis, 1)) for axis in range(len(tensor.size)))
