"""Headers of safetensors files: where each tensor lies, once all that the files say of it has been checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from .._arguments.dtypes import any_dtype
from .._arguments.show import show

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F16": "float16",
    "BF16": "bfloat16", "F32": "float32", "F64": "float64", "C64": "complex64",
}  # fmt: skip
"""The dtypes by the words of safetensors."""
FORMATS = {"pt": "torch", "flax": "jax", "tf": "keras", "mlx": "mlx"}
"""The layouts by the words that writers put into a file's metadata."""
METADATA = "__metadata__"
MOST = 100_000_000
"""The most bytes of a header, or of an index, as in safetensors."""
INDEX = "model.safetensors.index.json"
_OTHERS = {"model.npy.index.json": "arrays of NumPy", ".metadata": "a checkpoint of torch.distributed"}
"""What else a folder may hold, by the file that tells it."""
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


def weights_of(folder: Path) -> Path:
    """The index of a folder, or its one file of weights."""
    found = folder / INDEX
    return found if found.exists() else folder / "model.safetensors"


def layout_of(entries: Mapping[Any, Any]) -> set[str]:
    """The layout that the metadata among the entries of a file tell, if any."""
    metadata = entries.get(METADATA)
    word = metadata.get("format") if isinstance(metadata, Mapping) else None
    return {FORMATS[word]} if isinstance(word, str) and word in FORMATS else set()


def read_headers(path: Any, *, whole: bool = True) -> tuple[dict[str, Stored], dict[str, str]]:
    """The tensors of a file, of those of an index, or of a folder with one or the other; and what the files say.

    A file that is not `whole` may have lost its values.

    Raises:
        TypeError: `path` is no path.
        ValueError: A file is none of safetensors, or something in it is wrong.
        OSError: A file cannot be read.
    """
    from pathlib import Path  # here and below, because importing varscale must stay quick

    file = Path(os.fsdecode(path))
    try:
        is_name = b"\0" not in os.fsencode(file)
    except UnicodeError:
        is_name = False
    if not is_name:
        _refuse(file, "be the name of a file", "characters that no name has")
    if file.is_dir():
        folder, file = file, weights_of(file)
        other = next((name for name in _OTHERS if (folder / name).exists()), None)
        if other is not None and not file.exists():
            _refuse(folder, "hold files of safetensors", f"{_OTHERS[other]} ({other}), which is written and not read")
    return _indexed(file, whole=whole) if file.suffix == ".json" else _header(file, whole=whole)


def _indexed(file: Path, *, whole: bool) -> tuple[dict[str, Stored], dict[str, str]]:
    size = _size(file)
    if size > MOST:
        _refuse(file, f"have at most {MOST:,} bytes", f"{size:,}")
    with file.open("rb") as stream:
        index = _object(file, stream.read(size))
    shards = index.get("weight_map")
    if not isinstance(shards, dict):
        _refuse(file, "have a `weight_map` from names to files", show(shards))
    found: dict[str, Mapping[str, Stored]] = {}
    metadata: dict[str, str] = {}
    for name, shard in shards.items():
        # An index lies beside its files. It must not lead anywhere else.
        plain = isinstance(shard, str) and shard not in {"", ".", ".."} and not {*shard} & {"/", "\\", "\0", ":"}
        if not plain:
            _refuse(file, f"name a file beside it for {show(name)}", show(shard))
        if shard not in found:
            found[shard], said = _header(file.with_name(shard), whole=whole)
            metadata |= said
    lacking = [name for name, shard in shards.items() if name not in found[shard]]
    if lacking:
        _refuse(file, "name files that hold its tensors", f"none that holds {show(lacking)}")
    return {name: found[shard][name] for name, shard in shards.items()}, metadata


def _header(file: Path, *, whole: bool) -> tuple[dict[str, Stored], dict[str, str]]:
    size = _size(file)
    with file.open("rb") as stream:
        # The length of the header in eight bytes, the header as JSON, and then the values.
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(MOST, size - 8):
            _refuse(file, "be a safetensors file", f"{size:,} bytes whose header would have {length:,}")
        entries = _object(file, stream.read(length))
    metadata = entries.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(word, str) for word in metadata.values()):
        _refuse(file, f"have `{METADATA}` from words to words", show(metadata))
    tensors = {name: _tensor(file, name, entry, 8 + length) for name, entry in entries.items()}
    end, before = 8 + length, "its header"
    for start, _, name in sorted((held.start, held.nbytes, name) for name, held in tensors.items()):
        if start != end:
            what = "end" if start > end else "begin"
            _refuse(file, f"hold {show(name)} right behind {before}", f"a {what} {abs(start - end):,} bytes off")
        end, before = start + tensors[name].nbytes, show(name)
    if whole and end != size:
        _refuse(file, f"have {end:,} bytes, as its header says", f"{size:,}")
    return tensors, metadata


def _tensor(file: Path, name: str, entry: Any, begin: int) -> Stored:
    fields = entry if isinstance(entry, dict) else {}
    if fields.keys() != {"dtype", "shape", "data_offsets"}:
        _refuse(file, f"have a dtype, a shape and offsets of {show(name)}", show(entry))
    word, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(word, str) or word not in DTYPES:
        _refuse(file, f"have one of the dtypes {', '.join(DTYPES)} for {show(name)}", show(word))
    if not _is_sizes(shape) or len(shape) > _AXES:
        _refuse(file, f"have up to {_AXES} sizes that are not negative for {show(name)}", show(shape))
    if not _is_sizes(offsets) or len(offsets) != 2:
        _refuse(file, f"have two offsets for {show(name)}", show(offsets))
    held = Stored(file, begin + offsets[0], any_dtype(DTYPES[word]), tuple(shape))
    if offsets[1] - offsets[0] != held.nbytes:
        _refuse(file, f"have offsets {held.nbytes:,} bytes apart for {show(name)}, as its shape says", show(offsets))
    return held


def _is_sizes(sizes: Any) -> bool:
    return isinstance(sizes, list) and all(type(size) is int and 0 <= size < 1 << 63 for size in sizes)


def _size(file: Path) -> int:
    """The bytes of a file, which must be one: to open a pipe is to wait for whoever writes."""
    from stat import S_ISREG

    status = file.stat()
    if not S_ISREG(status.st_mode):
        _refuse(file, "be a file", "something else")
    return status.st_size


class RepeatedError(ValueError):
    """An object of JSON has one name twice, of which Python would take the last."""


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, for `object_pairs_hook`.

    Raises:
        RepeatedError: It holds a name twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = sorted(name for name, _ in pairs)
        twice = next(name for name, after in pairwise(names) if name == after)
        msg = f"it must hold each name once, got {show(twice)} twice"
        raise RepeatedError(msg)
    return found


def _object(file: Path, text: bytes) -> dict[str, Any]:
    """The JSON object of a text in UTF-8."""
    import json

    found = None
    try:
        found = json.loads(text.decode(), object_pairs_hook=unique)
    except RepeatedError as error:
        msg = f"{show(str(file))}: {error}"
        raise ValueError(msg) from None
    except (ValueError, RecursionError):
        pass
    if not isinstance(found, dict):
        _refuse(file, "be a safetensors file or its index", "no JSON object")
    return found


def _refuse(file: Path, must: str, got: str) -> NoReturn:
    msg = f"{show(str(file))} must {must}, got {got}"
    raise ValueError(msg)
