"""The crate's tests on other systems: compiled and linked by zig, run by an emulator."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from build import RUST, TOOLS
from targets import ROOT


def passed(triple: str, emulator: Sequence[str | Path]) -> int:
    """How many tests passed where the emulator runs the target's programs; a failure is the end."""
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "RUSTUP_TOOLCHAIN": RUST}
    if emulator:
        environment[f"CARGO_TARGET_{triple.upper().replace('-', '_')}_RUNNER"] = " ".join(map(str, emulator))
    # QEMU's own threads do not survive a fork beside busy ones: its assertion fails, not ours.
    skipped = ["--", "--skip", "forks_while_threads_spin"] if "qemu" in str(emulator[:1]) else []
    command = ["cargo-zigbuild", "test", "--locked", "--release", "--target", triple, "--lib", *skipped]
    subprocess.run(["rustup", "target", "add", triple], env=environment, check=True, capture_output=True)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    result = re.search(r"test result: ok\. (\d+) passed", done.stdout)
    if done.returncode or result is None:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return int(result[1])
