"""Plans: all that is decided about a checkpoint before anything is written."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from .._arguments.checks import integer
from .._arguments.show import show
from .._filling.lazy import Lazy
from .._models.headers import FORMATS, Stored
from .._models.layouts import parse_layout
from .._models.model import Model, model_layout
from .._sources.identity import STREAM
from ._config import CONFIG, config_text
from ._files import File
from ._format import Format
from ._formats import parse_format
from ._old import identity, kept
from ._pieces import SIZE, Piece
from ._work import Record


class Plan(NamedTuple):
    """A checkpoint to be."""

    format: Format
    tensors: Mapping[str, Lazy]
    olds: Mapping[str, Stored]
    files: Sequence[File]
    others: Mapping[str, bytes]
    """The small files beside them."""
    record: Record
    """What tells it from any other one."""
    firsts: Sequence[int]
    """The number of the first piece of each file."""
    nbytes: Sequence[int]
    """The bytes of the values of each part."""

    def paths(self, folder: Path) -> list[Path]:
        """All files of the checkpoint."""
        return [folder / name for name in self.record.names()]

    def part(self, place: int) -> Iterator[Piece]:
        """Those of a part, counted from 1. Only the files in which it lies are cut, or all parts would cut them all."""
        mine = self.record.ranges()[place - 1]
        if not mine:
            return
        file = bisect_right(self.firsts, mine.start) - 1
        first = self.firsts[file]
        for piece in self.format.pieces(self.files[file:], self.tensors):
            number = first + piece.number
            if number >= mine.stop:
                return
            if number >= mine.start:
                yield piece._replace(number=number, file=file + piece.file)


def plan(
    model: Any,
    folder: Path,
    seed: Any,
    parts: int,
    *,
    format: Any,
    max_shard: Any,
    layout: Any,
    config: Any,
    like: Any,
    keep: Any,
) -> Plan:
    """The plan of a model's checkpoint; the arguments are those of `save`.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
        ImportError: The format needs a package that is not installed.
        OSError: A file cannot be read.
    """
    if not isinstance(model, Model):
        msg = f"`model` must be a Model, got {show(model)}"
        raise TypeError(msg)
    seed, kind, olds = integer("seed", seed), parse_format(format), kept(like, keep, model)
    text = config_text(config, folder)
    kind.check(model)
    tensors, digest = model.lazy(seed), model.digest()
    metadata = _metadata(model, digest, seed, layout, olds)
    cut = kind.files(tensors, max_shard, metadata)
    others = ({} if text is None else {CONFIG: text}) | dict(kind.others(cut, metadata))
    texts = {name: text for name, text in others.items() if text is not None}
    cuts, firsts = 0, list[int]()
    ends = array("Q", [0])  # the bytes before each piece, and after the last
    for piece in kind.pieces(cut, tensors):
        cuts += 1
        if piece.number == len(ends) - 1:
            ends.append(ends[-1])
        ends[-1] += piece.nbytes
        if piece.file == len(firsts):  # each file has a piece
            firsts.append(piece.number)
    told = [SIZE, cuts, identity(olds), {name: sha256(text).hexdigest() for name, text in texts.items()}]
    whole = sha256(json.dumps(told).encode())
    for file in cut:
        whole.update(file.header.text)
    sizes = {file.name: file.header.size for file in cut}
    record = Record(kind.name, digest, str(seed), parts, whole.hexdigest(), len(ends) - 1, sizes, tuple(others))
    nbytes = [ends[mine.stop] - ends[mine.start] for mine in record.ranges()]
    return Plan(kind, tensors, olds, cut, texts, record, firsts, nbytes)


def _metadata(model: Model, digest: str, seed: int, layout: Any, olds: Mapping[str, Stored]) -> dict[str, str]:
    """What a file says of itself. It names no version of ours, because a release must not change a byte."""
    told = parse_layout(layout, set()) or model_layout(model)
    words = {layout: word for word, layout in FORMATS.items()}
    found = {"format": words[told]} if told in words else {}
    found |= {"varscale.plan": digest, "varscale.seed": str(seed), "varscale.stream": str(STREAM)}
    if olds:
        found["varscale.kept"] = sha256(json.dumps(sorted(olds)).encode()).hexdigest()
    return found
