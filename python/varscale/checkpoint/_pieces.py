"""Pieces: what is filled in memory and then written, so that a file may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import NamedTuple

from .._arguments.parts import Part, indexed_part
from .._filling.lazy import Lazy
from .._models.jobs import Box, boxes
from .._sources.source import Joined, Source, Written
from ._files import File

SIZE = 1 << 22
"""The most bytes of a piece: enough for all threads, and its buffer stays in the cache between filling and writing."""


class Span(NamedTuple):
    """A part of a tensor that is contiguous in its file."""

    name: str
    box: Box
    start: int
    """The number of its first element in the tensor."""
    shape: tuple[int, ...]
    nbytes: int


class Piece(NamedTuple):
    """Spans that follow each other in a file."""

    number: int
    """Its place among all pieces of a checkpoint."""
    file: int
    start: int
    """The byte of the file at which it begins."""
    spans: tuple[Span, ...]
    nbytes: int


def pieces(files: Sequence[File], tensors: Mapping[str, Lazy]) -> Iterator[Piece]:
    """All files, cut. The cut depends on nothing but the files: runs that go on and runs of parts have the same one."""
    number = 0
    for place, file in enumerate(files):
        held: list[Span] = []
        size, start = 0, len(file.header.text)
        for name in file.header.places:
            for span in spans(name, tensors[name]):
                if held and size + span.nbytes > SIZE:
                    yield Piece(number, place, start, tuple(held), size)
                    number, start = number + 1, start + size
                    held, size = [], 0
                held.append(span)
                size += span.nbytes
        # A file without values has a piece too, which makes the file.
        yield Piece(number, place, start, tuple(held), size)
        number += 1


def spans(name: str, tensor: Lazy, most: int | None = None) -> Iterator[Span]:
    """A tensor, cut into spans of at most `most` bytes, or of a piece, but for one that is made whole."""
    whole = _is_whole(tensor._source(Part(tensor.shape, tensor.shape)))
    limit = tensor.size if whole else (most or SIZE) // tensor.dtype.itemsize
    start = 0
    for box in boxes(tensor.shape, limit):
        shape = tuple(side.stop - side.start for side in box)
        yield Span(name, box, start, shape, prod(shape) * tensor.dtype.itemsize)
        start += prod(shape)


def _is_whole(source: Source) -> bool:
    """Whether a tensor is made whole: a part of an orthogonal matrix, or of what users make, costs as much."""
    if isinstance(source, Joined):
        return any(_is_whole(values) for *_, values in source.pieces)
    return isinstance(source, Written)


def source(tensor: Lazy, span: Span) -> tuple[Source, Part]:
    """The source of a span, and the part of the tensor that it is."""
    part = indexed_part(tensor.shape, span.box)
    return tensor._source(part), part
