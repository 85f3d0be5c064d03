"""Old checkpoints: tensors that are kept, row by row, where a new one grows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.show import show
from .._engines import matched
from .._models.headers import Stored, read_headers
from .._models.parameter import Parameter
from ._read import read_pieces


def kept(like: Any, patterns: Any, tensors: Mapping[str, Parameter]) -> dict[str, Stored]:
    """The tensors of the old checkpoint `like` that a pattern matches, and that the new one has too.

    Raises:
        TypeError: `like` is no path, or the patterns are no strings.
        ValueError: A file is none, a pattern matches nothing, or a shape differs in more than its rows.
        OSError: A file cannot be read.
    """
    if like is None:
        if patterns != ():
            msg = f"`keep` must be empty where there is no old checkpoint `like`, got {show(patterns)}"
            raise ValueError(msg)
        return {}
    found = {name: old for name, old in read_headers(like)[0].items() if name in tensors}
    chosen = matched("keep", "*" if patterns == () else patterns, found, f"tensors that {show(str(like))} has too")
    for name in chosen:
        old, new = found[name].shape, tensors[name].shape
        if len(old) != len(new) or old[1:] != new[1:] or old[:1] > new[:1]:
            msg = f"parameter {show(name)}: the old shape {show(old)} must be that of the first rows of {show(new)}"
            raise ValueError(msg)
    return {name: old for name, old in found.items() if name in chosen}


def identity(olds: Mapping[str, Stored]) -> list[Any]:
    """What tells old tensors from others, without reading all of them."""
    stats = {old.file: old.file.stat() for old in olds.values()}
    return [
        (name, old.start, old.dtype.name, old.shape, stats[old.file].st_size, stats[old.file].st_mtime_ns)
        for name, old in olds.items()
    ]


def copy(old: Stored, start: int, values: NDArray[Any]) -> None:
    """Writes the elements of `old` from number `start` on into `values`, as many as it has.

    Raises:
        ValueError: The file has fewer bytes than when it was read.
    """
    flat = values.reshape(-1)
    stop, width, place = min(start + flat.size, old.size), old.dtype.itemsize, 0
    for piece in read_pieces(old, range(start * width, stop * width)):
        numbers = piece.view(old.dtype)
        with np.errstate(over="ignore"):  # what a narrower dtype does not hold is infinite there
            flat[place : place + numbers.size] = numbers.astype(flat.dtype)
        place += numbers.size
