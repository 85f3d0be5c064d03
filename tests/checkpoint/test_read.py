"""Bytes that are read piece by piece: any file is read or refused, in bounded memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import varscale as vs
from checkpoint.cases import entry, raw
from varscale._models.headers import read_headers
from varscale.checkpoint._old import kept
from varscale.checkpoint._read import read_pieces

pytestmark = pytest.mark.thread_unsafe(reason="tracemalloc is the process's own")


def test_a_file_that_becomes_shorter_is_said(tmp_path: Path) -> None:
    """If this fails a file that is being rewritten kills the process, or its missing bytes are made up."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(raw({"a": entry()}, bytes(8)))
    held = read_headers(path)[0]["a"]
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(ValueError, match="must stay as it is while it is read"):
        list(read_pieces(held, most=4))


words = st.sampled_from(["F32", "BF16", "I64", "U8", "F8_E4M3", "C64", "X", "", "dtype", "shape", "__metadata__"])
numbers = st.integers(-2, 9) | st.sampled_from([1 << 31, 1 << 62, 1 << 63, 1 << 64, 10**30])
leaves = st.none() | st.booleans() | numbers | st.floats() | words | st.text(max_size=3)
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=8
)
sizes = st.lists(numbers, max_size=3) | anything
entries = st.fixed_dictionaries({"dtype": words | anything, "shape": sizes, "data_offsets": sizes}) | anything
headers = st.dictionaries(st.sampled_from(["a", "b", "__metadata__", ""]), entries, max_size=3) | anything
files = st.one_of(
    st.binary(max_size=40),
    st.builds(raw, headers, st.binary(max_size=24), st.none() | st.integers(0, (1 << 64) - 1)),
    st.builds(lambda header, cut: raw(header)[:cut], headers, st.integers(0, 60)),
)
indexes = (
    st.fixed_dictionaries({"weight_map": st.dictionaries(words, words | anything, max_size=3) | anything}) | anything
)


NEW = vs.Model({"a": (2,), "": ()}, [("*", vs.Zeros())])


def said(path: Path, data: bytes) -> str:
    """What is said of a file, in little memory; nothing where it is read."""
    path.write_bytes(data)
    tracemalloc.start()  # for this file alone: Hypothesis keeps more and more
    try:
        kept(path, (), NEW)
        vs.checkpoint.inspect(path)
        vs.checkpoint.diff(path, path)
    except (ValueError, OSError) as error:
        return str(error)
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 64_000_000
    return ""


@pytest.mark.parametrize("count", [300, pytest.param(100_000, marks=pytest.mark.long)])
def test_any_bytes_are_read_or_refused(tmp_path: Path, count: int) -> None:
    """If this fails bytes of somebody's make a traceback, or fill the memory."""

    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(files, indexes)
    def check(data: bytes, index: Any) -> None:
        for name, content in (("x.safetensors", data), ("x.json", json.dumps(index).encode())):
            line = said(tmp_path / name, content)
            assert "\n" not in line
            assert len(line) < 1200

    check()
