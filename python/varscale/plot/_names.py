"""Names of tensors: the kind that repeated layers have in common, their depth, and what a page may show of them."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._arguments.printable import printable

_LONGEST = 120
"""The most characters of a name that a picture shows: a page of many long names would have no bound."""
_BLOCK = re.compile(r"(?<![^./])[0-9]{1,9}(?![^./])")
"""A segment that is a number, as in `h.3.attn.weight`."""
_COUNTED = re.compile(r"(?<=[A-Za-z_])[0-9]{1,9}(?![^./:])")
"""A number at the end of a segment, as in `Dense_3/kernel`."""


class Place(NamedTuple):
    """Where a tensor stands among others."""

    kind: str
    """Its name, with a star for each number that counts layers."""
    numbers: tuple[int, ...]
    """These numbers; the first is the depth."""


def place(name: str) -> Place:
    """The kind of a tensor and its numbers.

    Segments that are numbers count layers; where a name has none, the first number that ends a segment does:
    `h.0.ln_1.weight` is a `h.*.ln_1.weight`, and `Dense_0.kernel` a `Dense_*.kernel`.
    """
    pattern, most = (_BLOCK, 0) if _BLOCK.search(name) else (_COUNTED, 1)
    found = pattern.findall(name)[: most or None]
    return Place(pattern.sub("*", name, count=most), tuple(map(int, found)))


def shown(name: str) -> str:
    """A name as text: what moves or hides its neighbours is escaped, and the middle of a long name left out."""
    if len(name) > _LONGEST:
        half = _LONGEST // 2
        name = f"{name[:half]}\N{HORIZONTAL ELLIPSIS}{name[1 - half :]}"
    return printable(name)
