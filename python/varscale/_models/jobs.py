"""Jobs: a model cut into parts that any executor can make, in any order and anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from numpy.typing import NDArray

from .. import _core
from .._arguments.checks import integer
from .._filling.lazy import Lazy

Box = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class ModelPart:
    """A part of one parameter: `tensor[index]` is `values`."""

    name: str
    index: Box
    values: NDArray[Any]


@dataclass(frozen=True, eq=False)
class ModelJob:
    """Parts of a model that are made together; `Model.jobs` returns them. It pickles, and is pure."""

    pieces: tuple[tuple[str, Lazy, Box], ...]
    """Of each part the parameter's name, its lazy tensor, and the index."""

    @property
    def nbytes(self) -> int:
        """How many bytes the job makes."""
        return sum(_size(box) * tensor.dtype.itemsize for _, tensor, box in self.pieces)

    def run(self) -> list[ModelPart]:
        """Makes the parts, in one parallel pass; calling the job is the same."""
        parts, jobs = [], []
        for name, tensor, box in self.pieces:
            array, left = tensor._begin(box)
            parts.append(ModelPart(name, box, array))
            jobs += left
        _core.fill(jobs)
        return parts

    def __call__(self) -> list[ModelPart]:
        return self.run()


def cut(tensors: Mapping[str, Lazy], max_bytes: Any) -> Iterator[ModelJob]:
    """Jobs of at most `max_bytes` bytes that make all tensors, in order."""
    limit = integer("max_bytes", max_bytes)
    largest = max((tensor.dtype.itemsize for tensor in tensors.values()), default=1)
    if limit < largest:
        msg = f"`max_bytes` must hold one element of {largest} bytes, got {max_bytes!r}"
        raise ValueError(msg)
    return _packed(tensors, limit)


def _packed(tensors: Mapping[str, Lazy], limit: int) -> Iterator[ModelJob]:
    pieces: list[tuple[str, Lazy, Box]] = []
    room = limit
    for name, tensor in tensors.items():
        for box in boxes(tensor.shape, limit // tensor.dtype.itemsize):
            nbytes = _size(box) * tensor.dtype.itemsize
            if pieces and nbytes > room:
                yield ModelJob(tuple(pieces))
                pieces, room = [], limit
            pieces.append((name, tensor, box))
            room -= nbytes
    if pieces:
        yield ModelJob(tuple(pieces))


def boxes(shape: tuple[int, ...], limit: int) -> Iterator[Box]:
    """Boxes of at most `limit` elements, each contiguous in C order, which together are the tensor."""
    whole = tuple(slice(0, size, 1) for size in shape)
    if prod(shape) <= limit:
        yield whole
        return
    rows = limit // prod(shape[1:])
    if rows:
        for start in range(0, shape[0], rows):
            yield slice(start, min(start + rows, shape[0]), 1), *whole[1:]
    else:
        for row in range(shape[0]):
            for box in boxes(shape[1:], limit):
                yield slice(row, row + 1, 1), *box


def _size(box: Box) -> int:
    return prod(side.stop - side.start for side in box)
