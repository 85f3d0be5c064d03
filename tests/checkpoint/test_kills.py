"""Kills at the very steps where a run's work is removed: nothing that is left counts for another run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

import varscale as vs
from checkpoint.cases import sha
from varscale.checkpoint import _begin, _work
from varscale.checkpoint._lock import locked

pytestmark = pytest.mark.thread_unsafe(reason="patches the package")

MODEL = vs.Model({f"h.{i}.weight": (30, 40 + i) for i in range(4)}, layout="torch")


def killed(monkeypatch: pytest.MonkeyPatch, out: Path, seed: int, at: str, **options: Any) -> None:
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
            vs.checkpoint.save(MODEL, out, seed, **options)


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
