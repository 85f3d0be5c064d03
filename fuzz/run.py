"""Runs fuzzers on the crate and its border, one target after another, and keeps few and small inputs for the tests.

    python fuzz/run.py --seconds 3600 regions picks

What a target compares stands in `tests/fuzz`. An input that fails is printed as a line for the target's corpus; the
corpora grow by inputs that reach new code and shrink to those that are needed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORPORA = ROOT / "tests" / "fuzz" / "corpora"
TARGETS = ("regions", "picks", "strided", "replays", "border")
LONGEST = 256
"""Bytes of an input: what is behind changes nothing."""
MOST = 4000
"""Bytes of a corpus."""


def cargo_fuzz(target: str, *arguments: str | Path) -> bool:
    """Whether a fuzzer found nothing."""
    options = ["--features", "border"] if target == "border" else []
    command = ["cargo", "+nightly", "fuzz", "run", *options, target, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **python()}, check=False).returncode == 0


def python() -> dict[str, str]:
    """What the interpreter in the process of `border` finds its packages by; it frees little at its end."""
    packages = [str(ROOT / "tests"), str(ROOT / "python"), sysconfig.get_path("purelib")]
    return {
        "ASAN_OPTIONS": "detect_leaks=0",
        "LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR"),
        "PYO3_PYTHON": sys.executable,
        "PYTHONHOME": sys.base_prefix,
        "PYTHONPATH": os.pathsep.join(packages),
    }


def fuzz(target: str, seconds: int) -> bool:
    """Looks for inputs that fail, and whether there is none; the corpus is then made of what is needed."""
    corpus = CORPORA / f"{target}.txt"
    with tempfile.TemporaryDirectory() as folder:
        inputs, needed, failed = (Path(folder) / name for name in ("inputs", "needed", "failed"))
        for made in (inputs, needed, failed):
            made.mkdir()
        for number, line in enumerate(corpus.read_text(encoding="utf-8").split()):
            (inputs / str(number)).write_bytes(bytes.fromhex(line))
        limits = [
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST}",
            f"-artifact_prefix={failed}/",
            "-print_final_stats=1",
        ]
        passed = cargo_fuzz(target, inputs, "--", *limits)
        for file in failed.iterdir():
            print(f"{target} fails: add this line to {corpus.relative_to(ROOT)}\n{file.read_bytes().hex()}")
        if passed and cargo_fuzz(target, needed, inputs, "--", "-merge=1", f"-max_len={LONGEST}"):
            corpus.write_text("".join(f"{line}\n" for line in sample(needed)), encoding="utf-8")
    return passed


def sample(folder: Path) -> list[str]:
    """Inputs in a folder, long and short ones, as many as a corpus may have: the same ones for the same folder."""
    kept, left = [], MOST
    for data in sorted((file.read_bytes() for file in folder.iterdir()), key=lambda data: sha256(data).digest()):
        if len(data) <= left:
            kept.append(data.hex())
            left -= len(data)
    return sorted(kept, key=lambda line: (len(line), line))


def main() -> None:
    """Runs the targets that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600, help="for each target")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}")
    chosen = parser.parse_args()
    failed = [target for target in chosen.targets or TARGETS if not fuzz(target, chosen.seconds)]
    if failed:
        sys.exit(f"faults were found by {', '.join(failed)}")


if __name__ == "__main__":
    main()
