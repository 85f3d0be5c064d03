"""Parts: several runs make one checkpoint without a word to each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import varscale as vs
from checkpoint.cases import MODEL, sha, small_pieces

pytestmark = pytest.mark.thread_unsafe(reason="patches the size of pieces, or sets the threads")


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 2, 1, 3)])
def test_four_parts_are_the_single_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]) -> None:
    """If this fails an array of jobs makes another checkpoint than one job."""
    small_pieces(monkeypatch, 1 << 14, 1 << 15)
    (tmp_path / "config.json").write_text("{}")
    config = tmp_path / "config.json"
    vs.checkpoint.save(MODEL, tmp_path / "one", 7, max_shard=100_000, config=config)
    for part in order:
        assert vs.checkpoint.save(MODEL, tmp_path / "four", 7, max_shard=100_000, config=config, part=(part, 4)) == []
    paths = vs.checkpoint.finish(tmp_path / "four")
    assert sha(tmp_path / "four") == sha(tmp_path / "one")
    assert {path.name for path in paths} == sha(tmp_path / "one").keys()


def test_progress_is_that_of_the_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails the bar of a part ends before its end, or goes on to that of the whole."""
    small_pieces(monkeypatch, 1 << 14, 1 << 15)
    ends = []
    for part in (1, 2, 3):
        seen: list[tuple[int, int]] = []
        vs.checkpoint.save(MODEL, tmp_path, 7, part=(part, 3), progress=lambda *told, seen=seen: seen.append(told))
        ends.append(seen[-1])
    assert [done for done, _ in ends] == [total for _, total in ends]
    assert sum(done for done, _ in ends) == MODEL.nbytes


def test_parts_at_once(tmp_path: Path) -> None:
    """If this fails parts that begin at the same moment stand in each other's way."""
    code = """
import sys, varscale as vs
model = vs.Model({f"h.{i}.weight": (300, 700) for i in range(30)}, layout="torch")
part = tuple(map(int, sys.argv[2].split("/")))
vs.checkpoint.save(model, sys.argv[1], 7, max_shard="8MB", part=part)
"""
    model = vs.Model({f"h.{i}.weight": (300, 700) for i in range(30)}, layout="torch")
    vs.checkpoint.save(model, tmp_path / "one", 7, max_shard="8MB")
    command = [sys.executable, "-c", code, str(tmp_path / "five")]
    runs = [subprocess.Popen([*command, f"{part}/5"], stderr=subprocess.PIPE, text=True) for part in range(1, 6)]
    assert [run.communicate(timeout=60)[1] for run in runs] == [""] * 5
    vs.checkpoint.finish(tmp_path / "five")
    assert sha(tmp_path / "five") == sha(tmp_path / "one")


def test_a_missing_part_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a checkpoint has zeros where a part was not made."""
    small_pieces(monkeypatch, 1 << 14)
    for part in (1, 3):
        vs.checkpoint.save(MODEL, tmp_path, 7, part=(part, 4))
    with pytest.raises(ValueError, match="must hold all 4 parts, lacks 2, 4:"):
        vs.checkpoint.finish(tmp_path)
    with pytest.raises(
        FileExistsError, match=r"the unfinished part 3 of 4 of this checkpoint: `resume` goes on with it$"
    ):
        vs.checkpoint.save(MODEL, tmp_path, 7, part=(3, 4))
    for part in (2, 4):
        vs.checkpoint.save(MODEL, tmp_path, 7, part=(part, 4), resume=True)
    next((tmp_path / ".varscale").glob("model*")).write_bytes(b"")
    with pytest.raises(ValueError, match=r"must hold the whole of model\.safetensors"):
        vs.checkpoint.finish(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".varscale"]


def test_what_is_no_work_is_named(tmp_path: Path) -> None:
    """If this fails a wrong folder ends in a traceback, or something is left in it."""
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ValueError, match="must be a folder with parts of a checkpoint"):
            vs.checkpoint.finish(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_part_overwrites_nothing(tmp_path: Path) -> None:
    """If this fails one of several jobs removes what the others have made, or an old checkpoint."""
    with pytest.raises(ValueError, match="`force` must stand without `part`"):
        vs.checkpoint.save(MODEL, tmp_path, 7, part=(1, 2), force=True)
    vs.checkpoint.save(MODEL, tmp_path, 7)
    with pytest.raises(FileExistsError, match="must hold no checkpoint"):
        vs.checkpoint.save(MODEL, tmp_path, 8, part=(1, 2))
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
