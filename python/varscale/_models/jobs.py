"""Jobs: a model cut into parts that any executor can make, in any order and anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from numpy.typing import NDArray

from .._arguments.checks import integer
from .._arguments.immutable import Immutable
from .._arguments.parts import indexed_part
from .._arguments.show import show
from .._filling.fill import Pass
from .._filling.lazy import Lazy

Box = tuple[slice, ...]


class ModelPart(Immutable):
    """A part of one parameter: `tensor[index]` is `values`.

    Attributes:
        name: The parameter's name.
        index: One slice per dimension.
        values: The array of the part.
    """

    _fields = __match_args__ = ("name", "index", "values")
    __slots__ = _fields
    name: str
    index: Box
    values: NDArray[Any]

    def __init__(self, name: str, index: Box, values: NDArray[Any]) -> None:
        self._set(name=name, index=index, values=values)

    # Two arrays have no one answer to whether they are equal, so each part is equal to itself alone.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class ModelJob(Immutable):
    """Parts of a model that are made together. `Model.jobs` yields jobs; they pickle, and repeat if they run again."""

    _fields = __match_args__ = ("pieces",)
    __slots__ = _fields
    pieces: tuple[tuple[str, Lazy, Box], ...]
    """The parameter's name, its lazy tensor and the index, for each part."""

    def __init__(self, pieces: tuple[tuple[str, Lazy, Box], ...]) -> None:
        self._set(pieces=pieces)

    # A job may be a key, but slices have no hash before Python 3.12, so each job is equal to itself alone.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def nbytes(self) -> int:
        """The number of bytes that the job makes."""
        return sum(_size(box) * tensor.dtype.itemsize for _, tensor, box in self.pieces)

    def run(self) -> list[ModelPart]:
        """Makes the parts in one parallel pass; calling the job does the same."""
        together, parts = Pass(), []
        for name, tensor, box in self.pieces:
            part = indexed_part(tensor.shape, box)
            parts.append(ModelPart(name, box, together.add(tensor._source(part), part)))
        together.run()
        return parts

    def __call__(self) -> list[ModelPart]:
        return self.run()


def cut(tensors: Mapping[str, Lazy], max_bytes: Any) -> Iterator[ModelJob]:
    """Jobs of at most `max_bytes` bytes that make all tensors, in order."""
    limit = integer("max_bytes", max_bytes)
    largest = max((tensor.dtype.itemsize for tensor in tensors.values()), default=1)
    if limit < largest:
        msg = f"`max_bytes` must hold one element of {largest} bytes, got {show(max_bytes)}"
        raise ValueError(msg)
    return _packed(tensors, limit)  # a generator of its own, so that this one raises when it is called


def _packed(tensors: Mapping[str, Lazy], limit: int) -> Iterator[ModelJob]:
    pieces: list[tuple[str, Lazy, Box]] = []
    room = limit
    for name, tensor in tensors.items():
        for box in boxes(tensor.shape, limit // tensor.dtype.itemsize):
            nbytes = _size(box) * tensor.dtype.itemsize
            # Jobs are closed in order: the parts of a parameter stay neighbours, and nothing is searched for room.
            if pieces and nbytes > room:
                yield ModelJob(tuple(pieces))
                pieces, room = [], limit
            pieces.append((name, tensor, box))
            room -= nbytes
    if pieces:
        yield ModelJob(tuple(pieces))


def boxes(shape: tuple[int, ...], limit: int) -> Iterator[Box]:
    """Boxes of at most `limit` elements, each contiguous in C order, which together are the tensor.

    A box holds as many rows as fit. Where not even one fits, each row is cut by itself, along its next axes.
    """
    whole = tuple(slice(0, size, 1) for size in shape)
    if prod(shape) <= limit:
        yield whole
        return
    rows = limit // prod(shape[1:])  # no extent is 0 here: an empty tensor has been yielded whole
    if rows:
        for start in range(0, shape[0], rows):
            yield slice(start, min(start + rows, shape[0]), 1), *whole[1:]
    else:
        for row in range(shape[0]):
            for box in boxes(shape[1:], limit):
                yield slice(row, row + 1, 1), *box


def _size(box: Box) -> int:
    return prod(side.stop - side.start for side in box)
