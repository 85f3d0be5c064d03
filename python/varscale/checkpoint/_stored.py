"""Stored tensors: where each tensor of safetensors files lies, once all that the files say of it has been checked."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import any_dtype
from .._arguments.show import show
from .._models.headers import DTYPES, METADATA
from ._files import INDEX

Bytes = NDArray[np.uint8]
_LONGEST = 100_000_000
"""The most bytes of a header, or of an index, as in safetensors."""
_AXES = 64
"""The most axes of a tensor, as in NumPy."""


class Stored(NamedTuple):
    """A tensor in a file."""

    file: Path
    start: int
    """The byte of the file at which it begins."""
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of its elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes that it takes."""
        return self.size * self.dtype.itemsize


def read_stored(path: Any) -> tuple[dict[str, Stored], dict[str, str]]:
    """The tensors of a file, of those of an index, or of a folder with one or the other; and what the files say.

    Raises:
        TypeError: `path` is no path.
        ValueError: A file is none of safetensors, or something in it is wrong.
        OSError: A file cannot be read.
    """
    file = Path(os.fsdecode(path))
    if "\0" in str(file):
        _refuse(file, "be the name of a file", "a zero byte in it")
    if file.is_dir():
        file = file / INDEX if (file / INDEX).exists() else file / "model.safetensors"
    return _indexed(file) if file.suffix == ".json" else _header(file)


def _indexed(file: Path) -> tuple[dict[str, Stored], dict[str, str]]:
    size = _size(file)
    if size > _LONGEST:
        _refuse(file, f"have at most {_LONGEST:,} bytes", f"{size:,}")
    with file.open("rb") as stream:
        index = _object(file, stream.read(size))
    shards = index.get("weight_map")
    if not isinstance(shards, dict):
        _refuse(file, "have a `weight_map` from names to files", shards)
    found: dict[str, Mapping[str, Stored]] = {}
    metadata: dict[str, str] = {}
    for name, shard in shards.items():
        # An index lies beside its files. It must not lead anywhere else.
        plain = isinstance(shard, str) and shard not in {"", ".", ".."} and not {*shard} & {"/", "\\", "\0", ":"}
        if not plain:
            _refuse(file, f"name a file beside it for {show(name)}", shard)
        if shard not in found:
            found[shard], said = _header(file.with_name(shard))
            metadata |= said
        if name not in found[shard]:
            _refuse(file, f"name a file that holds {show(name)}", shard)
    return {name: found[shard][name] for name, shard in shards.items()}, metadata


def _header(file: Path) -> tuple[dict[str, Stored], dict[str, str]]:
    size = _size(file)
    with file.open("rb") as stream:
        # The length of the header in eight bytes, the header as JSON, and then the values.
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(_LONGEST, size - 8):
            _refuse(file, "be a safetensors file", f"{size:,} bytes whose header would have {length:,}")
        entries = _object(file, stream.read(length))
    metadata = entries.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(word, str) for word in metadata.values()):
        _refuse(file, f"have `{METADATA}` from words to words", metadata)
    tensors = {name: _tensor(file, name, entry, 8 + length) for name, entry in entries.items()}
    end, before = 8 + length, "its header"
    for start, _, name in sorted((held.start, held.nbytes, name) for name, held in tensors.items()):
        if start != end:
            what = "end" if start > end else "begin"
            _refuse(file, f"hold {show(name)} right behind {before}", f"a {what} {abs(start - end):,} bytes off")
        end, before = start + tensors[name].nbytes, show(name)
    if end != size:
        _refuse(file, f"have {end:,} bytes, as its header says", f"{size:,}")
    return tensors, metadata


def _tensor(file: Path, name: str, entry: Any, begin: int) -> Stored:
    fields = entry if isinstance(entry, dict) else {}
    if fields.keys() != {"dtype", "shape", "data_offsets"}:
        _refuse(file, f"have a dtype, a shape and offsets of {show(name)}", entry)
    word, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(word, str) or word not in DTYPES:
        _refuse(file, f"have one of the dtypes {', '.join(DTYPES)} for {show(name)}", word)
    if not _is_sizes(shape) or len(shape) > _AXES:
        _refuse(file, f"have up to {_AXES} sizes that are not negative for {show(name)}", shape)
    if not _is_sizes(offsets) or len(offsets) != 2:
        _refuse(file, f"have two offsets for {show(name)}", offsets)
    held = Stored(file, begin + offsets[0], any_dtype(DTYPES[word]), tuple(shape))
    if offsets[1] - offsets[0] != held.nbytes:
        _refuse(file, f"have offsets {held.nbytes:,} bytes apart for {show(name)}, as its shape says", offsets)
    return held


def _is_sizes(sizes: Any) -> bool:
    return isinstance(sizes, list) and all(type(size) is int and 0 <= size < 1 << 63 for size in sizes)


def _size(file: Path) -> int:
    """The bytes of a file, which must be one: to open a pipe is to wait for whoever writes."""
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        _refuse(file, "be a file", "something else")
    return status.st_size


def _object(file: Path, text: bytes) -> dict[str, Any]:
    """The JSON object of a text in UTF-8."""
    found = None
    try:
        found = json.loads(text.decode(), object_pairs_hook=_once)
    except _TwiceError as twice:
        _refuse(file, "hold each name once", f"{twice.args[0]} twice")
    except (ValueError, RecursionError):
        pass
    if not isinstance(found, dict):
        _refuse(file, "be a safetensors file or its index", "no JSON object")
    return found


class _TwiceError(Exception):
    """A key that comes twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = sorted(key for key, _ in pairs)
        raise _TwiceError(next(show(name) for name, after in pairwise(names) if name == after))
    return found


def _refuse(file: Path, must: str, got: Any) -> NoReturn:
    msg = f"{show(str(file))} must {must}, got {got if isinstance(got, str) else show(got)}"
    raise ValueError(msg)


def read_pieces(tensor: Stored, most: int, run: range | None = None) -> Iterator[Bytes]:
    """The bytes of a tensor, or a run of them, piece by piece. Each piece takes the place of the one before it.

    Raises:
        ValueError: The file has become shorter.
    """
    todo = range(tensor.nbytes) if run is None else run
    buffer = np.empty(min(most, len(todo)), np.uint8)
    # Read, and not mapped: where a mapped file becomes shorter, the process is killed.
    with tensor.file.open("rb", buffering=0) as stream:
        stream.seek(tensor.start + todo.start)
        for place in range(0, len(todo), most):
            piece = buffer[: min(most, len(todo) - place)]
            view = piece.data
            while view:
                count = stream.readinto(view)
                if not count:
                    _refuse(tensor.file, "stay as it is while it is read", "fewer bytes")
                view = view[count:]
            yield piece
