"""Headers of safetensors files: names, shapes and dtypes, read without the values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._arguments.show import show

if TYPE_CHECKING:
    from pathlib import Path

DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F16": "float16",
    "BF16": "bfloat16", "F32": "float32", "F64": "float64", "C64": "complex64",
}  # fmt: skip
"""The dtypes by the words of safetensors."""
FORMATS = {"pt": "torch", "flax": "jax", "tf": "keras", "mlx": "mlx"}
"""The layouts by the words that writers put into a file's metadata."""
METADATA = "__metadata__"
_MOST = 100_000_000
"""The most bytes of a header, or of an index, as in safetensors."""


def read_headers(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The entries of a safetensors file, or of all the files that an index names.

    Raises:
        ValueError: A file cannot be read, is no safetensors file or index, or has a header that is too long or cut
            short.
    """
    from pathlib import Path  # here and below, because importing varscale must stay quick

    try:
        return _entries(Path(os.fsdecode(path).replace("\0", "/")))  # a name with a zero is no file's
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", "no name of a file")
        msg = f"`parameters` must be a mapping, or the path of a file that can be read, got {show(path)}: {reason}"
        raise ValueError(msg) from error


def _entries(file: Path) -> dict[str, Any]:
    """The entries of a file, or of those that an index names."""
    if file.suffix != ".json":
        return _header(file)
    with file.open("rb") as stream:
        # Not one byte more than there are: Python takes the memory for what it is asked to read.
        index = _parsed(file, stream.read(min(_MOST, os.fstat(stream.fileno()).st_size) + 1))
    shards = index.get("weight_map")
    if not isinstance(shards, dict) or not all(isinstance(shard, str) for shard in shards.values()):
        msg = f"{show(str(file))} must be an index of safetensors files, with a `weight_map` from names to files"
        raise ValueError(msg)
    entries: dict[str, Any] = {METADATA: None}
    for shard in dict.fromkeys(shards.values()):
        # An index lies beside its files. It must not lead anywhere else.
        if shard in {"", ".."} or shard != (file.parent / shard).name or "\\" in shard:
            msg = f"`weight_map` of {show(str(file))} must name files beside it, got {show(shard)}"
            raise ValueError(msg)
        header = _header(file.with_name(shard))
        entries |= {name: header.get(name) for name, own in shards.items() if own == shard}
        entries[METADATA] = entries[METADATA] or header.get(METADATA)
    lacking = [name for name, entry in entries.items() if entry is None and name != METADATA]
    if lacking:
        msg = f"the files of {show(str(file))} must hold what its `weight_map` names, lack {show(lacking)}"
        raise ValueError(msg)
    return {name: entries[name] for name in (*shards, METADATA)}


def layout_of(entries: Mapping[Any, Any]) -> set[str]:
    """The layout that the metadata of a file tell, if any."""
    metadata = entries.get(METADATA)
    word = metadata.get("format") if isinstance(metadata, Mapping) else None
    return {FORMATS[word]} if isinstance(word, str) and word in FORMATS else set()


def _header(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        # The length of the header in eight bytes, the header as JSON, and then the values, which are not read.
        length = int.from_bytes(stream.read(8), "little")
        if length > min(_MOST, os.fstat(stream.fileno()).st_size - 8):
            msg = f"{show(str(file))} must be a safetensors file, got one whose header would have {length:,} bytes"
            raise ValueError(msg)
        return _parsed(file, stream.read(length))


class RepeatedError(ValueError):
    """An object of JSON has one name twice, of which Python would take the last."""


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, for `object_pairs_hook`.

    Raises:
        RepeatedError: It holds a name twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"it must hold each name once, got {show(twice)} twice"
        raise RepeatedError(msg)
    return found


def _parsed(file: Path, text: bytes) -> dict[str, Any]:
    import json

    try:
        parsed = json.loads(text, object_pairs_hook=unique) if len(text) <= _MOST else None
    except RepeatedError as error:
        msg = f"{show(str(file))}: {error}"
        raise ValueError(msg) from None
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        msg = (
            f"{show(str(file))} must be a safetensors file or its index, got no JSON object of at most {_MOST:,} bytes"
        )
        raise ValueError(msg)
    return parsed
