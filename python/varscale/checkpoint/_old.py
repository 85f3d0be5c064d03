"""Old checkpoints: tensors that are kept, row by row, where a new one grows from them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import any_dtype
from .._arguments.shapes import parse_shape
from .._arguments.show import show
from .._engines import matched
from .._models.headers import DTYPES, METADATA, read_headers
from .._models.parameter import Parameter
from ._files import INDEX


class Old(NamedTuple):
    """A tensor of an old checkpoint."""

    file: Path
    start: int
    """The byte at which it begins."""
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def copy(self, start: int, values: NDArray[Any]) -> None:
        """Writes its elements from number `start` on into `values`, as many as it has.

        Raises:
            ValueError: The file has fewer bytes than when it was read.
        """
        flat = values.reshape(-1)
        count = min(flat.size, prod(self.shape) - start)
        if count <= 0:
            return
        with self.file.open("rb") as stream:
            stream.seek(self.start + start * self.dtype.itemsize)
            data = stream.read(count * self.dtype.itemsize)
        if len(data) < count * self.dtype.itemsize:
            msg = f"{self.file} must stay as it is while it is copied, got a shorter file"
            raise ValueError(msg)
        with np.errstate(over="ignore"):  # what a narrower dtype does not hold is infinite there
            flat[:count] = np.frombuffer(data, self.dtype).astype(flat.dtype)


def kept(like: Any, patterns: Any, tensors: Mapping[str, Parameter]) -> dict[str, Old]:
    """The tensors of the old checkpoint `like` that a pattern matches, and that the new one has too.

    Raises:
        TypeError: `like` is no path, or the patterns are no strings.
        ValueError: A file is none, a pattern matches nothing, or a shape differs in more than its rows.
    """
    if like is None:
        if patterns != ():
            msg = f"`keep` must be empty where there is no old checkpoint `like`, got {show(patterns)}"
            raise ValueError(msg)
        return {}
    path = Path(os.fsdecode(like))
    held = tensors_of(weights_of(path) if path.is_dir() else path)
    found = {name: old for name, old in held.items() if name in tensors}
    chosen = matched("keep", "*" if patterns == () else patterns, found, f"tensors that {show(str(like))} has too")
    for name in chosen:
        old, new = found[name].shape, tensors[name].shape
        if len(old) != len(new) or old[1:] != new[1:] or old[:1] > new[:1]:
            msg = f"parameter {show(name)}: the old shape {show(old)} must be that of the first rows of {show(new)}"
            raise ValueError(msg)
    return {name: old for name, old in found.items() if name in chosen}


def identity(olds: Mapping[str, Old]) -> list[Any]:
    """What tells old tensors from others, without reading all of them."""
    stats = {old.file: old.file.stat() for old in olds.values()}
    return [
        (name, old.start, old.dtype.name, old.shape, stats[old.file].st_size, stats[old.file].st_mtime_ns)
        for name, old in olds.items()
    ]


def weights_of(folder: Path) -> Path:
    """The index of a folder, or its one file of weights."""
    found = folder / INDEX
    return found if found.exists() else folder / "model.safetensors"


def tensors_of(path: Path, *, whole: bool = True) -> dict[str, Old]:
    """All tensors of a file, or of those of an index; a file that is not `whole` may have lost its values.

    Raises:
        ValueError: A file is none, or its tensors do not lie in it side by side.
    """
    entries = read_headers(path)
    if path.suffix != ".json":
        return _of_file(path, entries, whole=whole)
    index = json.loads(path.read_bytes())["weight_map"]
    files = [path.with_name(shard) for shard in dict.fromkeys(index.values())]
    held = {file.name: _of_file(file, read_headers(file), whole=whole) for file in files}
    return {name: held[shard][name] for name, shard in index.items()}


def _of_file(file: Path, entries: Mapping[str, Any], *, whole: bool) -> dict[str, Old]:
    with file.open("rb") as stream:
        start = 8 + int.from_bytes(stream.read(8), "little")
        size = os.fstat(stream.fileno()).st_size if whole else None
    places = _offsets(file, entries, None if size is None else size - start)
    return {name: Old(file, start + begin, dtype, shape) for name, (begin, dtype, shape) in places.items()}


def _offsets(
    file: Path, entries: Mapping[str, Any], size: int | None
) -> dict[str, tuple[int, np.dtype[Any], tuple[int, ...]]]:
    """The first byte, the dtype and the shape of each tensor of a file, of which `size` bytes are values.

    Raises:
        ValueError: Two tensors overlap, one has more or fewer bytes than its shape, or lies beyond the end.
    """
    found = {}
    spans: list[tuple[int, int, str]] = []
    for name, entry in entries.items():
        if name == METADATA:
            continue
        try:
            dtype, shape = any_dtype(DTYPES[entry["dtype"]]), parse_shape(entry["shape"])
            begin, end = parse_shape(entry["data_offsets"])
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{show(str(file))}: {show(name)} must have dtype, shape and offsets, got {show(entry)}"
            raise ValueError(msg) from error
        if end - begin != prod(shape) * dtype.itemsize or (size is not None and end > size):
            msg = f"{show(str(file))}: {show(name)} must have the bytes of its shape in the file, got {show(entry)}"
            raise ValueError(msg)
        found[name] = begin, dtype, shape
        spans.append((begin, end, name))
    _check_apart(file, spans)
    return found


def _check_apart(file: Path, spans: Iterable[tuple[int, int, str]]) -> None:
    last, before = 0, ""
    for begin, end, name in sorted(spans):
        if begin < last and end > begin:
            msg = f"{show(str(file))}: {show(name)} must have bytes of its own, got some that {show(before)} has too"
            raise ValueError(msg)
        last, before = max(last, end), name
