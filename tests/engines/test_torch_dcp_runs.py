"""Runs that write checkpoints of torch.distributed, and are ended, go on, or are refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import varscale as vs
from checkpoint.cases import sha
from checkpoint.killing import kill_and_go_on, killed
from dcp_cases import SMALL, loaded, made, save
from varscale.checkpoint import _write

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


CODE = """
import sys, varscale as vs
from varscale.checkpoint import _dcp, _dcp_write
for module in (_dcp, _dcp_write):
    module.CHUNK = 1 << 15
model = vs.Model({f"h.{i}.weight": (300, 351 + i) for i in range(12)}, layout="torch")
print("ready", flush=True)
vs.checkpoint.save(model, sys.argv[1], 7, format="dcp", max_shard=500_000, resume=True)
print("done", flush=True)
"""


def test_kills_at_random_moments(tmp_path: Path) -> None:
    """If this fails a killed job leaves half a checkpoint, or other bytes once it has gone on."""

    def command(out: Path) -> list[str]:
        return [sys.executable, "-c", CODE, str(out)]

    def checked(out: Path) -> None:
        """What has its name is whole."""
        if (out / ".metadata").exists():
            assert loaded(SMALL, out) == made(SMALL)

    assert killed(command(tmp_path / "whole"), None)[0]
    kill_and_go_on(tmp_path, command, sha(tmp_path / "whole"), checked, 3, 1)


def test_finished_files_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails Ctrl-C in the middle of a file hangs or loses what is finished, which is then made again."""
    real = _write.Writer.put
    given: list[Any] = []

    def put(self: Any, piece: Any, buffer: Any) -> None:
        real(self, piece, buffer)
        given.append(piece)
        if len(given) == 5:  # of two for each file
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_write.Writer, "put", put)
        with pytest.raises(KeyboardInterrupt):
            save(SMALL, tmp_path, max_shard=1_000_000)
    work = tmp_path / ".varscale"
    assert [path.name for path in tmp_path.iterdir()] == [".varscale"]
    assert sorted(path.name for path in work.glob("*.json")) == [
        "__0_0.distcp.json", "__1_0.distcp.json", "run.json", "varscale.json",
    ]  # fmt: skip
    before = {path.name: path.stat().st_mtime_ns for path in work.glob("__[01]_0.distcp")}
    seen: list[int] = []
    save(SMALL, tmp_path, max_shard=1_000_000, resume=True, progress=lambda done, _: seen.append(done))
    assert (seen[0], seen[-1]) == (sum(piece.nbytes for piece in given[:4]), SMALL.nbytes)
    assert before == {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("__[01]_0.distcp")}
    save(SMALL, tmp_path / "whole", max_shard=1_000_000)
    assert sha_of_files(tmp_path) == sha(tmp_path / "whole")
    first = (tmp_path / ".metadata").stat().st_mtime_ns
    save(SMALL, tmp_path, max_shard=1_000_000, resume=True)
    assert (tmp_path / ".metadata").stat().st_mtime_ns == first
    (tmp_path / ".metadata").unlink()  # without which it is no checkpoint
    with pytest.raises(FileExistsError, match=r"must hold no checkpoint, got __0_0\.distcp"):
        save(SMALL, tmp_path, max_shard=1_000_000, resume=True)


def test_another_cut_is_another_checkpoint(tmp_path: Path) -> None:
    """If this fails `resume` calls a checkpoint finished whose tensors lie in other files, or in other shards."""
    model = vs.Model({f"{name}.bias": (10 + place,) for place, name in enumerate("abcd")})
    save(model, tmp_path, max_shard=100)
    before = sha(tmp_path)
    save(model, tmp_path, max_shard=101, resume=True)  # the same cut
    with pytest.raises(FileExistsError, match="must hold no checkpoint"):
        save(model, tmp_path, max_shard=140, resume=True)  # two files too, of which none is too small
    assert sha(tmp_path) == before


def sha_of_files(folder: Path) -> dict[str, str]:
    """The SHA-256 of the files of a folder that has folders too."""
    (folder / "only").mkdir()
    for path in folder.iterdir():
        if path.is_file():
            (folder / "only" / path.name).write_bytes(path.read_bytes())
    return sha(folder / "only")


def test_a_checkpoint_is_overwritten_by_force_only(tmp_path: Path) -> None:
    """If this fails trained weights are lost, or files of an old checkpoint stay beside the new one."""
    save(SMALL, tmp_path / "new")
    save(SMALL, tmp_path / "out", 8, max_shard=500_000)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"must hold no checkpoint, got \.metadata, __0_0\.distcp"):
        save(SMALL, tmp_path / "out")
    save(SMALL, tmp_path / "out", force=True)
    (tmp_path / "out" / "notes.txt").unlink()
    assert sha(tmp_path / "out") == sha(tmp_path / "new")


def test_another_torch_is_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a checkpoint is half of one torch's bytes and half of another's."""
    save(SMALL, tmp_path, part=(1, 2))
    monkeypatch.setattr(torch, "__version__", "2.6.0")
    with pytest.raises(ValueError, match="an unfinished run with other files"):
        save(SMALL, tmp_path, part=(2, 2))


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    """If this fails a checkpoint lacks what a part has not made, or what was lost since."""
    for part in (1, 3):
        save(SMALL, tmp_path, max_shard=500_000, part=(part, 3))
    with pytest.raises(ValueError, match="must hold all 3 parts, lacks 2:"):
        vs.checkpoint.finish(tmp_path)
    save(SMALL, tmp_path, max_shard=500_000, part=(2, 3))
    file = tmp_path / ".varscale" / "__2_0.distcp"
    whole = file.read_bytes()
    for text in (whole[:-1], b"", whole + b"1"):
        file.write_bytes(text)
        with pytest.raises(
            ValueError, match=r"must hold the whole of __2_0\.distcp: make it by `resume`, of each part"
        ):
            vs.checkpoint.finish(tmp_path)
    file.unlink()
    save(SMALL, tmp_path, max_shard=500_000, part=(1, 3), resume=True)
    vs.checkpoint.finish(tmp_path)
    assert loaded(SMALL, tmp_path) == made(SMALL)


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "{}", "3", "[3]", '[{"begin": 0}]', '[{"begin": "a", "nbytes": 3}]', "[" * 99_999]
)
def test_damaged_notes_are_named(tmp_path: Path, text: str) -> None:
    """If this fails a damaged disk ends in a traceback, or in metadata that lead nowhere."""
    save(SMALL, tmp_path, part=(1, 2))
    save(SMALL, tmp_path, part=(2, 2))
    (tmp_path / ".varscale" / "__0_0.distcp.json").write_text(text)
    with pytest.raises(ValueError, match=r"__0_0\.distcp\.json must be what was noted of a file"):
        vs.checkpoint.finish(tmp_path)


FULL = """
import resource, sys, varscale as vs
model = vs.Model({f"h.{i}.weight": (300, 351 + i) for i in range(12)}, layout="torch")
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, -1))
try:
    vs.checkpoint.save(model, sys.argv[1], 7, format="dcp", max_shard=2_000_000)
except OSError as error:
    print(error.filename, "|", error.strerror)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of the size of files")
def test_a_full_disk_is_named_and_gone_on_from(tmp_path: Path) -> None:
    """If this fails a full disk ends in an error of torch's own, or loses the work."""
    run = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.stderr == ""
    assert run.stdout == "__0_0.distcp | no room is left on the disk: make some, and go on with `resume`\n"
    assert [path.name for path in tmp_path.iterdir()] == [".varscale"]
    save(SMALL, tmp_path, max_shard=2_000_000, resume=True)
    assert loaded(SMALL, tmp_path) == made(SMALL)


def test_links_are_not_followed(tmp_path: Path) -> None:
    """If this fails a link in the folder has something overwritten that lies elsewhere."""
    (tmp_path / "precious").write_text("precious")
    work = tmp_path / "out" / ".varscale"
    work.mkdir(parents=True)
    (work / "__0_0.distcp").symlink_to(tmp_path / "precious")
    save(SMALL, tmp_path / "out")
    assert (tmp_path / "precious").read_text() == "precious"
    assert loaded(SMALL, tmp_path / "out") == made(SMALL)
