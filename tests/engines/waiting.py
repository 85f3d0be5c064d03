"""A checkpoint whose last tensor is made when somebody says go, and the command that makes it on an engine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import varscale as vs

COMMAND = """
import signal, sys
from varscale.checkpoint import _driver
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits that it is ignored
_driver.PART = 1 << 22  # so that a small checkpoint has several
from varscale._command.main import main
sys.exit(main(sys.argv[1:]))
"""
FOLDER = "WAITING"
"""The environment variable of the folder in which somebody says go."""


class Waiting(vs.Initializer):
    """Threes, once the folder has a file `go`. Whoever waits has a file there too, of the number of its process."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        (Path(self.folder) / f"at-{os.getpid()}").touch()
        until((Path(self.folder) / "go").exists)
        return np.full(shape, 3, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"folder": self.folder}


def model() -> vs.Model:
    """Five parts of three tensors, and the one that waits."""
    entries: dict[str, Any] = {f"h.{i}.weight": ((1 << 20,), None, vs.RandomNormal(0.0, 0.02)) for i in range(15)}
    if FOLDER in os.environ:
        entries["h.15.weight"] = ((3,), None, Waiting(os.environ[FOLDER]))
    return vs.Model({name: entries[name] for name in reversed(entries)}, layout="torch")


def until(reached: Callable[[], object], seconds: float = 100) -> None:
    """Waits for something."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that finds what this one finds."""
    paths = [path for path in sys.path if path and "site-packages" not in path and Path(path).is_dir()]
    return os.environ | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))} | more


def command(*arguments: object) -> list[str]:
    """`varscale init` of the model, by more parts than usual."""
    texts = ("init", "waiting:model", "--seed", "7", "--max-shard", "20MB", *map(str, arguments))
    return [sys.executable, "-c", COMMAND, *texts]


def run(arguments: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    """A command that has ended."""
    return subprocess.run(arguments, env=environment(**more), capture_output=True, text=True, timeout=200, check=False)


@contextmanager
def running(arguments: list[str], **more: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs, and does not any more after it."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(arguments, env=environment(**more), **pipes) as process:
        try:
            yield process
        finally:
            process.kill()
