"""Boxes: contiguous parts of a tensor, one range of indices per axis; how they overlap, and what a part has of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from types import EllipsisType
from typing import Any

import numpy as np

from .index import Picks, resolve_index
from .parts import Part
from .show import show

Box = tuple[range, ...]
Place = tuple[slice | EllipsisType, ...]
"""Where a view begins and ends along each axis; with an Ellipsis, which keeps a scalar an array."""


def parse_box(name: str, index: Any, full: tuple[int, ...]) -> Box:
    """The box `tensor[index]` of a tensor of shape `full`; an integer stands for its one row.

    Raises:
        IndexError: NumPy would refuse the `index`.
        ValueError: The indices of an axis do not follow one another.
    """
    picks, _ = resolve_index(index, full)
    for pick in picks:
        if not isinstance(pick, tuple) or (pick[1] != 1 and pick[2] > 1):
            msg = f"`{name}` must hold integers and slices of step 1, got {show(index)}"
            raise ValueError(msg)
    return tuple(range(pick[0], pick[0] + pick[2]) for pick in picks)


def volume(box: Box) -> int:
    """The number of elements in a box."""
    return prod(side.stop - side.start for side in box)  # `len` has no numbers above 2^63


def uncovered(boxes: Sequence[Box]) -> Iterator[tuple[int, Box]]:
    """What is to be seen of boxes that are laid over one another in order: disjoint boxes, each with its number."""
    for number, box in enumerate(boxes):
        left = [box]
        for later in boxes[number + 1 :]:
            left = [rest for piece in left for rest in _without(piece, later)]
        yield from ((number, piece) for piece in left if volume(piece))


def _without(box: Box, other: Box) -> Iterator[Box]:
    """The parts of `box` outside `other`, as disjoint boxes."""
    inner = list(box)
    for axis, (side, hole) in enumerate(zip(box, other, strict=True)):
        start, stop = max(side.start, hole.start), min(side.stop, hole.stop)
        if start >= stop:  # they do not meet
            yield tuple(inner)
            return
        # What lies before the hole and behind it along this axis; along those before it, only what is beside the hole.
        for rest in (range(side.start, start), range(stop, side.stop)):
            if rest:
                yield (*inner[:axis], rest, *box[axis + 1 :])
        inner[axis] = range(start, stop)


def cut(part: Part, box: Box) -> Iterator[tuple[Place, Part]]:
    """What a part has of a box: places in the mesh of the part's array, and the parts that they hold."""
    for runs in product(*map(_runs, part.axes(), box)):
        shape = tuple(place.stop - place.start for place, _ in runs)
        yield (*(place for place, _ in runs), ...), Part(shape, part.full_shape, [pick for _, pick in runs])


def _runs(pick: Picks, side: range) -> list[tuple[slice, Picks]]:
    """The places of an axis whose indices lie in a range, as runs of neighbours, each with its own indices."""
    if not isinstance(pick, tuple):
        inside = (pick >= side.start) & (pick < side.stop)
        # Where it changes from one place to the next, a run begins or ends.
        ends = np.flatnonzero(np.diff(inside, prepend=False, append=False)).tolist()
        return [(slice(*run), pick[slice(*run)]) for run in zip(ends[::2], ends[1::2], strict=True)]
    start, step, count = pick
    if step:
        # The indices of places 0, 1, … in the range are those of an arithmetic sequence: solved for the place.
        low, high = (side.start, side.stop) if step > 0 else (side.stop - 1, side.start - 1)
        first, last = (min(max(-((start - end) // step), 0), count) for end in (low, high))
    else:
        first, last = (0, count) if start in side else (0, 0)
    return [(slice(first, last), (start + step * first, step, last - first))] if first < last else []
