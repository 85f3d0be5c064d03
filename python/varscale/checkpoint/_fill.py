"""Filling: the pieces of a run, one after another, each by all threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .._filling.fill import Pass
from .._filling.lazy import Lazy
from .._models.headers import Stored
from ._old import copy
from ._pieces import Piece, source
from ._write import Buffer, Writer


def fill(
    todo: Iterable[Piece],
    tensors: Mapping[str, Lazy],
    olds: Mapping[str, Stored],
    writer: Writer,
    report: Callable[[int], object],
) -> None:
    """Makes the pieces and gives them to the writer; `report` gets the bytes that have reached the disk since."""
    told = 0
    with writer.running():
        for piece in todo:
            writer.put(piece, _made(piece, tensors, olds, writer.buffer(piece.nbytes)))
            now = writer.finished  # which grows meanwhile
            report(now - told)
            told = now
    report(writer.finished - told)


def _made(piece: Piece, tensors: Mapping[str, Lazy], olds: Mapping[str, Stored], buffer: Buffer) -> Buffer:
    """The buffer with a piece: all of its spans are made in one pass, then what is kept is copied over them."""
    together, place = Pass(), 0
    arrays = []
    for span in piece.spans:
        tensor = tensors[span.name]
        array = buffer[place : place + span.nbytes].view(tensor.dtype).reshape(span.shape)
        place += span.nbytes
        together.add(*source(tensor, span), array)
        arrays.append((span, array))
    together.run()
    for span, array in arrays:
        if span.name in olds:
            copy(olds[span.name], span.start, array)
    return buffer
