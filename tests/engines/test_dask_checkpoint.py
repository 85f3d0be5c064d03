"""Dask: the workers of a scheduler make the parts of one checkpoint."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from checkpoint.cases import sha
from waiting import FOLDER, command, environment, run, running, until

REFUSED = "varscale: error: "


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def cluster(workers: int, logs: Path, **more: str) -> Iterator[str]:
    """A scheduler and workers, each a process; what `--on` calls them."""
    port = free_port()
    one = ["--no-dashboard", "--host", "127.0.0.1"]
    commands = [[*one, "--port", str(port)]] + [
        [f"tcp://127.0.0.1:{port}", *one, "--no-nanny", "--nthreads", "1"]
    ] * workers
    with ExitStack() as processes:
        for place, arguments in enumerate(commands):
            module = f"distributed.cli.dask_{'worker' if place else 'scheduler'}"
            log = processes.enter_context((logs / f"log-{place}").open("w"))
            call = [sys.executable, "-m", module, *arguments]
            process = subprocess.Popen(call, env=environment(**more), cwd=logs, stdout=log, stderr=log)
            processes.enter_context(process)
            processes.callback(process.kill)
        yield f"dask://127.0.0.1:{port}"


def test_two_workers_make_the_single_run(tmp_path: Path) -> None:
    """If this fails Dask makes another checkpoint, or nobody sees how far it is."""
    assert run(command("-o", tmp_path / "one")).returncode == 0
    with cluster(2, tmp_path) as engine:
        ended = run(command("-o", tmp_path / "two", "--on", engine, "--json", "--threads", "2"))
        assert (ended.returncode, ended.stderr) == (0, "")
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
        assert {line["event"] for line in lines[:-1]} == {"progress"}
        assert (lines[-2]["bytes"], lines[-2]["tensors"]) == (15 << 22, 15)
        assert lines[-1]["event"] == "done"
        assert sha(tmp_path / "two") == sha(tmp_path / "one")
        again = run(command("-o", tmp_path / "two", "--on", engine))
        assert (again.returncode, "must hold no checkpoint" in again.stderr, again.stderr.count("\n")) == (2, True, 1)


def test_a_worker_dies(tmp_path: Path) -> None:
    """If this fails a killed worker's part is lost, or the whole run."""
    (tmp_path / "place").mkdir()
    place = {FOLDER: str(tmp_path / "place")}
    with cluster(2, tmp_path) as engine, running(command("-o", tmp_path / "two", "--on", engine), **place) as process:
        until(lambda: list((tmp_path / "place").glob("at-*")))
        [waiting] = (tmp_path / "place").glob("at-*")
        os.kill(int(waiting.name[3:]), signal.SIGKILL)
        until(lambda: len(list((tmp_path / "place").glob("at-*"))) == 2)
        (tmp_path / "place" / "go").touch()
        _, errors = process.communicate(timeout=100)
        assert (process.returncode, errors) == (0, "")
    assert run(command("-o", tmp_path / "one"), **place).returncode == 0
    assert sha(tmp_path / "two") == sha(tmp_path / "one")


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    """If this fails Ctrl-C is an error, or a worker that is still at its part stands in the way of the next run."""
    (tmp_path / "place").mkdir()
    place = {FOLDER: str(tmp_path / "place")}
    arguments = ("-o", tmp_path / "two")
    with cluster(2, tmp_path) as engine:
        with running(command(*arguments, "--on", engine), **place) as process:
            until(lambda: list((tmp_path / "place").glob("at-*")))
            until(lambda: len(list((tmp_path / "two" / ".varscale").glob("done-*"))) > 3)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert errors == "varscale: interrupted; what was finished is kept, and --resume goes on\n"
        assert process.returncode == 130
        (tmp_path / "place" / "go").touch()
        refused = run(command(*arguments, "--on", engine), **place)
        assert "holds an unfinished run of this checkpoint" in refused.stderr
        ended = run(command(*arguments, "--on", engine, "--resume"), **place)
        assert (ended.returncode, ended.stderr) == (0, "")
    assert run(command("-o", tmp_path / "one"), **place).returncode == 0
    assert sha(tmp_path / "two") == sha(tmp_path / "one")


def test_nobody_answers(tmp_path: Path) -> None:
    """If this fails a wrong address hangs, or ends in a traceback."""
    ended = run(command("-o", tmp_path / "out", "--on", f"dask://127.0.0.1:{free_port()}"))
    assert ended.stderr.startswith(f"{REFUSED}Timed out trying to connect to tcp://127.0.0.1:")
    assert (ended.returncode, ended.stderr.count("\n"), list(tmp_path.iterdir())) == (2, 1, [])


def test_a_scheduler_without_workers(tmp_path: Path) -> None:
    """If this fails a cluster of nobody is waited for without a word."""
    patient = command("-o", tmp_path / "out", "--on", "ENGINE")
    place = patient.index("-c") + 1
    patient[place] = f"from varscale._command.on import dask\ndask._STARTING = 1\n{patient[place]}"
    with cluster(0, tmp_path) as engine:
        ended = run([engine if text == "ENGINE" else text for text in patient])
    assert ended.stderr == f"{REFUSED}the scheduler must have a worker, got none in 1 seconds\n"
    assert ended.returncode == 2


@pytest.mark.parametrize("lacks", ["varscale", "waiting"])
def test_workers_lack_a_module(tmp_path: Path, lacks: str) -> None:
    """If this fails workers without varscale, or without the user's module, end in pages of traceback."""
    place = {FOLDER: str(tmp_path)}
    paths = [
        path
        for path in environment()["PYTHONPATH"].split(os.pathsep)
        if lacks == "waiting" and path.endswith("/python")
    ]
    with cluster(1, tmp_path, PYTHONPATH=os.pathsep.join(paths)) as engine:
        ended = run(command("-o", tmp_path / "out", "--on", engine), **place)
    assert ended.stderr.startswith(REFUSED)
    assert ended.stderr.endswith(f"No module named '{lacks}'\n")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
