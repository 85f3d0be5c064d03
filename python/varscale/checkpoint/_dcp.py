"""Torch's distributed checkpoints: which values lie in which file, as if each file were that of a rank."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from .._arguments.dtypes import FLOAT_TYPES
from .._arguments.show import show
from .._filling.lazy import Lazy
from .._models.parameter import Parameter
from ._dcp_write import CHUNK, Bundle, TorchWriter, write_metadata
from ._files import File, shard_size
from ._format import Format
from ._pieces import Piece, Span, spans
from ._safetensors import Header
from ._work import Record, Work

_ABOUT = "varscale.json"


class Dcp(Format):
    """A checkpoint of torch.distributed, which torch's own writer writes."""

    name = "dcp"
    last = ".metadata"

    def check(self, tensors: Mapping[str, Parameter]) -> None:
        """Raises ValueError for what torch has no tensors of."""
        for name, parameter in tensors.items():
            dtype = parameter.dtype
            known = dtype.kind in "biufc" or dtype.name in FLOAT_TYPES  # torch has names only for those of fewer bits
            if not known or not hasattr(torch, dtype.name):
                msg = f"parameter {show(name)}: `dtype` must be one that torch has, got {show(dtype.name)}"
                raise ValueError(msg)
            if max(parameter.shape, default=0) > 2**63 - 1:
                msg = f"parameter {show(name)}: `shape` must have extents below 2^63, got {show(parameter.shape)}"
                raise ValueError(msg)

    def files(self, tensors: Mapping[str, Lazy], max_shard: Any, metadata: Mapping[str, str]) -> list[Bundle]:
        """The files, none with more than `max_shard` bytes of values: large tensors lie in several."""
        return [
            Bundle(
                f"__{number}_0.distcp",
                Header(b"", {}, sum(span.nbytes for span in group)),
                {span.name: tensors[span.name] for span in group},
                tuple(group),
            )
            for number, group in enumerate(_groups(tensors, shard_size(max_shard)))
        ]

    def others(self, files: Sequence[File], metadata: Mapping[str, str]) -> dict[str, bytes | None]:
        """What the checkpoint is: torch's version and the cut are parts of it, because the bytes depend on them."""
        about = {**metadata, "torch": _torch_version(), "varscale.files": _cut(_bundles(files))}
        return {_ABOUT: (json.dumps({"metadata": about}, indent=2, sort_keys=True) + "\n").encode(), self.last: None}

    def pieces(self, files: Sequence[File], tensors: Mapping[str, Lazy]) -> Iterator[Piece]:
        """A piece for each tensor that torch saves. Those of a file have one number: it is finished as a whole."""
        for number, file in enumerate(_bundles(files)):
            for span in file.spans:
                yield Piece(number, number, 0, (span,), span.nbytes)

    def writer(self, work: Work, files: Sequence[File], journal: Path) -> TorchWriter:
        """Torch's writer."""
        return TorchWriter(work.folder, _bundles(files), journal)

    def library(self) -> str:
        """Torch, whose writer it is."""
        return f"torch {_torch_version()}"

    def seal(self, work: Work, record: Record) -> None:
        """Has torch write its metadata."""
        write_metadata(work, record)


def _torch_version() -> str:
    return str(torch.__version__.partition("+")[0])


def _cut(files: Sequence[Bundle]) -> str:
    """The digest of what lies in which file, which torch's files have no headers to tell."""
    digest = sha256()
    for file in files:
        digest.update(json.dumps([file.name, [(span.name, span.start, span.shape) for span in file.spans]]).encode())
    return digest.hexdigest()


def _bundles(files: Sequence[File]) -> list[Bundle]:
    return [file for file in files if isinstance(file, Bundle)]


def _groups(tensors: Mapping[str, Lazy], most: int) -> Iterator[list[Span]]:
    """The tensors, cut and grouped in their order."""
    group: list[Span] = []
    size = 0
    for name, tensor in tensors.items():
        for span in spans(name, tensor, max(min(CHUNK, most), tensor.dtype.itemsize)):
            if group and size + span.nbytes > most:
                yield group
                group, size = [], 0
            group.append(span)
            size += span.nbytes
    if group:
        yield group
