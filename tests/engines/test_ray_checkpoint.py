"""Ray: the workers of a cluster make the parts of one checkpoint."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkpoint.cases import sha
from waiting import FOLDER, command, environment, run, running, until

REFUSED = "varscale: error: "


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder for what waits. Its name is short, because Ray's sockets are in it too."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def ports(place: Path) -> Iterator[list[str]]:
    """A cluster of this machine, in processes of its own: its port, and that of its clients."""
    with socket.socket() as one, socket.socket() as two:
        for taken in (one, two):
            taken.bind(("127.0.0.1", 0))
        free = [str(taken.getsockname()[1]) for taken in (one, two)]
    options = [
        "--disable-usage-stats",
        "--include-dashboard",
        "false",
        "--num-cpus",
        "2",
        "--temp-dir",
        str(place / "ray"),
    ]
    start = ["start", "--block", "--head", "--port", free[0], "--ray-client-server-port", free[1], *options]
    ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", *start]
    with (place / "log").open("w") as log, subprocess.Popen(ray, env=environment(), stdout=log, stderr=log) as head:
        until(lambda: "Ray runtime started" in (place / "log").read_text())
        yield free
        head.terminate()  # which ends what it has started


@pytest.fixture
def engine(ports: list[str]) -> str:
    """What `--on` calls the cluster."""
    return f"ray://127.0.0.1:{ports[1]}"


@pytest.fixture
def waits(place: Path) -> dict[str, str]:
    """The environment in which a tensor waits."""
    for file in (*place.glob("at-*"), place / "go"):
        file.unlink(missing_ok=True)
    return {FOLDER: str(place)}


def test_workers_make_the_single_run(tmp_path: Path, engine: str, ports: list[str]) -> None:
    """If this fails Ray makes another checkpoint, or its own words get between ours."""
    assert run(command("-o", tmp_path / "one")).returncode == 0
    for address in (engine, "ray://auto"):
        arguments = command("-o", tmp_path / "two", "--on", address)
        ended = run(arguments, RAY_ADDRESS=f"127.0.0.1:{ports[0]}")  # where "auto" looks first
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith(f"{tmp_path / 'two'}: 5 files, 15 tensors, ")
        assert sha(tmp_path / "two") == sha(tmp_path / "one")
        shutil.rmtree(tmp_path / "two")


def test_a_worker_dies(tmp_path: Path, engine: str, place: Path, waits: dict[str, str]) -> None:
    """If this fails a killed worker's part is lost, or the whole run."""
    with running(command("-o", tmp_path / "two", "--on", engine), **waits) as process:
        until(lambda: list(place.glob("at-*")))
        [waiting] = place.glob("at-*")
        os.kill(int(waiting.name[3:]), signal.SIGKILL)
        until(lambda: len(list(place.glob("at-*"))) == 2)
        (place / "go").touch()
        _, errors = process.communicate(timeout=100)
        assert (process.returncode, errors) == (0, "")
    assert run(command("-o", tmp_path / "one"), **waits).returncode == 0
    assert sha(tmp_path / "two") == sha(tmp_path / "one")


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path, engine: str, place: Path, waits: dict[str, str]) -> None:
    """If this fails Ctrl-C is an error, or what was finished is made again by hand."""
    arguments = ("-o", tmp_path / "two", "--on", engine)
    with running(command(*arguments), **waits) as process:
        until(lambda: list(place.glob("at-*")))
        until(lambda: len(list((tmp_path / "two" / ".varscale").glob("done-*"))) > 3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert errors == "varscale: interrupted; what was finished is kept, and --resume goes on\n"
    assert process.returncode == 130
    (place / "go").touch()
    ended = run(command(*arguments, "--resume"), **waits)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert run(command("-o", tmp_path / "one"), **waits).returncode == 0
    assert sha(tmp_path / "two") == sha(tmp_path / "one")


def test_an_error_of_a_worker(tmp_path: Path, engine: str) -> None:
    """If this fails what goes wrong where a part is made ends in pages of Ray's traceback."""
    arguments = command("-o", tmp_path / "out", "--on", engine)
    older = "from varscale.checkpoint import _driver\n_driver.__version__ = '0.0'\n"
    arguments[arguments.index("-c") + 1] = older + arguments[arguments.index("-c") + 1]
    ended = run(arguments)
    assert ended.stderr.startswith(f"{REFUSED}workers must have varscale 0.0, as the driver has, got ")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)


def test_nobody_answers(tmp_path: Path) -> None:
    """If this fails a wrong address hangs, or ends in a traceback."""
    ended = run(command("-o", tmp_path / "out", "--on", "ray://127.0.0.1:1"))
    assert ended.stderr.startswith(f"{REFUSED}Ray at ray://127.0.0.1:1 has failed: ")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "out").exists()
