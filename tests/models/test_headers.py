"""Headers of safetensors files that are none, or lie: one clear error each, whoever reads them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import varscale as vs
from checkpoint.cases import entry, raw
from varscale._models.headers import read_headers


def grow(path: Path) -> None:
    """Keeps what the file has."""
    vs.checkpoint.save(vs.Model({"a": (2,)}, [("*", vs.Zeros())]), path.parent / "out", 7, like=path)


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
    "two lines": (raw({"a\nb": entry("F\n31")}, bytes(8)), "for 'a\\nb', got 'F\\n31'"),
    "longest": (raw({"a": entry("F" * 5000)}, bytes(8)), "must have one of the dtypes BOOL, "),
    "dtype": (raw({"a": entry("F31")}, bytes(8)), "must have one of the dtypes BOOL, "),
    "dtype that is none": (raw({"a": entry([1])}, bytes(8)), "must have one of the dtypes BOOL, "),
    "negative": (raw({"a": entry(shape=[-2])}, bytes(8)), "sizes that are not negative for 'a', got [-2]"),
    "float": (raw({"a": entry(shape=[2.0])}, bytes(8)), "sizes that are not negative"),
    "bool": (raw({"a": entry("U8", shape=[True], offsets=[0, 1])}, bytes(1)), "sizes that are not negative"),
    "overflow": (raw({"a": entry(shape=[1 << 62, 1 << 62])}, bytes(8)), "as its shape says"),
    "beyond all": (raw({"a": entry(offsets=[1 << 63, (1 << 63) + 8])}, bytes(8)), "must have two offsets for 'a'"),
    "before all": (raw({"a": entry(offsets=[-8, 0])}, bytes(8)), "must have two offsets for 'a'"),
    "axes": (raw({"a": entry(shape=[1] * 65, offsets=[0, 4])}, bytes(4)), "up to 64 sizes"),
    "one offset": (raw({"a": entry(offsets=[0])}, bytes(8)), "must have two offsets for 'a'"),
    "backwards": (raw({"a": entry(offsets=[8, 0])}, bytes(8)), "must have offsets 8 bytes apart for 'a'"),
    "beyond": (raw({"a": entry()}, bytes(4)), "bytes, as its header says, got"),
    "behind": (raw({"a": entry()}, bytes(12)), "bytes, as its header says, got"),
    "overlap": (raw({"a": entry(), "b": entry(offsets=[4, 12])}, bytes(12)), "must hold 'b' right behind 'a'"),
    "gap": (raw({"a": entry(), "b": entry(offsets=[12, 20])}, bytes(20)), "must hold 'b' right behind 'a'"),
    "metadata": (raw({"__metadata__": {"a": 1}}), "from words to words"),
    "no metadata": (raw({"__metadata__": None}), "from words to words"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, case: str) -> None:
    """If this fails a broken file is read as if it were none, or its error does not say what is wrong."""
    data, says = WRONG[case]
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    looks = [vs.checkpoint.inspect, lambda path: vs.checkpoint.diff(path, path), grow]
    # Of a model's file nothing but the header is read.
    for look in looks if case in {"beyond", "behind"} else [*looks, vs.Model]:
        with pytest.raises(ValueError, match=r"x\.safetensors'(:| must) ") as error:
            look(path)
        assert says in str(error.value)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    "shard", ["../a.safetensors", "/etc/passwd", "", ".", "..", "b/../a", "b\\a", "a\0", "C:a", "a\n/", 7, None]
)
def test_an_index_leads_nowhere_else(tmp_path: Path, shard: Any) -> None:
    """If this fails an index that was downloaded has another file of the machine read."""
    (tmp_path / "a.safetensors").write_bytes(raw({"a": entry()}, bytes(8)))
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "index.json"
    path.write_text(json.dumps({"weight_map": {"a": shard}}))
    for look in (read_headers, vs.Model):
        with pytest.raises(ValueError, match="must name a file beside it for 'a', got") as error:
            look(path)
        assert "\n" not in str(error.value)


def test_an_index_names_what_is_there(tmp_path: Path) -> None:
    """If this fails a tensor that no file has is passed over."""
    (tmp_path / "a.safetensors").write_bytes(raw({"a": entry()}, bytes(8)))
    path = tmp_path / "index.json"
    path.write_text(json.dumps({"weight_map": dict.fromkeys("abc", "a.safetensors")}))
    with pytest.raises(ValueError, match=r"must name files that hold its tensors, got none that holds \['b', 'c'\]"):
        read_headers(path)
    path.write_text(json.dumps({"weight_map": {"a": "a.safetensors"}}))
    assert read_headers(path)[0]["a"].shape == (2,)
    for wrong in (["a"], None, 5):
        path.write_text(json.dumps({"weight_map": wrong}))
        with pytest.raises(ValueError, match="must have a `weight_map` from names to files"):
            read_headers(path)


def test_links_of_a_cache_are_followed(tmp_path: Path) -> None:
    """If this fails what lies in the cache of Hugging Face's hub, where all files are links, cannot be read."""
    for folder in ("blobs", "snapshot"):
        (tmp_path / folder).mkdir()
    (tmp_path / "blobs" / "1f").write_bytes(raw({"a": entry()}, bytes(8)))
    (tmp_path / "blobs" / "2e").write_text(json.dumps({"weight_map": {"a": "a.safetensors"}}))
    for name, blob in (("a.safetensors", "1f"), ("model.safetensors.index.json", "2e")):
        (tmp_path / "snapshot" / name).symlink_to(f"../blobs/{blob}")
    assert read_headers(tmp_path / "snapshot")[0]["a"].shape == (2,)


def test_what_is_too_long_is_not_read(tmp_path: Path) -> None:
    """If this fails any file that is called an index, or a header, takes its size in memory."""
    for name in ("index.json", "x.safetensors"):
        with (tmp_path / name).open("wb") as stream:
            stream.write((10**8 + 1).to_bytes(8, "little"))
            stream.truncate(10**8 + 9 if name == "x.safetensors" else 10**8 + 1)
    with pytest.raises(ValueError, match="whose header would have 100,000,001"):
        read_headers(tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="must have at most 100,000,000 bytes, got 100,000,001"):
        read_headers(tmp_path / "index.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """If this fails the command waits for ever for somebody to write."""
    os.mkfifo(tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="must be a file, got something else"):
        read_headers(tmp_path / "x.safetensors")
