"""Folders of NumPy's files: what `numpy.save` writes, under names that all systems have."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ml_dtypes
import numpy as np
import pytest

import varscale as vs
from checkpoint.cases import MODEL, sha, small_pieces
from varscale.checkpoint import _publish, _write
from varscale.checkpoint._npy import Npy, file_name

pytestmark = pytest.mark.thread_unsafe(reason="patches the size of pieces")

INDEX = "model.npy.index.json"
SMALL = vs.Model({f"h.{i}.weight": (30, 40 + i) for i in range(20)}, layout="torch")


def saved(array: np.ndarray) -> bytes:
    """What NumPy writes of an array."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_files_are_those_of_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a file is not what `numpy.save` writes of the model's values, of any dtype and shape."""
    small_pieces(monkeypatch, 1 << 12, 1 << 14)
    paths = vs.checkpoint.save(MODEL, tmp_path, 7, format="npy")
    made = MODEL.init(7)
    assert [path.name for path in paths] == [*map(file_name, made), INDEX]
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths}
    for name, array in made.items():
        assert (tmp_path / file_name(name)).read_bytes() == saved(array), name


def test_the_index_tells_what_numpys_files_do_not(tmp_path: Path) -> None:
    """If this fails nobody knows which dtype, plan and seed a folder has, or which tensor a file is."""
    vs.checkpoint.save(MODEL, tmp_path, 7, format="npy")
    index = json.loads((tmp_path / INDEX).read_text(encoding="utf-8"))
    assert index["metadata"] == {
        "format": "pt", "varscale.plan": MODEL.digest(), "varscale.seed": "7", "varscale.stream": "1",
    }  # fmt: skip
    made = MODEL.init(7)
    assert [*index["tensors"]] == [*made]
    for name, entry in index["tensors"].items():
        read = np.load(tmp_path / entry["file"])
        found = read.view(getattr(ml_dtypes, entry["dtype"])) if read.dtype.kind == "V" else read
        assert found.dtype.name == entry["dtype"]
        assert list(found.shape) == entry["shape"]
        assert found.tobytes() == made[name].tobytes()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("h.0.attn-q_proj.weight", "h.0.attn-q_proj.weight.npy"),
        ("params/dense/kernel:0", "params%2Fdense%2Fkernel%3A0.npy"),
        ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd.npy"),
        ("..", "...npy"),
        ("C:\\a", "C%3A%5Ca.npy"),
        ("a\0b\n?*", "a%00b%0A%3F%2A.npy"),
        ("\u00e9 %2F", "%C3%A9%20%252F.npy"),
        ("aux.weight", "%61ux.weight.npy"),
        ("COM1", "%43OM1.npy"),
        ("auxiliary.weight", "auxiliary.weight.npy"),
        ("", ".npy"),
    ],
)
def test_names_of_files(tmp_path: Path, name: str, file: str) -> None:
    """If this fails a name leads out of the folder, is no file on some system, or cannot be told from the file."""
    paths = vs.checkpoint.save(vs.Model([(name, ((4,), None, vs.Ones()))]), tmp_path, 7, format="npy")
    assert [path.name for path in paths] == [file, INDEX]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([file, INDEX])
    assert unquote(file).removesuffix(".npy") == name


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["a.weight", "b", "A.weight"],
            "parameter 'A.weight': names of files must differ in more than their case, got 'a.weight' too",
        ),
        (["x" * 252], "a file's name must have at most 255 bytes, got 256"),
        (["\u00e9" * 42], "a file's name must have at most 255 bytes, got 256"),
    ],
)
def test_names_that_are_no_files(tmp_path: Path, names: list[str], message: str) -> None:
    """If this fails one tensor overwrites another on some systems, or a run ends with an error of the system."""
    model = vs.Model([(name, ((4,), None, vs.Zeros())) for name in names])
    with pytest.raises(ValueError, match=message):
        vs.checkpoint.save(model, tmp_path / "out", 7, format="npy")
    assert not (tmp_path / "out").exists()


def test_parts_and_pieces_make_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails an array of jobs makes another folder than one job."""
    (tmp_path / "config.json").write_text("{}")
    call: dict[str, Any] = {"format": "npy", "config": tmp_path / "config.json"}
    vs.checkpoint.save(MODEL, tmp_path / "one", 7, **call)
    small_pieces(monkeypatch, 1 << 13, 1 << 15)
    for part in (3, 1, 2):
        assert vs.checkpoint.save(MODEL, tmp_path / "three", 7, part=(part, 3), **call) == []
    paths = vs.checkpoint.finish(tmp_path / "three")
    assert [path.name for path in paths][-2:] == ["config.json", INDEX]
    assert sha(tmp_path / "three") == sha(tmp_path / "one")
    assert vs.checkpoint.save(MODEL, tmp_path / "one", 7, resume=True, **call) == [
        tmp_path / "one" / path.name for path in paths
    ]


def test_few_files_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a model of thousands of tensors ends with too many open files."""
    monkeypatch.setattr(_write, "_OPEN", 4)
    streams: list[Any] = []
    most: list[int] = []
    real = _write.Writer._open

    def opened(self: Any, file: Any) -> Any:
        streams.append(real(self, file))
        most.append(sum(not stream.closed for stream in streams))
        return streams[-1]

    monkeypatch.setattr(_write.Writer, "_open", opened)
    vs.checkpoint.save(SMALL, tmp_path, 7, format="npy")
    assert len(streams) == len(SMALL)
    assert max(most) <= 8
    assert all(stream.closed for stream in streams)


FAILING = """
import sys, time, varscale as vs
from varscale.checkpoint import _write
_write._OPEN = 2
def fail(self):
    self._written.get()
    time.sleep(1)  # until the other thread waits
    raise OSError(5, "Input/output error", "h.0.weight.npy")
_write.Writer._sync_all = fail
try:
    vs.checkpoint.save(vs.Model({f"h.{i}.bias": (3,) for i in range(20)}), sys.argv[1], 7, format="npy")
except OSError as error:
    print(error.strerror)
"""


def test_an_error_ends_who_waits_for_files(tmp_path: Path) -> None:
    """If this fails a failing disk hangs a run of many files."""
    command = [sys.executable, "-c", FAILING, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout == "Input/output error\n"


def test_other_arrays_stay(tmp_path: Path) -> None:
    """If this fails `force` removes a user's own arrays, or keeps those of the old checkpoint."""
    np.save(tmp_path / "mine.npy", np.arange(3))
    vs.checkpoint.save(MODEL, tmp_path, 7, format="npy")
    with pytest.raises(FileExistsError, match="must hold no checkpoint, got"):
        vs.checkpoint.save(SMALL, tmp_path, 7, format="npy")
    vs.checkpoint.save(SMALL, tmp_path, 7, format="npy", force=True)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.npy", INDEX, *map(file_name, SMALL)}
    (tmp_path / INDEX).unlink()
    with pytest.raises(FileExistsError, match=r"got mine\.npy: choose another folder"):
        vs.checkpoint.save(vs.Model({"mine": ((3,), None, vs.Ones())}), tmp_path, 7, format="npy")
    with pytest.raises(FileExistsError, match=r"got h\.0\.weight\.npy, "):
        vs.checkpoint.save(SMALL, tmp_path, 7, format="npy")


def test_a_folder_has_one_checkpoint(tmp_path: Path) -> None:
    """If this fails readers of another format find an old checkpoint beside the new one."""
    vs.checkpoint.save(SMALL, tmp_path / "arrays", 7, format="npy")
    vs.checkpoint.save(SMALL, tmp_path / "files", 7)
    out = tmp_path / "out"
    vs.checkpoint.save(SMALL, out, 6)
    for name in (".metadata", "__0_0.distcp", "varscale.json", "notes.txt"):  # of torch's, and the user's
        (out / name).touch()
    with pytest.raises(FileExistsError, match=r"got \.metadata, __0_0\.distcp, model\.safetensors, varscale\.json: "):
        vs.checkpoint.save(SMALL, out, 7, format="npy")
    vs.checkpoint.save(SMALL, out, 7, format="npy", force=True)
    (out / "notes.txt").unlink()
    assert sha(out) == sha(tmp_path / "arrays")
    with pytest.raises(FileExistsError, match=r"got h\.0\.weight\.npy, "):
        vs.checkpoint.save(SMALL, out, 7)
    vs.checkpoint.save(SMALL, out, 7, force=True)
    assert sha(out) == sha(tmp_path / "files")


def ended(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves over a checkpoint, and ends when the first of its files is gone."""
    vs.checkpoint.save(MODEL, out, 7, format="npy")
    real = Path.unlink

    def unlink(self: Path, missing_ok: bool = False) -> None:
        real(self, missing_ok)
        if self.parent == out:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        with pytest.raises(KeyboardInterrupt):
            vs.checkpoint.save(SMALL, out, 8, format="npy", force=True)


def test_old_files_go_when_publishing_was_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a kill while files get their names leaves files of the old checkpoint for ever."""
    ended(tmp_path, monkeypatch)
    assert not (tmp_path / INDEX).exists()  # no reader takes old files and new ones for one checkpoint
    assert (tmp_path / "wte.weight.npy").exists()
    vs.checkpoint.save(SMALL, tmp_path, 8, format="npy", resume=True)
    assert {path.name for path in tmp_path.iterdir()} == {INDEX, *map(file_name, SMALL)}


def test_a_mark_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a folder from elsewhere has files removed beside it when its run is gone on with."""
    (tmp_path / "precious").write_text("precious")
    out = tmp_path / "out"
    ended(out, monkeypatch)
    (out / ".varscale" / _publish._MARK).write_text(f"../precious\n{tmp_path / 'precious'}\n..")
    vs.checkpoint.finish(out)
    assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "{}", '{"tensors": []}', '{"tensors": {"a": 3}}', '{"tensors": {"a": {"file": []}}}',
        '{"tensors": {"a": {"file": "../precious.npy"}, "b": {"file": 3}, "c": {"file": "notes.txt"}}}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_strange_index_leads_nowhere(tmp_path: Path, text: str) -> None:
    """If this fails an index has files removed that are no checkpoint's, or ends in a traceback."""
    out = tmp_path / "out"
    out.mkdir()
    for path in (tmp_path / "precious.npy", out / "notes.txt"):
        path.write_text("precious")
    (out / INDEX).write_text(text)
    assert Npy().held(out) == {INDEX}
    with pytest.raises(FileExistsError, match=f"got {INDEX}"):
        vs.checkpoint.save(SMALL, out, 7, format="npy")
    vs.checkpoint.save(SMALL, out, 7, format="npy", force=True)
    assert (tmp_path / "precious.npy").read_text() == (out / "notes.txt").read_text() == "precious"


@pytest.mark.parametrize("name", ["../precious", "/etc/passwd", "a/b", "..", "C:\\a", "a\nb"])
def test_a_record_leads_nowhere(tmp_path: Path, name: str) -> None:
    """If this fails a folder from elsewhere has files overwritten beside it when its parts are joined."""
    vs.checkpoint.save(SMALL, tmp_path, 7, format="npy", part=(1, 2))
    path = tmp_path / ".varscale" / "run.json"
    record = json.loads(path.read_bytes())
    record["files"] = {name: 3}
    path.write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"run\.json must be a run of this version"):
        vs.checkpoint.finish(tmp_path)
