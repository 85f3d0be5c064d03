"""What a checkpoint refuses: each time nothing is lost, and nothing is written elsewhere."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

import varscale as vs
from checkpoint.cases import MODEL, sha, small_pieces
from varscale.checkpoint import _begin, _write
from varscale.checkpoint._formats import Safetensors

pytestmark = pytest.mark.thread_unsafe(reason="patches the package")


@pytest.mark.parametrize(
    ("name", "dtype", "message"),
    [
        ("a/../../etc/passwd", None, "must not be '__metadata__' or absolute, nor hold '..' or NUL"),
        ("..", None, "must not be"),
        ("..\\a", None, "must not be"),
        ("/etc/passwd", None, "must not be"),
        ("a\0b", None, "must not be"),
        ("__metadata__", None, "must not be"),
        ("a", "complex128", "`dtype` must be one of safetensors"),
    ],
)
def test_tensors_that_no_file_holds(tmp_path: Path, name: str, dtype: Any, message: str) -> None:
    """If this fails a tool that makes a path of each name is led elsewhere, or a file cannot be read."""
    model = vs.Model([(name, ((4,), dtype, vs.RandomNormal()))])
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        vs.checkpoint.save(model, tmp_path / "out", 7)
    assert repr(name) in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": {}}, TypeError, "`model` must be a Model"),
        ({"out": 5}, TypeError, "`out` must be the path of a folder"),
        ({"out": "a.safetensors"}, ValueError, "`out` must be a folder"),
        ({"out": __file__}, ValueError, "`out` must be a folder"),
        ({"out": "a\0b"}, ValueError, "`out` must be a folder"),
        ({"seed": None}, TypeError, "`seed` must be an integer"),
        ({"seed": True}, TypeError, "`seed` must be an integer"),
        ({"max_shard": "5 apples"}, ValueError, "`max_shard` must be a positive number of bytes"),
        ({"max_shard": 0}, ValueError, "`max_shard` must be a positive number of bytes"),
        ({"max_shard": 1.5}, TypeError, "`max_shard` must be an integer"),
        ({"format": "onnx"}, ValueError, "`format` must be one of safetensors, npy, dcp, got 'onnx'"),
        ({"format": None}, TypeError, "`format` must be a string"),
        ({"format": "npy", "max_shard": 0}, ValueError, "`max_shard` must be a positive number of bytes"),
        ({"layout": "onnx"}, ValueError, "`layout` must be one of"),
        ({"part": 3}, TypeError, r"`part` must be a tuple \(i, n\)"),
        ({"part": (0, 4)}, ValueError, r"`part` must be \(i, n\) with i from 1 to n"),
        ({"part": (5, 4)}, ValueError, r"`part` must be \(i, n\) with i from 1 to n"),
        ({"keep": "*"}, ValueError, "`keep` must be empty"),
        ({"force": 1}, TypeError, "`force` must be True or False"),
        ({"resume": "yes"}, TypeError, "`resume` must be True or False"),
        ({"progress": 3}, TypeError, "`progress` must be"),
        ({"config": "none.json"}, FileNotFoundError, "none.json"),
    ],
)
def test_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    """If this fails a slip of a user is found late, or not at all."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        vs.checkpoint.save(**{"model": MODEL, "out": "out", "seed": 7} | change)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_torch_is_needed_for_its_format_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails who has no torch gets a traceback, or no other checkpoint either."""
    for name in [name for name in sys.modules if name.startswith("varscale.checkpoint._dcp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"`format` 'dcp' needs a package .*: pip install 'varscale\[torch\]'"):
        vs.checkpoint.save(MODEL, tmp_path / "out", 7, format="dcp")
    assert not (tmp_path / "out").exists()
    vs.checkpoint.save(MODEL, tmp_path / "out", 7)


def test_a_checkpoint_is_overwritten_by_force_only(tmp_path: Path) -> None:
    """If this fails trained weights are lost, or old files are read in place of new ones."""
    vs.checkpoint.save(MODEL, tmp_path / "small", 8, max_shard=100_000)
    vs.checkpoint.save(MODEL, tmp_path / "one", 7)
    for first, second in (({}, {"max_shard": 100_000}), ({"max_shard": 100_000}, {}), ({"max_shard": 200_000},) * 2):
        out = tmp_path / "out"
        vs.checkpoint.save(MODEL, out, 7, **first)
        before = sha(out)
        with pytest.raises(FileExistsError, match="choose another folder, or overwrite by `force`"):
            vs.checkpoint.save(MODEL, out, 8, **second)
        assert sha(out) == before
        (out / "tokenizer.json").write_text("{}")
        vs.checkpoint.save(MODEL, out, 8, **second, force=True)
        (out / "tokenizer.json").unlink()
        vs.checkpoint.save(MODEL, tmp_path / "new", 8, **second)
        assert sha(out) == sha(tmp_path / "new")
        shutil.rmtree(out)
        shutil.rmtree(tmp_path / "new")


def test_another_config_is_overwritten_by_force_only(tmp_path: Path) -> None:
    """If this fails the config of another network is lost."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.json").write_text("old")
    (tmp_path / "config.json").write_text("new")
    with pytest.raises(FileExistsError, match=r"got config\.json"):
        vs.checkpoint.save(MODEL, tmp_path / "out", 7, config=tmp_path / "config.json")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["config.json"]
    vs.checkpoint.save(MODEL, tmp_path / "out", 7, config=tmp_path / "config.json", force=True)
    assert (tmp_path / "out" / "config.json").read_text() == "new"


HOLD = """
import sys, time, varscale as vs
def hold(done, total):
    print("holding", flush=True)
    time.sleep(60)
vs.checkpoint.save(vs.Model({"a.weight": (30, 40)}, layout="torch"), sys.argv[1], 7, progress=hold)
"""


def test_the_second_run_says_who_is_the_first(tmp_path: Path) -> None:
    """If this fails two jobs write into one file, or nobody learns which job to end."""
    model = vs.Model({"a.weight": (30, 40)}, layout="torch")
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        for change in ({"resume": True}, {"force": True}):
            with pytest.raises(
                BlockingIOError, match=rf"being written by process {process.pid} on .* since 20"
            ) as caught:
                vs.checkpoint.save(model, tmp_path, 7, **change)
            assert str(tmp_path) in str(caught.value)
        with pytest.raises(BlockingIOError, match=f"process {process.pid}"):
            vs.checkpoint.finish(tmp_path)
        process.kill()
    vs.checkpoint.save(model, tmp_path, 7, resume=True)  # the lock went with the process
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_whoever_begins_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a part that begins beside another one gives up, or waits for ever."""
    from varscale.checkpoint._lock import locked

    monkeypatch.setattr(_begin, "PATIENCE", 0.1)
    (tmp_path / ".varscale").mkdir()
    with locked(tmp_path / ".varscale" / "lock-setup"), pytest.raises(BlockingIOError, match=f"process {os.getpid()}"):
        vs.checkpoint.save(MODEL, tmp_path, 7)


def test_a_full_disk_is_seen_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails hours of work end where it was plain that they would."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 10**6 - 5000, 5000))
    with pytest.raises(OSError, match=r"needs 1,1\d\d,\d\d\d bytes more, and its disk has 5,000"):
        vs.checkpoint.save(MODEL, tmp_path, 7)
    monkeypatch.undo()
    vs.checkpoint.save(MODEL, tmp_path, 7, resume=True)


FULL = """
import resource, sys, varscale as vs
from varscale.checkpoint import _pieces, _plan, _write
for module in (_pieces, _plan, _write):
    module.SIZE = 1 << 14
_write.TOGETHER = 1 << 15
sys.path.insert(0, sys.argv[2])
from checkpoint.cases import MODEL
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), -1))
try:
    vs.checkpoint.save(MODEL, sys.argv[1], 7, max_shard=600_000, resume=True)
except OSError as error:
    print(error.filename, "|", error.strerror)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of the size of files")
def test_a_full_disk_is_named_and_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a run hangs or loses its work when the disk is full."""
    small_pieces(monkeypatch, 1 << 14)
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", FULL, str(tmp_path / "out"), tests]
    run = subprocess.run([*command, "550000"], capture_output=True, text=True, timeout=60, check=False)
    assert run.stderr == ""
    assert run.stdout.startswith("model-0000")
    assert run.stdout.endswith("| no room is left on the disk: make some, and go on with `resume`\n")
    vs.checkpoint.save(MODEL, tmp_path / "out", 7, max_shard=600_000, resume=True)
    vs.checkpoint.save(MODEL, tmp_path / "whole", 7, max_shard=600_000)
    assert sha(tmp_path / "out") == sha(tmp_path / "whole")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no file here that is always full")
def test_no_room_for_the_journal_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a disk that is full to the last byte ends in words without a place or a mend."""

    def writer(_: object, work: Any, files: Any, journal: Path) -> _write.Writer:
        return _write.Writer(work.folder, files, Path("/dev/full"))

    monkeypatch.setattr(Safetensors, "writer", writer)
    with pytest.raises(OSError, match="no room is left on the disk: make some, and go on with `resume`") as caught:
        vs.checkpoint.save(MODEL, tmp_path, 7)
    assert caught.value.filename == "/dev/full"


def test_no_room_for_a_lock_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a disk that is full before the first file ends in words without a place or a mend."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="no room is left on the disk: make some, and go on with `resume`") as caught:
        vs.checkpoint.save(MODEL, tmp_path, 7)
    assert caught.value.filename == str(tmp_path)


@pytest.mark.skipif(not Path("/sys/kernel").exists(), reason="no folder here that even root may not write to")
def test_a_folder_that_may_not_be_written_is_said() -> None:
    """If this fails nobody says of a read-only disk which folder it is and what helps."""
    with pytest.raises(OSError, match="choose another folder, or have this one made writable") as caught:
        vs.checkpoint.save(MODEL, "/sys/kernel/varscale", 7)
    assert caught.value.filename == "/sys/kernel/varscale"


@pytest.mark.parametrize("size", [1 << 12, 1 << 24])
@pytest.mark.parametrize("step", ["_write_all", "_sync_all"])
def test_an_error_of_a_thread_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, size: int) -> None:
    """If this fails a failing disk hangs the run, or a checkpoint is made of what was never written."""
    small_pieces(monkeypatch, size, size)

    def fail(self: _write.Writer) -> None:
        (self._filled if step == "_write_all" else self._written).get()
        raise OSError(5, "Input/output error", "model.safetensors")

    monkeypatch.setattr(_write.Writer, step, fail)
    with pytest.raises(OSError, match="Input/output error"):
        vs.checkpoint.save(MODEL, tmp_path, 7)
    assert [path.name for path in tmp_path.iterdir()] == [".varscale"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    """If this fails a link in the folder has something overwritten that lies elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "precious").write_text("precious")
    out = tmp_path / "out"
    out.mkdir()
    (out / ".varscale").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"must have its work inside, got a link"):
        vs.checkpoint.save(MODEL, out, 7)
    (out / ".varscale").unlink()
    (out / "model.safetensors").symlink_to(tmp_path / "precious")
    with pytest.raises(FileExistsError):
        vs.checkpoint.save(MODEL, out, 7)
    vs.checkpoint.save(MODEL, out, 7, force=True)
    assert not (out / "model.safetensors").is_symlink()
    (out / ".varscale").mkdir()
    (out / ".varscale" / "lock-setup").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="lock-setup"):
        vs.checkpoint.save(MODEL, out, 8, force=True)
    assert (tmp_path / "precious").read_text() == "precious"
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"format": 3}', b'{"format": "varscale.checkpoint 1"}', b"\xff"])
def test_a_damaged_record_is_named(tmp_path: Path, text: bytes) -> None:
    """If this fails what another version has left, or a damaged disk, ends in a traceback."""
    (tmp_path / ".varscale").mkdir()
    (tmp_path / ".varscale" / "run.json").write_bytes(text)
    with pytest.raises(ValueError, match=r"run\.json must be a run of this version: remove .* to drop it"):
        vs.checkpoint.save(MODEL, tmp_path, 7, resume=True)
    vs.checkpoint.save(MODEL, tmp_path, 7, force=True)
