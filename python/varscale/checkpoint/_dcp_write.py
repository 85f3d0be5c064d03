"""Torch's own writer of distributed checkpoints, which asks for the values while it writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch.distributed.checkpoint import FileSystemWriter
from torch.distributed.checkpoint.default_planner import DefaultSavePlanner
from torch.distributed.checkpoint.filesystem import _StorageInfo
from torch.distributed.checkpoint.metadata import ChunkStorageMetadata, MetadataIndex, StorageMeta, TensorProperties
from torch.distributed.checkpoint.planner import SavePlan, TensorWriteData, WriteItem, WriteItemType
from torch.distributed.checkpoint.storage import WriteResult

from .._arguments.show import show
from ._disk import telling
from ._files import File
from ._pieces import Piece, Span
from ._work import Record, Work, replace
from ._write import Buffer, Writer

CHUNK = 1 << 25
"""The most bytes that torch saves at once. A larger tensor is written as if several ranks had saved their shards."""


@dataclass(frozen=True)
class Bundle(File):
    """A file of torch's, which has more bytes than its values: how many, torch knows when it has written it."""

    spans: tuple[Span, ...]

    def fits(self, size: int) -> bool:
        """Whether it may have so many bytes."""
        return size >= self.header.size


class TorchWriter(Writer):
    """Has torch write the files, one after another. Such a file is finished as a whole."""

    def __init__(self, folder: Path, files: Sequence[Bundle], journal: Path) -> None:
        """The files are made in `folder`; the numbers of finished ones go to the end of `journal`."""
        super().__init__(folder, files, journal, CHUNK)
        self._bundles = files
        self._torch = _Torch(folder)
        self._next: tuple[Piece, Buffer] | None = None
        self._used: tuple[Piece, Buffer] | None = None

    def _write_all(self) -> None:
        with suppress(_EndedError):
            while (item := self._filled.get()) is not None:
                self._next, number = item, item[0].file
                del item  # its buffer goes when torch has written it
                with telling(self._files[number].name):
                    self._write_file(number)

    def _write_file(self, number: int) -> None:
        file = self._bundles[number]
        (self._folder / file.name).unlink(missing_ok=True)  # it may be a link
        notes = [_note(file, span) for span in file.spans]
        plans = [SavePlan([])] * number + [SavePlan([_item(note) for note in notes])]
        planned = self._torch.prepare_global_plan(plans)[-1]  # torch names a file by the place of its rank
        try:
            results = self._torch.write_data(planned, _Planner(self._values)).wait()
        except RuntimeError as error:  # of torch's, about what a full disk has written
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None
        self._end_used()
        lie = {result.index: result.storage_data for result in results}
        for note, item in zip(notes, plans[-1].items, strict=True):
            note |= {"begin": lie[item.index].offset, "nbytes": lie[item.index].length}
        replace(self._folder / f"{file.name}.json", json.dumps(notes).encode())
        with self._journal.open("ab") as journal:
            journal.write(b"%d\n" % number)
            journal.flush()
            os.fsync(journal.fileno())

    def _sync_all(self) -> None:
        """Torch waits for the disk itself, at the end of each file."""

    def _values(self, item: WriteItem) -> torch.Tensor:
        """What torch asks for. What it had before is written by then, but torch holds it until it gets this."""
        self._end_used()
        self._used, self._next = self._next or self._filled.get(), None
        if self._used is None:  # the run is ended
            raise _EndedError
        (piece, buffer), chunk = self._used, item.tensor_data.chunk
        if (item.index.fqn, list(chunk.offsets)) != (piece.spans[0].name, _offsets(piece.spans[0])):
            msg = f"torch must write {show(piece.spans[0].name)} now, asks for {show(item.index.fqn)}"
            raise RuntimeError(msg)
        dtype = item.tensor_data.properties.dtype
        if piece.nbytes == 0:
            return torch.empty(chunk.sizes, dtype=dtype)
        return torch.frombuffer(buffer, dtype=dtype, count=prod(chunk.sizes)).reshape(chunk.sizes)

    def _end_used(self) -> None:
        if self._used is not None:
            piece, buffer = self._used
            self._used = None
            self.finished += piece.nbytes
            usual = buffer if buffer.size == CHUNK else None
            del buffer
            self._give_back(usual)


class _EndedError(Exception):
    """Ends torch's writer where no more values come."""


class _Planner(DefaultSavePlanner):  # type: ignore[misc]
    """Torch's planner, of tensors that are not there until they are asked for."""

    def __init__(self, values: Callable[[WriteItem], torch.Tensor]) -> None:
        super().__init__()
        self.resolve_data = values


class _Torch(FileSystemWriter):  # type: ignore[misc]
    """Torch's writer, in this thread alone: it asks for values in the order of its plan, for one tensor at a time."""

    def __init__(self, folder: Path, identity: str | None = None) -> None:
        super().__init__(folder, thread_count=1, per_thread_copy_ahead=0)
        self._identity = identity

    def storage_meta(self) -> StorageMeta:
        """What tells this checkpoint from others. Torch would take the folder's path, and a number drawn by chance."""
        return StorageMeta(save_id=self._identity)


def write_metadata(work: Work, record: Record) -> None:
    """Has torch write the metadata of all files, which depend on nothing but what has been noted of these.

    Raises:
        ValueError: A file is not the one that was written.
    """
    plans, results = [], []
    for name, least in record.files.items():
        notes = _notes(work, name, least)
        plans.append(
            SavePlan([_item(note) for note in notes], planner_data={note["name"]: (note["name"],) for note in notes})
        )
        results.append(
            [
                WriteResult(item.index, note["nbytes"], _StorageInfo(name, note["begin"], note["nbytes"]))
                for note, item in zip(notes, plans[-1].items, strict=True)
            ]
        )
    _, metadata = DefaultSavePlanner().create_global_plan(plans)
    _Torch(work.folder, f"varscale {record.plan} {record.seed}").finish(metadata, results)


def _notes(work: Work, name: str, least: int) -> list[dict[str, Any]]:
    """What has been noted of a file."""
    path = work.folder / f"{name}.json"
    try:
        notes: list[dict[str, Any]] = json.loads(path.read_bytes())
        size = max(note["begin"] + note["nbytes"] for note in notes)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        msg = f"{path} must be what was noted of a file: remove {work.folder} to drop the run"
        raise ValueError(msg) from None
    if not work.size(name) == size >= least:
        msg = f"{show(str(work.out))} must hold the whole of {name}: make it by `resume`, of each part"
        raise ValueError(msg)
    return notes


def _note(file: Bundle, span: Span) -> dict[str, Any]:
    """What the metadata need of a part of a tensor, but for where torch puts it."""
    tensor = file.tensors[span.name]
    sizes = [side.stop - side.start for side in span.box]
    return {
        "name": span.name,
        "dtype": tensor.dtype.name,
        "shape": list(tensor.shape),
        "offsets": _offsets(span),
        "sizes": sizes,
    }


def _offsets(span: Span) -> list[int]:
    return [side.start for side in span.box]


def _item(note: dict[str, Any]) -> WriteItem:
    """The order to torch to write a part of a tensor."""
    whole = torch.empty(note["shape"], dtype=getattr(torch, note["dtype"]), device="meta")
    chunk = ChunkStorageMetadata(torch.Size(note["offsets"]), torch.Size(note["sizes"]))
    data = TensorWriteData(chunk, TensorProperties.create_from_tensor(whole), whole.size())
    # Metadata are pickled, where one string is other bytes than two equal ones: this is the note's own.
    index = MetadataIndex(note["name"], chunk.offsets)
    return WriteItem(index, WriteItemType.SHARD, tensor_data=data)
