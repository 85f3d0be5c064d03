"""Files: which tensor lies in which one, as transformers cuts and names them, and their index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._arguments.checks import integer
from .._arguments.show import show
from .._filling.lazy import Lazy
from ._safetensors import Header, header

WEIGHTS = re.compile(r"model(-\d{5,}-of-\d{5,})?\.safetensors(\.index\.json)?")
"""The names of a checkpoint's files."""
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True)
class File:
    """A file of a checkpoint."""

    name: str
    header: Header
    tensors: Mapping[str, Lazy]

    def fits(self, size: int) -> bool:
        """Whether it has so many bytes."""
        return size == self.header.size


def files(tensors: Mapping[str, Lazy], max_shard: Any, metadata: Mapping[str, str]) -> list[File]:
    """The files that hold all tensors, none larger than `max_shard` bytes but for a tensor that is."""
    groups = list(_groups(tensors, shard_size(max_shard)))
    count = len(groups)
    names = [f"model-{number:05}-of-{count:05}.safetensors" for number in range(1, count + 1)]
    if count == 1:
        names = ["model.safetensors"]
    return [File(name, header(group, metadata), group) for name, group in zip(names, groups, strict=True)]


def index(files: Sequence[File]) -> bytes | None:
    """The text of the index of several files; None for one."""
    if len(files) == 1:
        return None
    tensors = [tensor for file in files for tensor in file.tensors.values()]
    document = {
        "metadata": {
            "total_parameters": sum(tensor.size for tensor in tensors),
            "total_size": sum(tensor.nbytes for tensor in tensors),
        },
        "weight_map": {name: file.name for file in files for name in file.tensors},
    }
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def shard_size(size: Any) -> int:
    """`size` in bytes: an integer, or a number with a unit, such as "5GB".

    Raises:
        TypeError: `size` is neither an integer nor a string.
        ValueError: The string is no size, or the size is not positive.
    """
    number = size
    if isinstance(size, str):
        found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?) ?([KMGT]B)", size.strip().upper())
        number = int(float(found[1]) * _UNITS[found[2]]) if found else 0
    if integer("max_shard", number) < 1:
        msg = f'`max_shard` must be a positive number of bytes, such as "5GB", got {show(size)}'
        raise ValueError(msg)
    return integer("max_shard", number)


def _groups(tensors: Mapping[str, Lazy], most: int) -> Iterator[dict[str, Lazy]]:
    """The tensors of each file, in their order. A larger one has a file of its own, before that of its neighbours."""
    group: dict[str, Lazy] = {}
    size = 0
    for name, tensor in tensors.items():
        if tensor.nbytes > most:
            yield {name: tensor}
            continue
        if size + tensor.nbytes > most:
            yield group
            group, size = {}, 0
        group[name] = tensor
        size += tensor.nbytes
    if group or not tensors:
        yield group
