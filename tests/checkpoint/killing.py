"""Programs that write a checkpoint, killed at random moments until it is there."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from checkpoint.cases import sha

Command = Callable[[Path], list[str]]
"""The program that writes into a folder: it prints "ready" when it begins and "done" at its end, and resumes."""


def killed(command: list[str], after: float | None) -> tuple[bool, float]:
    """Runs a program, and kills it after some seconds; whether it finished, and the seconds that it took."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        start = time.perf_counter()
        if after is not None:
            time.sleep(after)
            process.kill()
        return process.stdout.read() == "done\n", time.perf_counter() - start


def kill_and_go_on(
    folder: Path, command: Command, wanted: dict[str, str], check: Callable[[Path], None], times: int, seed: int
) -> None:
    """Kills runs at random moments, so many times, and lets each go on to its end.

    Each must end with the files that are wanted, and `check` looks at what every kill has left.
    """
    _, seconds = killed(command(folder / "timed"), None)
    assert sha(folder / "timed") == wanted
    dice, kills, number = random.Random(seed), 0, 0
    while kills < times:
        out = folder / f"out{number}"
        number += 1
        for _ in range(3):
            done, _ = killed(command(out), dice.uniform(0.0, 1.1) * seconds)
            kills += not done
            if out.exists():
                check(out)
        assert killed(command(out), None)[0]
        assert sha(out) == wanted
