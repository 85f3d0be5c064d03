"""Files that are none, or lie: one clear error each, in bounded memory."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import varscale as vs
from varscale.checkpoint._stored import read_stored

pytestmark = pytest.mark.thread_unsafe(reason="tracemalloc is the process's own")


def raw(header: Any, values: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + values


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


WRONG = {
    "empty": (b"", "must be a safetensors file, got 0 bytes"),
    "short": (b"\x03\0\0", "must be a safetensors file"),
    "long header": (raw({}, length=1 << 40), "whose header would have 1,099,511,627,776"),
    "no JSON": (raw(b"[1, 2"), "got no JSON object"),
    "a list": (raw([1]), "got no JSON object"),
    "deep": (raw(b"[" * 100_000), "got no JSON object"),
    "no UTF-8": (raw(b'{"\xff": 1}'), "got no JSON object"),
    "huge number": (raw(b'{"a": ' + b"9" * 10_000 + b"}"), "got no JSON object"),
    "twice": (raw(b'{"a": 1, "a": 2}'), "must hold each name once, got 'a' twice"),
    "no entry": (raw({"a": 7}), "must have a dtype, a shape and offsets of 'a', got 7"),
    "more fields": (raw({"a": entry() | {"more": 1}}, bytes(8)), "must have a dtype, a shape and offsets"),
    "dtype": (raw({"a": entry("F31")}, bytes(8)), "must have one of the dtypes BOOL, "),
    "dtype that is none": (raw({"a": entry([1])}, bytes(8)), "must have one of the dtypes BOOL, "),
    "negative": (raw({"a": entry(shape=[-2])}, bytes(8)), "sizes that are not negative for 'a', got [-2]"),
    "float": (raw({"a": entry(shape=[2.0])}, bytes(8)), "sizes that are not negative"),
    "bool": (raw({"a": entry("U8", shape=[True], offsets=[0, 1])}, bytes(1)), "sizes that are not negative"),
    "overflow": (raw({"a": entry(shape=[1 << 62, 1 << 62])}, bytes(8)), "as its shape says"),
    "axes": (raw({"a": entry(shape=[1] * 65, offsets=[0, 4])}, bytes(4)), "up to 64 sizes"),
    "one offset": (raw({"a": entry(offsets=[0])}, bytes(8)), "must have two offsets for 'a'"),
    "backwards": (raw({"a": entry(offsets=[8, 0])}, bytes(8)), "must have offsets 8 bytes apart for 'a'"),
    "beyond": (raw({"a": entry()}, bytes(4)), "bytes, as its header says, got"),
    "behind": (raw({"a": entry()}, bytes(12)), "bytes, as its header says, got"),
    "overlap": (raw({"a": entry(), "b": entry(offsets=[4, 12])}, bytes(12)), "must hold 'b' right behind 'a'"),
    "gap": (raw({"a": entry(), "b": entry(offsets=[12, 20])}, bytes(20)), "must hold 'b' right behind 'a'"),
    "metadata": (raw({"__metadata__": {"a": 1}}), "from words to words"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, case: str) -> None:
    """If this fails a broken file is read as if it were none, or its error does not say what is wrong."""
    data, says = WRONG[case]
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    for look in (vs.checkpoint.inspect, lambda path: vs.checkpoint.diff(path, path)):
        with pytest.raises(ValueError, match=r"x\.safetensors' must ") as error:
            look(path)
        assert says in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("shard", ["../a.safetensors", "/etc/passwd", "", ".", "..", "b/../a", "a\0", "C:a", 7, None])
def test_an_index_leads_nowhere_else(tmp_path: Path, shard: Any) -> None:
    """If this fails an index that was downloaded has another file of the machine read."""
    (tmp_path / "a.safetensors").write_bytes(raw({"a": entry()}, bytes(8)))
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "index.json"
    path.write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(ValueError, match="must name a file beside it for 'a', got"):
        read_stored(path)


def test_an_index_names_what_is_there(tmp_path: Path) -> None:
    """If this fails a tensor that no file has is passed over."""
    (tmp_path / "a.safetensors").write_bytes(raw({"a": entry()}, bytes(8)))
    path = tmp_path / "index.json"
    path.write_text(json.dumps({"weight_map": {"a": "a.safetensors", "b": "a.safetensors"}}))
    with pytest.raises(ValueError, match="must name a file that holds 'b'"):
        read_stored(path)
    path.write_text(json.dumps({"weight_map": {"a": "a.safetensors"}}))
    assert read_stored(path)[0]["a"].shape == (2,)
    path.write_text(json.dumps({"weight_map": ["a"]}))
    with pytest.raises(ValueError, match="must have a `weight_map` from names to files"):
        read_stored(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """If this fails the command waits for ever for somebody to write."""
    os.mkfifo(tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="must be a file, got something else"):
        read_stored(tmp_path / "x.safetensors")


def test_a_file_that_becomes_shorter_is_said(tmp_path: Path) -> None:
    """If this fails a file that is being rewritten kills the process, or its missing bytes are made up."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(raw({"a": entry()}, bytes(8)))
    held = read_stored(path)[0]["a"]
    path.write_bytes(path.read_bytes()[:-2])
    from varscale.checkpoint._stored import read_pieces

    with pytest.raises(ValueError, match="must stay as it is while it is read"):
        list(read_pieces(held, 4))


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


def said(path: Path, data: bytes) -> str:
    """What is said of a file, in little memory; nothing where it is read."""
    path.write_bytes(data)
    tracemalloc.start()  # for this file alone: Hypothesis keeps more and more
    try:
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
