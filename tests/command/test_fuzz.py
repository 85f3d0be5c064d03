"""Sources that nobody would write: each is read or refused, in little memory, and never ends in anything else."""

from __future__ import annotations

import copy
import json
import os
import tempfile
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import varscale as vs
from command.cases import SPEC
from varscale._command.source import read_source

pytestmark = pytest.mark.thread_unsafe(reason="traces memory")

MOST = 64 << 20
ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
HEADER = {
    "__metadata__": {"format": "pt"},
    "a.weight": ENTRY,
    "b.bias": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
}
INDEX = {"metadata": {"total_size": 32}, "weight_map": {"a.weight": "a.safetensors", "b.bias": "a.safetensors"}}
PLAN = vs.Model(
    {
        "a.weight": ((3, 4), None, vs.lecun_normal(in_axis=1, out_axis=0)),
        "b": ((70,), None, vs.Constant(list(range(70)))),
        "c": ((4, 4), None, vs.Pieces([(..., vs.RandomNormal()), (0, vs.Zeros())])),
    }
).to_dict()
ODD = (
    st.sampled_from(
        [
            None,
            True,
            -1,
            0,
            2**63,
            10**30,
            1e308,
            float("inf"),
            "",
            "..",
            "F32",
            "a\0",
            "\ud800",
            [],
            {},
            [[]],
            "a.safetensors",
        ]
    )
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.lists(st.integers(-3, 5), max_size=5)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
WORDS = [
    "[",
    "]",
    "{",
    "}",
    "{}",
    '"',
    "=",
    ".",
    "count",
    "-1",
    "1e999",
    "10000000000000",
    "parameters",
    "normal(",
    ",",
    "\n",
]


def places(value: Any) -> list[tuple[Any, Any]]:
    """The containers and keys of all that is in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in [(value, key), *places(inner)]]


@st.composite
def changed(draw: Callable[..., Any], document: Any) -> bytes:
    """A document with a few things changed, taken away or cut, as JSON."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(0, 3))):
        found = places(document)
        if found:
            container, key = draw(st.sampled_from(found))
            what = draw(st.sampled_from(["change", "remove", "rename"]))
            if what == "change":
                container[key] = copy.deepcopy(draw(ODD))  # drawn values are shared
            elif what == "remove":
                del container[key]
            elif isinstance(container, dict):
                container[draw(st.text(max_size=5))] = container.pop(key)
    text = json.dumps(document).encode()
    return draw(torn(text)) if draw(st.integers(0, 4)) == 0 else text


@st.composite
def torn(draw: Callable[..., Any], text: bytes) -> bytes:
    """Text with a piece of it replaced by others."""
    start = draw(st.integers(0, len(text)))
    stop = draw(st.integers(start, min(len(text), start + 40)))
    put = draw(st.binary(max_size=5) | st.sampled_from(WORDS).map(str.encode))
    return text[:start] + put * draw(st.sampled_from([1, 1, 1, 2, 3000])) + text[stop:]


def of_header(text: bytes, length: int | None) -> bytes:
    return (len(text) if length is None else length).to_bytes(8, "little") + text


SOURCES = {
    "a.safetensors": st.builds(
        of_header, changed(HEADER), st.none() | st.none() | st.integers(0, 300) | st.integers(0, 2**64 - 1)
    )
    | st.binary(max_size=40),
    "i.safetensors.index.json": changed(INDEX),
    "plan.json": changed(PLAN),
    "net.toml": torn(SPEC.encode()) | torn(SPEC.encode()).flatmap(torn),
}


def read(folder: Path, name: str, text: bytes) -> None:
    """Reads a source, and the numbers of a checkpoint: each is something, or an error that a user can read."""
    path = folder / name
    path.write_bytes(text)
    readers: list[Callable[[], object]] = [lambda: read_source(str(path), [], None).model.digest()]
    if "safetensors" in name:
        readers += [lambda: str(vs.checkpoint.inspect(path)), lambda: str(vs.checkpoint.diff(path, path))]
    for reader in readers:
        try:
            said = reader()
        except (ValueError, TypeError, OSError) as error:
            said = str(error)
        assert said


def check(name: str, text: bytes) -> None:
    """Reads a source in a folder with a file that an index may name, in little memory."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of Python's parser, for texts such as "1if"
        folder = Path(place)
        (folder / "a.safetensors").write_bytes(of_header(json.dumps(HEADER).encode(), None))
        tracemalloc.start()
        try:
            read(folder, name, text)
            assert tracemalloc.get_traced_memory()[1] < MOST
        finally:
            tracemalloc.stop()


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.mark.parametrize("name", SOURCES)
def test_any_source_is_read_or_refused(name: str) -> None:
    """If this fails a damaged or hostile file ends in a traceback, or takes all memory."""
    settings(max_examples=150, **QUIET)(given(SOURCES[name])(lambda text: check(name, text)))()


@pytest.mark.long
@pytest.mark.parametrize("name", SOURCES)
def test_25_000_of_each_are_read_or_refused(name: str) -> None:
    """If this fails a rare damage was not thought of."""
    count = int(os.environ.get("VARSCALE_FUZZ", "25000"))
    settings(max_examples=count, **QUIET)(given(SOURCES[name])(lambda text: check(name, text)))()
