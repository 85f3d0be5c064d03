"""Headers of safetensors files, as the library of that name writes them, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .._arguments.show import show
from .._filling.lazy import Lazy
from .._models.headers import DTYPES, METADATA, MOST
from .._models.parameter import Parameter

_ORDER = (
    "U64", "I64", "F64", "C64", "F32", "U32", "I32", "BF16", "F16", "U16", "I16", "F8_E4M3", "F8_E5M2", "I8", "U8",
    "BOOL",
)  # fmt: skip
"""The dtypes in the order in which their tensors lie in a file: so each is aligned."""
_WORDS = {DTYPES[word]: word for word in _ORDER}


class Header(NamedTuple):
    """What stands before the values of a file, and where these stand."""

    text: bytes
    """The first bytes of the file: the length of the JSON, and the JSON."""
    places: dict[str, int]
    """The byte of the file at which each tensor begins, in the file's order."""
    size: int
    """The bytes of the whole file."""


def header(tensors: Mapping[str, Lazy], metadata: Mapping[str, str]) -> Header:
    """The header of a file that holds these tensors.

    Raises:
        ValueError: The header would be too long to be read.
    """
    entries: dict[str, object] = {METADATA: dict(sorted(metadata.items()))}
    ends, end = {}, 0
    for name in _in_order(tensors):
        tensor = tensors[name]
        start, end = end, end + tensor.nbytes
        entries[name] = {"dtype": _WORDS[tensor.dtype.name], "shape": list(tensor.shape), "data_offsets": [start, end]}
        ends[name] = start
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MOST:
        msg = f"a file must have a header of at most {MOST:,} bytes, got {len(text):,}: choose a smaller `max_shard`"
        raise ValueError(msg)
    text = len(text).to_bytes(8, "little") + text
    return Header(text, {name: len(text) + start for name, start in ends.items()}, len(text) + end)


def check_tensors(tensors: Mapping[str, Parameter]) -> None:
    """Raises ValueError for what a file cannot hold, or what would lead elsewhere where names become paths."""
    for name, parameter in tensors.items():
        if parameter.dtype.name not in _WORDS:
            known = ", ".join(_WORDS)
            msg = (
                f"parameter {show(name)}: `dtype` must be one of safetensors, {known}, got {show(parameter.dtype.name)}"
            )
            raise ValueError(msg)
        parts = name.replace("\\", "/").split("/")
        if name == METADATA or "\0" in name or ".." in parts or (len(parts) > 1 and not parts[0]):
            msg = f"parameter {show(name)}: a name must not be {show(METADATA)} or absolute, nor hold '..' or NUL"
            raise ValueError(msg)


def _in_order(tensors: Mapping[str, Lazy]) -> Iterable[str]:
    places = {DTYPES[word]: place for place, word in enumerate(_ORDER)}
    return sorted(tensors, key=lambda name: (places[tensors[name].dtype.name], name))
