"""Makes each mutant in a copy of the tree, and runs the tests that must see it there: `make mutants`.

`make mutants ONLY="chunk-start bf16-ties"` makes some of them. A mutant is killed when every test that its table names
fails. First the same tests must pass without a mutant. A test that does not end is no test that sees something.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from mutants.table import ROOT, TABLES, Mutant, read

LIMIT = 120
"""The seconds that a test may take."""
KEPT = ROOT / "target" / "mutants"
"""Where the crate is compiled. It is kept, so that the next run begins in seconds."""
# A mutant changes one file, which is compiled anew in seconds this way. A release build takes a minute.
ENVIRONMENT = os.environ | {
    "CARGO_INCREMENTAL": "1",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
    "CARGO_TARGET_DIR": str(KEPT / "target"),
    "PYO3_PYTHON": sys.executable,
}
BUILDS = {
    "crate": ("test", "--lib", "--no-run"),
    "package": ("rustc", "--lib", "--crate-type", "cdylib", "--features", "python"),
}
"""The arguments of Cargo for the program that has the crate's tests, and for the extension."""
ONE_AT_A_TIME = Lock()


def main(names: list[str]) -> int:
    """Runs the mutants of these names, or all; the exit code is 0 if every one is killed."""
    start = time.monotonic()
    mutants = [mutant for table in TABLES for mutant in read(table) if not names or mutant.name in names]
    if unknown := set(names) - {mutant.name for mutant in mutants}:
        sys.exit(f"there are no mutants of these names: {', '.join(sorted(unknown))}")
    copy_crate()
    for kind in BUILDS:
        shutil.copy(compiled(kind, None), KEPT / kind)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for wrong in pool.map(unmutated, groups({test for mutant in mutants for test in mutant.tests})):
            if wrong:
                sys.exit(f"without any mutant, {wrong}")
        killed = sum(pool.map(judged, mutants))
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    print(f"{killed} of {len(mutants)} killed in {minutes}:{seconds:02}")
    return int(killed < len(mutants))


def unmutated(tests: tuple[str, ...]) -> str:
    """What is wrong with tests that run together, where nothing is mutated."""
    with Tree() as tree:
        tree.build(tests)
        return tree.run(tests, expected=0, limit=LIMIT * len(tests))


def judged(mutant: Mutant) -> bool:
    """Whether every test sees the mutant; prints what was found."""
    start = time.monotonic()
    try:
        with Tree() as tree:
            tree.mutate(mutant)
            tree.build(mutant.tests)
            wrong = next(filter(None, (tree.run((test,), expected=1) for test in mutant.tests)), "")
    except ValueError as error:
        wrong = str(error)
    names = ", ".join(test.rpartition("::")[2] for test in mutant.tests)
    found = f"SURVIVED: {mutant.wrong} But {wrong}" if wrong else f"killed by {names}"
    print(f"{mutant.name}: {found} in {time.monotonic() - start:.1f} s", flush=True)
    return not wrong


class Tree:
    """A copy of the working tree in a temporary folder."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self.root = Path(self._folder.name) / "varscale"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.so", "dist", "target"))
        self._rust: Mutant | None = None

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def mutate(self, mutant: Mutant) -> None:
        """Puts a mutant in."""
        (self.root / mutant.file).write_text(mutant.mutated(), encoding="utf-8")
        self._rust = mutant if mutant.file.endswith(".rs") else None

    def build(self, tests: Iterable[str]) -> None:
        """Compiles what the tests run.

        Raises:
            ValueError: The mutant does not compile.
        """
        places = {"crate": self.root / "crate_tests", "package": self.root / "python/varscale/_core.abi3.so"}
        for kind in sorted({kind_of(test) for test in tests}):
            if self._rust is None:
                shutil.copy(KEPT / kind, places[kind])
                continue
            with ONE_AT_A_TIME:
                shutil.copy(compiled(kind, self._rust), places[kind])

    def run(self, tests: tuple[str, ...], *, expected: int, limit: float = LIMIT) -> str:
        """Runs tests of one kind; says what is wrong if their exit code is another one than expected."""
        if kind_of(tests[0]) == "crate":
            command, codes = [str(self.root / "crate_tests"), "--exact", *tests], (0, 101)
        else:
            command, codes = [python_of(tests[0]), "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests], (0, 1)
        code, output = run(command, self.root, limit)
        if code == codes[expected]:
            return ""
        if code == codes[0]:
            return f"{tests[0]} passes."
        return f"these tests end in {code}: {' '.join(tests)}\n{output}"


def compiled(kind: str, mutant: Mutant | None) -> Path:
    """What Cargo makes of the crate, with a mutant in it or none."""
    file = KEPT / "tree" / mutant.file if mutant else None
    original = file.read_text(encoding="utf-8") if file else ""
    try:
        if file and mutant:
            file.write_text(mutant.mutated(), encoding="utf-8")
        command = ["cargo", *BUILDS[kind], "--release", "--locked", "--quiet", "--message-format=json-render-diagnostics"]
        found = subprocess.run(command, cwd=KEPT / "tree", env=ENVIRONMENT, capture_output=True, text=True, check=False)
    finally:
        if file:
            file.write_text(original, encoding="utf-8")
    if found.returncode:
        msg = f"it does not compile:\n{found.stderr}"
        raise ValueError(msg)
    artifacts = [json.loads(line) for line in found.stdout.splitlines()]
    last = [artifact for artifact in artifacts if artifact.get("target", {}).get("name") == "varscale"][-1]
    return Path(last["executable"] or last["filenames"][0])


def copy_crate() -> None:
    """Brings the tree that the crate is compiled in up to date; files that have not changed keep their times."""
    fresh = [ROOT / "Cargo.toml", ROOT / "Cargo.lock"]
    fresh += [path for name in ("src", "benches", "tests/known_answers") for path in (ROOT / name).rglob("*.*")]
    tree = KEPT / "tree"
    copies = {tree / path.relative_to(ROOT): path for path in fresh if path.suffix in {".rs", ".toml", ".lock", ".txt"}}
    for stale in {path for path in tree.rglob("*") if path.is_file()} - copies.keys():
        stale.unlink()
    for copy, path in copies.items():
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def kind_of(test: str) -> str:
    """Whether a test is one of the crate or of the package."""
    return "package" if test.startswith("tests/") else "crate"


def python_of(test: str) -> str:
    """The interpreter that runs a test: an adapter's has its engine."""
    if not test.startswith("tests/engines/"):
        return sys.executable
    engine = Path(test).name.split("_")[1]
    return str(ROOT / f".venv-engine-{engine}" / "bin" / "python")


def groups(tests: set[str]) -> list[tuple[str, ...]]:
    """The tests that run in one process."""
    keys = {test: python_of(test) if kind_of(test) == "package" else "" for test in tests}
    return [tuple(sorted(test for test in tests if keys[test] == key)) for key in sorted(set(keys.values()))]


def run(command: list[str], folder: Path, limit: float) -> tuple[int | str, str]:
    """The exit code of a process, and what it printed; what it has started ends with it."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "python")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    code: int | str
    try:
        output, _ = process.communicate(timeout=limit)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        code = "no time"
    return code, output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
