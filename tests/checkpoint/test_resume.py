"""Runs that are ended, at any moment and by any means: nothing half-written has a name, and they go on."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import varscale as vs
from checkpoint.cases import parsed, sha, small_pieces
from checkpoint.killing import kill_and_go_on
from varscale.checkpoint import _write

pytestmark = pytest.mark.thread_unsafe(reason="patches the size of pieces, or takes time")

MODEL = vs.Model({f"h.{i}.weight": (300, 351 + i) for i in range(12)}, layout="torch")
CODE = """
import sys
from pathlib import Path
import varscale as vs
from varscale.checkpoint import _pieces, _plan, _write
for module in (_pieces, _plan, _write):
    module.SIZE = 1 << 15
_write.TOGETHER = 1 << 19
model = vs.Model({f"h.{i}.weight": (300, 351 + i) for i in range(12)}, layout="torch")
print("ready", flush=True)
vs.checkpoint.save(model, sys.argv[1], 7, format=sys.argv[2], max_shard=1_000_000, resume=True)
print("done", flush=True)
"""


def checked(folder: Path) -> None:
    """Whatever has its name is whole; the index, without which nobody reads the others, comes last."""
    names = [path.name for path in folder.iterdir() if path.name != ".varscale"]
    for name in names:
        if name.endswith(".safetensors"):
            entries, values = parsed(folder / name)
            assert len(values) == max(entry["data_offsets"][1] for name, entry in entries if name != "__metadata__")
        if name.endswith(".npy"):
            assert np.load(folder / name).shape == MODEL[name.removesuffix(".npy")].shape
    if "model.safetensors.index.json" in names:
        assert len(names) == 7
    if "model.npy.index.json" in names:
        assert len(names) == 13


def kills(folder: Path, times: int, seed: int, format: str) -> None:
    """Kills runs that write the model in a format."""
    vs.checkpoint.save(MODEL, folder / "whole", 7, format=format, max_shard=1_000_000)
    kill_and_go_on(
        folder, lambda out: [sys.executable, "-c", CODE, str(out), format], sha(folder / "whole"), checked, times, seed
    )


@pytest.mark.parametrize(("format", "times"), [("safetensors", 8), ("npy", 2)])
def test_kills_at_random_moments(tmp_path: Path, format: str, times: int) -> None:
    """If this fails a killed job leaves half a file under its name, or other bytes once it has gone on."""
    kills(tmp_path, times, 1, format)


@pytest.mark.long
@pytest.mark.parametrize("format", ["safetensors", "npy"])
def test_kills_at_200_random_moments(tmp_path: Path, format: str) -> None:
    """If this fails some moment was not thought of."""
    kills(tmp_path, 200, 2, format)


def test_what_was_finished_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails Ctrl-C loses what the disk has, or a run that goes on begins anew."""
    small_pieces(monkeypatch, 1 << 16, 1 << 17)
    monkeypatch.setattr(_write, "_SYNC", lambda handle: None)  # a slow disk would have all pieces before it has one
    monkeypatch.setattr(_write, "sync_folder", lambda folder: None)

    def interrupt(done: int, total: int) -> None:
        if done > 0:
            raise KeyboardInterrupt
        time.sleep(0.1)  # meanwhile the disk gets on, and none of that may be lost

    with pytest.raises(KeyboardInterrupt):
        vs.checkpoint.save(MODEL, tmp_path, 7, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == [".varscale"]
    with pytest.raises(FileExistsError, match="holds an unfinished run of this checkpoint: `resume` goes on"):
        vs.checkpoint.save(MODEL, tmp_path, 7)
    seen: list[int] = []
    vs.checkpoint.save(MODEL, tmp_path, 7, resume=True, progress=lambda done, _: seen.append(done))
    assert 0 < seen[0] < seen[-1] == MODEL.nbytes
    vs.checkpoint.save(MODEL, tmp_path / "whole", 7)
    assert sha(tmp_path / "whole")["model.safetensors"] == sha_of(tmp_path)


def sha_of(folder: Path) -> str:
    (folder / "only").mkdir()
    (folder / "only" / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    return sha(folder / "only")["model.safetensors"]


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    """If this fails a job that is started again after its end is an error, or writes all anew."""
    [path] = vs.checkpoint.save(MODEL, tmp_path, 7)
    before = path.stat().st_mtime_ns
    assert vs.checkpoint.save(MODEL, tmp_path, 7, resume=True) == [path]
    assert path.stat().st_mtime_ns == before
    assert [item.name for item in tmp_path.iterdir()] == ["model.safetensors"]
    with pytest.raises(FileExistsError, match=r"must hold no checkpoint, got model\.safetensors"):
        vs.checkpoint.save(MODEL, tmp_path, 8, resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 8}, "an unfinished run of another seed, 7, not 8: `force` drops it"),
        ({"model": vs.Model({"a.bias": (3,)})}, "an unfinished run of another model"),
        ({"format": "npy"}, "an unfinished run of another format, safetensors, not npy"),
        ({"max_shard": 900_000}, "an unfinished run with other files"),
        ({"part": (1, 2)}, "another number of parts, 1, not 2: `resume` without `part` ends it, remove .* to drop it"),
    ],
)
def test_another_run_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    """If this fails a checkpoint is half of one model and half of another."""

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    call = {"model": MODEL, "out": tmp_path, "seed": 7}
    with pytest.raises(KeyboardInterrupt):
        vs.checkpoint.save(**call, progress=interrupt)
    with pytest.raises(ValueError, match=message):
        vs.checkpoint.save(**call | {"resume": True} | change)
    if "part" not in change:
        vs.checkpoint.save(**call | change, force=True)
        assert not (tmp_path / ".varscale").exists()


def test_a_piece_counts_when_the_disk_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a power cut leaves a journal of pieces that are not there."""
    events: list[str] = []
    real = _write._SYNC

    def sync(handle: int) -> None:
        files = (tmp_path / ".varscale").iterdir()
        events.extend(file.name for file in files if os.path.samestat(file.stat(), os.fstat(handle)))
        real(handle)

    def sync_folder(folder: Path) -> None:
        events.append(folder.name)
        real_folder(folder)

    real_folder = _write.sync_folder
    monkeypatch.setattr(_write, "_SYNC", sync)
    monkeypatch.setattr(_write, "sync_folder", sync_folder)
    vs.checkpoint.save(MODEL, tmp_path, 7, max_shard=3_000_000)
    files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    assert events == [*files, ".varscale", "done-1-of-1"]  # the values, their names, the journal
