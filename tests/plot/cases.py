"""Checkpoints of the tests of pictures, and pages as a browser reads them."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from varscale.plot._page import page
from varscale.plot._survey import survey

VOID = {"meta", "link", "br", "input", "img", "path", "use"}
OPTIONAL = {"li", "p", "tr", "th", "td", "tbody", "thead"}
"""Elements that need no end: the next one ends them."""


def written(path: Path, arrays: dict[str, NDArray[Any]]) -> Path:
    """A safetensors file, also of names that the library of that name does not write."""
    header, blobs, end = {}, [], 0
    for name, array in arrays.items():
        word = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64"}[array.dtype.name]
        header[name] = {"dtype": word, "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        blobs.append(array.tobytes())
        end += array.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))
    return path


def normal(*shape: int, seed: int = 0, dtype: str = "float32") -> NDArray[Any]:
    """Numbers of a normal law of standard deviation 0.02."""
    return np.random.default_rng(seed).normal(0.0, 0.02, shape).astype(dtype)


class Page(HTMLParser):
    """A page: its elements, the text of each kind of them, and what is wrong with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        """The text of each element, by its tag, in the order in which they end."""
        self._open: list[tuple[str, list[str]]] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()
        self._end_optional()
        self.wrong += [f"no end of {tag}" for tag, _ in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in OPTIONAL and self._open and self._open[-1][0] in OPTIONAL - {"thead", "tbody"}:
            self._pop()
        if tag not in VOID:
            self._open.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        while self._open and self._open[-1][0] != tag and self._open[-1][0] in OPTIONAL:
            self._pop()
        if not self._open or self._open[-1][0] != tag:
            self.wrong.append(f"end of {tag} in {[held for held, _ in self._open]}")
        else:
            self._pop()

    def handle_data(self, data: str) -> None:
        for _, texts in self._open:
            texts.append(data)

    def _pop(self) -> None:
        tag, texts = self._open.pop()
        self.texts.append((tag, "".join(texts)))

    def _end_optional(self) -> None:
        while self._open and self._open[-1][0] in OPTIONAL:
            self._pop()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attributes for found, attributes in self.elements if found == tag]

    def words(self, tag: str) -> list[str]:
        """The texts of all elements of a kind."""
        return [text for found, text in self.texts if found == tag]


def read(path: Path, *arguments: Any) -> Page:
    """The page of a checkpoint."""
    return Page(page(survey(path, *(*arguments, None, None)[:2])).decode())
