"""Plans: all that is decided about a checkpoint before anything is written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from .._filling.lazy import Lazy
from .._models.headers import FORMATS, INDEX, Stored
from .._models.layouts import parse_layout
from .._models.model import Model, model_layout
from .._sources.identity import STREAM
from ._files import File, files, index
from ._old import identity
from ._pieces import SIZE, Piece, pieces
from ._safetensors import check_tensors
from ._work import Record


class Plan(NamedTuple):
    """A checkpoint to be."""

    tensors: Mapping[str, Lazy]
    olds: Mapping[str, Stored]
    files: list[File]
    others: Mapping[str, bytes]
    """The small files beside them."""
    record: Record
    """What tells it from any other one."""

    def pieces(self) -> Iterator[Piece]:
        """All of its pieces, cut anew each time: a list of them would grow with the checkpoint."""
        return pieces(self.files, self.tensors)


def plan(
    model: Model,
    seed: int,
    parts: int,
    *,
    max_shard: Any,
    layout: Any,
    olds: Mapping[str, Stored],
    config: bytes | None,
) -> Plan:
    """The plan of a model's checkpoint."""
    check_tensors(model)
    tensors, digest = model.lazy(seed), model.digest()
    cut = files(model, max_shard, _metadata(model, digest, seed, layout, olds))
    others = {"config.json": config, INDEX: index(cut)}
    texts = {name: text for name, text in others.items() if text is not None}
    count = sum(1 for _ in pieces(cut, tensors))
    told = [SIZE, identity(olds), {name: sha256(text).hexdigest() for name, text in texts.items()}]
    whole = sha256(json.dumps(told).encode())
    for file in cut:
        whole.update(file.header.text)
    sizes = {file.name: file.header.size for file in cut}
    record = Record(digest, str(seed), parts, whole.hexdigest(), count, sizes, tuple(texts))
    return Plan(tensors, olds, cut, texts, record)


def config_text(config: str | os.PathLike[str] | None, out: Path) -> bytes | None:
    """The bytes of a config to copy; None for one that lies where the weights are to be."""
    if config is None:
        return None
    path = Path(os.fsdecode(config))
    return None if path.resolve() == (out / "config.json").resolve() else path.read_bytes()


def _metadata(model: Model, digest: str, seed: int, layout: Any, olds: Mapping[str, Stored]) -> dict[str, str]:
    """What a file says of itself. It names no version of ours, because a release must not change a byte."""
    told = parse_layout(layout, set()) or model_layout(model)
    words = {layout: word for word, layout in FORMATS.items()}
    found = {"format": words[told]} if told in words else {}
    found |= {"varscale.plan": digest, "varscale.seed": str(seed), "varscale.stream": str(STREAM)}
    if olds:
        found["varscale.kept"] = sha256(json.dumps(sorted(olds)).encode()).hexdigest()
    return found
