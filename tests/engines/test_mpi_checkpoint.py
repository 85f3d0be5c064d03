"""MPI: the ranks of `mpiexec` make the parts of one checkpoint."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from checkpoint.cases import sha
from waiting import FOLDER, command, run, running, until

MPIEXEC = [str(Path(sys.executable).with_name("mpiexec")), "-n", "4"]
REFUSED = "varscale: error: "


def ranks(*arguments: object) -> list[str]:
    """The command on four ranks."""
    return [*MPIEXEC, *command(*arguments, "--on", "mpi")]


def said(errors: str) -> list[str]:
    """What varscale says of an error, without what mpiexec says of a process that failed."""
    return [
        line for line in errors.splitlines() if line.startswith("varscale") or "Error" in line or "Traceback" in line
    ]


def test_four_ranks_make_the_single_run(tmp_path: Path) -> None:
    """If this fails MPI makes another checkpoint, or every rank reports it."""
    assert run(command("-o", tmp_path / "one")).returncode == 0
    ended = run(ranks("-o", tmp_path / "four"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"{tmp_path / 'four'}: 5 files, 15 tensors, ")
    assert ended.stdout.count("\n") == 1
    assert sha(tmp_path / "four") == sha(tmp_path / "one")


def test_a_rank_dies(tmp_path: Path) -> None:
    """If this fails a killed rank leaves the others waiting, or loses what was finished."""
    place = {FOLDER: str(tmp_path / "place")}
    (tmp_path / "place").mkdir()
    with running(ranks("-o", tmp_path / "out"), **place) as process:
        until(lambda: list((tmp_path / "place").glob("at-*")))
        [waiting] = (tmp_path / "place").glob("at-*")
        until(lambda: len(list((tmp_path / "out" / ".varscale").glob("done-*"))) > 2)
        os.kill(int(waiting.name[3:]), signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode != 0
    (tmp_path / "place" / "go").touch()
    assert run(command("-o", tmp_path / "one"), **place).returncode == 0
    assert run(ranks("-o", tmp_path / "out", "--resume"), **place).returncode == 0
    assert sha(tmp_path / "out") == sha(tmp_path / "one")


def test_ctrl_c_ends_all_ranks(tmp_path: Path) -> None:
    """If this fails Ctrl-C leaves ranks behind, or is an error."""
    place = {FOLDER: str(tmp_path / "place")}
    (tmp_path / "place").mkdir()
    with running(ranks("-o", tmp_path / "out"), **place) as process:
        until(lambda: list((tmp_path / "place").glob("at-*")))
        journals = tmp_path / "out" / ".varscale"
        until(
            lambda: sum(path.stat().st_size > 0 for path in journals.glob("done-*")) >= 14
        )  # the others have nothing to do
        process.send_signal(signal.SIGINT)
        (tmp_path / "place" / "go").touch()
        _, errors = process.communicate(timeout=60)
    assert said(errors) == ["varscale: interrupted; what was finished is kept, and --resume goes on"]
    assert process.returncode == 130
    assert run(command("-o", tmp_path / "one"), **place).returncode == 0
    assert run(ranks("-o", tmp_path / "out", "--resume"), **place).returncode == 0
    assert sha(tmp_path / "out") == sha(tmp_path / "one")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--names", "none.*"], "--names must match a tensor, got 'none.*'"),
        (["--like", "none"], "none"),
        (["--dtype", "int8"], "--dtype must be a dtype of real numbers"),
    ],
)
def test_an_error_ends_all_ranks(tmp_path: Path, arguments: list[str], message: str) -> None:
    """If this fails a mistake hangs, or is told by every rank."""
    ended = run(ranks("-o", tmp_path / "out", *arguments))
    [line] = said(ended.stderr)
    assert line.startswith(REFUSED)
    assert message in line
    assert ended.returncode == 2


def test_an_error_of_another_rank_ends_all(tmp_path: Path) -> None:
    """If this fails what goes wrong where the parts are made is lost."""
    broken = "import os, waiting\nif os.environ.get('PMI_RANK') != '0': del waiting.Waiting\n"
    place = {FOLDER: str(tmp_path)}
    arguments = ranks("-o", tmp_path / "out")
    arguments[arguments.index("-c") + 1] = broken + arguments[arguments.index("-c") + 1]
    ended = run(arguments, **place)
    [line] = said(ended.stderr)
    assert line.startswith(f"{REFUSED}workers must be able to import what the model is made of, got on ")
    assert ended.returncode == 2


def test_one_rank_is_none(tmp_path: Path) -> None:
    """If this fails who forgets mpiexec, or has two kinds of MPI, gets as many runs as ranks into one folder."""
    ended = run(command("-o", tmp_path / "out", "--on", "mpi"))
    assert ended.stderr == f"{REFUSED}--on mpi must run under mpiexec with at least 2 ranks, got 1\n"
    assert (ended.returncode, list(tmp_path.iterdir())) == (2, [])
