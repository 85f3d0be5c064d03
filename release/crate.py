"""The crate's tests and golden hashes on systems without a Python here: compiled with zig, run by an emulator."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from targets import ROOT

TOOLS = Path(sys.executable).parent


def cargo(triple: str, emulator: Sequence[str | Path], *arguments: str, text: str = "") -> str:
    """What a cargo command prints, for a target whose programs the emulator runs; its failure is the end."""
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "WINEDEBUG": "-all"}  # wine else reports what it lacks
    if emulator:
        environment[f"CARGO_TARGET_{triple.upper().replace('-', '_')}_RUNNER"] = " ".join(map(str, emulator))
    command = ["cargo-zigbuild", *arguments[:1], "--locked", "--release", "--target", triple, *arguments[1:]]
    done = subprocess.run(command, cwd=ROOT, env=environment, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def prove(triple: str, emulator: Sequence[str | Path], jobs: str) -> dict[str, object]:
    """How many tests passed and how many golden hashes were reproduced, and at which level."""
    subprocess.run(["rustup", "target", "add", triple], check=True, capture_output=True)
    # QEMU's own threads do not survive a fork beside busy ones: its assertion fails, not ours.
    skipped = ["--", "--skip", "forks_while_threads_spin"] if "qemu" in str(emulator[:1]) else []
    tests = re.findall(r"test result: ok\. (\d+) passed", cargo(triple, emulator, "test", "--lib", *skipped))
    printed = cargo(triple, emulator, "run", "--example", "golden", text=jobs)
    hashes = re.search(r"(\d+) golden hashes equal, 0 different, level (\w+)", printed)
    if len(tests) != 1 or hashes is None:
        sys.exit(f"{triple}: no result")
    return {"golden": int(hashes[1]), "level": hashes[2], "tests": int(tests[0])}
