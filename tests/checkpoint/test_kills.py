"""Kills at the very steps where a run's work is removed: nothing that is left counts for another run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

import varscale as vs
from checkpoint.cases import sha
from varscale.checkpoint import _begin, _driver, _work
from varscale.checkpoint._lock import locked

pytestmark = pytest.mark.thread_unsafe(reason="patches the package")

MODEL = vs.Model({f"h.{i}.weight": (30, 40 + i) for i in range(4)}, layout="torch")
GROWN = vs.Model({f"h.{i}.weight": (35, 40 + i) for i in range(5)}, layout="torch")
LARGE = vs.Model({"a.weight": (2000, 1500), "b.weight": (1000, 1500)}, layout="torch")
"""A file of three pieces and one of two, if no file may have more than 12 MB."""


def killed(
    monkeypatch: pytest.MonkeyPatch, out: Path, seed: int, at: str, model: vs.Model = MODEL, **options: Any
) -> None:
    """Saves, and ends as a kill does, without any more steps, behind the removal of a file."""
    real = Path.unlink

    def unlink(self: Path, missing_ok: bool = False) -> None:
        there = self.exists()
        real(self, missing_ok)
        if there and self.name == at:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        with pytest.raises(KeyboardInterrupt):
            vs.checkpoint.save(model, out, seed, **options)


def interrupted(out: Path, seed: int) -> None:
    """Makes all pieces, and ends before they get their names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("varscale.checkpoint._save.publish", lambda *_, **__: {}["killed"])
        with pytest.raises(KeyError, match="killed"):
            vs.checkpoint.save(MODEL, out, seed)


@pytest.mark.parametrize("again", [{}, {"resume": True}, {"force": True}])
def test_what_force_has_not_removed_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: dict[str, bool]
) -> None:
    """If this fails a kill within `force` gives the next run the bytes of another seed."""
    interrupted(tmp_path / "out", 1)
    killed(monkeypatch, tmp_path / "out", 2, "run.json", force=True)
    assert (tmp_path / "out" / ".varscale" / "done-1-of-1").exists()
    vs.checkpoint.save(MODEL, tmp_path / "out", 2, **again)
    vs.checkpoint.save(MODEL, tmp_path / "whole", 2)
    assert sha(tmp_path / "out") == sha(tmp_path / "whole")


def test_a_mark_does_not_count_for_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a kill at the end of one run has the next one say that it made what the first one did."""
    killed(monkeypatch, tmp_path / "out", 1, "run.json")
    assert (tmp_path / "out" / ".varscale" / "publishing").exists()
    vs.checkpoint.save(MODEL, tmp_path / "out", 2, force=True)
    vs.checkpoint.save(MODEL, tmp_path / "whole", 2)
    assert sha(tmp_path / "out") == sha(tmp_path / "whole")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of open files")
def test_many_parts_need_few_files(tmp_path: Path) -> None:
    """If this fails hundreds of parts end with too many open files."""
    import resource

    model = vs.Model({f"h.{i}.bias": (3,) for i in range(4)})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for part in range(1, 81):
        vs.checkpoint.save(model, tmp_path, 7, part=(part, 80))
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 40, hard))
    try:
        vs.checkpoint.finish(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("name", ["1-of-2", _begin.DRIVER])
def test_what_cannot_be_read_may_be_at_work(tmp_path: Path, name: str) -> None:
    """If this fails `force` removes what somebody is making, because the run's record is of another version."""
    work = _work.Work(tmp_path)
    work.folder.mkdir()
    (work.folder / "run.json").write_text("{")
    (work.folder / "model.safetensors").write_text("made")
    with locked(work.lock(name)), pytest.raises(BlockingIOError, match=f"process {os.getpid()}"):
        vs.checkpoint.save(MODEL, tmp_path, 7, force=True)
    assert (work.folder / "model.safetensors").read_text() == "made"
    vs.checkpoint.save(MODEL, tmp_path, 7, force=True)


def test_pieces_of_a_lost_file_are_in_no_journal(tmp_path: Path) -> None:
    """If this fails a file that was lost is published as zeros where another part had filled it."""
    for part in (1, 2):
        vs.checkpoint.save(LARGE, tmp_path / "two", 7, max_shard="12MB", part=(part, 2))
    work = _work.Work(tmp_path / "two")
    (work.folder / "model-00001-of-00002.safetensors").unlink()
    vs.checkpoint.save(LARGE, tmp_path / "two", 7, max_shard="12MB", part=(1, 2), resume=True)
    assert work.finished(2, 2) == {3, 4}
    with pytest.raises(ValueError, match="must hold all 2 parts, lacks 2:"):
        vs.checkpoint.finish(tmp_path / "two")
    vs.checkpoint.save(LARGE, tmp_path / "two", 7, max_shard="12MB", part=(2, 2), resume=True)
    vs.checkpoint.finish(tmp_path / "two")
    vs.checkpoint.save(LARGE, tmp_path / "one", 7, max_shard="12MB")
    assert sha(tmp_path / "two") == sha(tmp_path / "one")


def test_a_part_reads_the_journals_of_its_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a thousand parts read a million journals, or a part leaves those of its neighbours as they are."""
    real, read = _work.Work.finished, list[int]()

    def finished(self: _work.Work, part: int, parts: int) -> set[int]:
        read.append(part)
        return real(self, part, parts)

    def made(part: int) -> list[int]:
        read.clear()
        vs.checkpoint.save(LARGE, tmp_path, 7, max_shard="12MB", part=(part, 5), resume=True)
        return sorted({*read})

    monkeypatch.setattr(_work.Work, "finished", finished)
    # The first run of all has nothing to forget, the next ones see that files are not there yet.
    assert [made(part) for part in (1, 5, 4, 3, 2)] == [[1], [4, 5], [4], [3], [2]]
    work = _work.Work(tmp_path)
    (work.folder / "model-00001-of-00002.safetensors").unlink()
    assert made(5) == [5]
    assert made(2) == [1, 2, 3]
    monkeypatch.undo()
    assert [work.finished(part, 5) for part in range(1, 6)] == [set(), {1}, set(), {3}, {4}]
    for part in (1, 3):
        vs.checkpoint.save(LARGE, tmp_path, 7, max_shard="12MB", part=(part, 5), resume=True)
    vs.checkpoint.finish(tmp_path)


@pytest.mark.parametrize("format", ["safetensors", "npy"])
def test_other_kept_values_are_another_checkpoint(tmp_path: Path, format: str) -> None:
    """If this fails a run with another old checkpoint takes what is there for its own."""
    for seed in (1, 2):
        vs.checkpoint.save(MODEL, tmp_path / f"old{seed}", seed)
    call: dict[str, Any] = {"model": MODEL, "out": tmp_path / "out", "seed": 7, "format": format, "keep": "h.0.*"}
    vs.checkpoint.save(**call, like=tmp_path / "old1")
    with pytest.raises(FileExistsError, match="must hold no checkpoint"):
        vs.checkpoint.save(**call, like=tmp_path / "old2", resume=True)
    vs.checkpoint.save(**call, like=tmp_path / "old2", resume=True, force=True)
    vs.checkpoint.save(**call | {"out": tmp_path / "new"}, like=tmp_path / "old2")
    assert sha(tmp_path / "out") == sha(tmp_path / "new")


@pytest.mark.parametrize("name", ["lock-setup", ".varscale"])
def test_the_next_run_may_begin_while_the_folder_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """If this fails the first of two runs into one folder ends in an error though it has made the checkpoint."""
    work = _work.Work(tmp_path)
    unlink, rmdir = Path.unlink, Path.rmdir

    def begun(self: Path, missing_ok: bool = False) -> None:
        """Another run takes the lock as soon as it is free; nothing of its own is removed."""
        unlink(self, missing_ok)
        if self.name == "lock-setup":
            assert [path.name for path in self.parent.iterdir()] == []
            self.write_text("theirs")

    def ended(self: Path) -> None:
        """Another run has removed the folder."""
        rmdir(self)
        rmdir(self)

    work.folder.mkdir()
    for other in ("lock-setup", "lock-a", "lock-z"):
        (work.folder / other).touch()
    if name == "lock-setup":
        monkeypatch.setattr(Path, "unlink", begun)
    else:
        monkeypatch.setattr(Path, "rmdir", ended)
    work.remove()
    monkeypatch.undo()
    assert work.folder.exists() == (name == "lock-setup")


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("driver", [True, False])
def test_what_takes_the_place_of_what_it_keeps_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: bool, force: bool
) -> None:
    """If this fails a checkpoint that grows in its own folder is lost when it is killed at the end."""
    for name in ("out", "old"):
        vs.checkpoint.save(MODEL, tmp_path / name, 1, max_shard=5000)
    call: dict[str, Any] = {"model": GROWN, "seed": 7}
    vs.checkpoint.save(**call, out=tmp_path / "whole", like=tmp_path / "old")
    call |= {"out": tmp_path / "out", "like": tmp_path / "out"}
    killed(monkeypatch, tmp_path / "out", 7, "model.safetensors.index.json", GROWN, like=call["like"], force=True)
    if driver:
        call |= {"threads": 1, "progress": False, "format": "safetensors"}
        _driver.save_on(lambda *_: {}["asked"], **call, resume=True, force=force)
    else:
        vs.checkpoint.save(**call, resume=True, force=force)
    assert sha(tmp_path / "out") == sha(tmp_path / "whole")


def test_what_keeps_others_is_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a run is finished with values that its user has not asked for."""
    for name in ("out", "old"):
        vs.checkpoint.save(MODEL, tmp_path / name, 1, max_shard=5000)
    out = tmp_path / "out"
    killed(monkeypatch, out, 7, "model.safetensors.index.json", GROWN, like=out, force=True)
    with pytest.raises(ValueError, match="an unfinished run with other files, or another old checkpoint"):
        vs.checkpoint.save(GROWN, out, 7, like=tmp_path / "old", resume=True)
    with pytest.raises((ValueError, FileNotFoundError)):
        vs.checkpoint.save(GROWN, out, 8, like=out, resume=True)
    assert (out / ".varscale" / "model.safetensors").exists()


def test_a_folder_in_a_files_place_is_refused(tmp_path: Path) -> None:
    """If this fails the old checkpoint goes before it is plain that the new one cannot have its name."""
    vs.checkpoint.save(MODEL, tmp_path, 1, max_shard=5000)
    before = sha(tmp_path)
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(FileExistsError, match=r"no folders in the places of files, got model\.safetensors"):
        vs.checkpoint.save(MODEL, tmp_path, 2, force=True)
    (tmp_path / "model.safetensors").rmdir()
    assert sha(tmp_path) == before
