"""Pipes raw words of the stream into a battery of statistical tests, in arrangements that might show a weakness.

    python tools/randomness.py seeds --bytes 38

tests 2^38 bytes; results stand in `docs/development/randomness.md`. Words are the core's own (`benches/words.rs`).
First of all, some of each arrangement are compared with the specification in `tests/oracle`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from oracle import reference

ROOT = Path(__file__).parents[1]
SEED = 20261128
LANES = 1 << 16
COLUMNS = 1 << 24
WORDS = ["cargo", "bench", "--quiet", "--locked", "--bench", "words"]
Lane = tuple[bytes, int]
"""A stream's name, and its first block: words of all lanes are tested in turn."""


def lanes(arrangement: str) -> list[Lane]:
    """The lanes of an arrangement of this name."""
    if arrangement == "identity":
        return [(reference.identity(None, SEED), 0)]
    if arrangement == "seeds":
        return [(reference.identity(None, seed), 0) for seed in range(LANES)]
    if arrangement == "names":
        return [(reference.identity(None, SEED, (f"layers.{layer}.weight",)), 0) for layer in range(LANES)]
    # Down the columns of a float32 matrix: neighbours are a row apart.
    return [(reference.identity(None, SEED), row * COLUMNS // 4) for row in range(LANES)]


def battery(power: int) -> list[str]:
    """The command of a battery that tests 2^power bytes of standard input, if this machine has one."""
    if shutil.which("RNG_test"):
        return ["RNG_test", "stdin32", "-tlmin", "1GB", "-tlmax", str(power)]
    if shutil.which("dieharder"):
        return ["dieharder", "-a", "-g", "200"]
    sys.exit(
        "no battery in PATH: PractRand's RNG_test (https://pracrand.sourceforge.net), or `apt-get install dieharder`"
    )


def check(arrangement: str, names: Path) -> None:
    """Ends with a complaint where the words are others than the specification's."""
    chosen = lanes(arrangement)
    rows = 256  # words of a lane
    with names.open("rb") as file, subprocess.Popen(WORDS, stdin=file, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        found = np.frombuffer(process.stdout.read(4 * rows * len(chosen)), np.uint32).reshape(rows, -1)
        process.kill()
    for lane in {0, 1, 17, len(chosen) - 1} & set(range(len(chosen))):
        name, first = chosen[lane]
        expected = reference.philox(name, np.arange(first, first + rows // 4, dtype=np.uint64)).ravel()
        if not np.array_equal(found[:, lane], expected):
            sys.exit(f"{arrangement}: lane {lane} has other words than the specification's")


def main() -> None:
    """Tests one arrangement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arrangement", choices=["identity", "seeds", "names", "columns"])
    parser.add_argument("--bytes", type=int, default=38, metavar="N", help="how many to test: 2^N")
    chosen = parser.parse_args()
    command = battery(chosen.bytes)
    with tempfile.NamedTemporaryFile() as file:
        names = Path(file.name)
        names.write_bytes(b"".join(name + first.to_bytes(8, "little") for name, first in lanes(chosen.arrangement)))
        check(chosen.arrangement, names)
        with names.open("rb") as lines, subprocess.Popen(WORDS, stdin=lines, stdout=subprocess.PIPE) as words:
            done = subprocess.run(command, stdin=words.stdout, check=False)
            words.kill()
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
