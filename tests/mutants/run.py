"""Makes each mutant in a copy of the tree, and runs the tests that must see it there: `make mutants`.

`make mutants ONLY="chunk-start bf16-ties"` makes some of them. A mutant is killed when every test that its table names
fails, or dies by a signal. First the same tests must pass without a mutant. One that does not end sees nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from mutants.table import ROOT, TABLES, Mutant, read

LIMIT = 300
"""The seconds that a test may take."""
KEPT = ROOT / "target" / "mutants"
"""Where the crate is compiled. It is kept, so that the next run begins in seconds."""
# A mutant changes one file, which is compiled anew in seconds this way. A release build takes a minute.
CARGO = os.environ | {
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
"""What Cargo makes for each kind of test: the program that has the crate's tests, or the extension."""
PLACES = {"crate": "crate_tests", "package": "python/varscale/_core.abi3.so"}
"""Where it stands in a tree."""


def main(names: list[str]) -> int:
    """Runs the mutants of these names, or all; the exit code is 0 if every one is killed."""
    start = time.monotonic()
    mutants = [mutant for table in TABLES for mutant in read(table) if not names or mutant.name in names]
    if unknown := set(names) - {mutant.name for mutant in mutants}:
        sys.exit(f"there are no mutants of these names: {', '.join(sorted(unknown))}")
    with TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        workshop = Workshop(Path(folder) / "varscale")
        tests = {test for mutant in mutants for test in mutant.tests}
        for wrong in pool.map(workshop.unmutated, groups(tests)):
            if wrong:
                sys.exit(f"without any mutant, {wrong}")
        killed = sum(pool.map(workshop.kills, mutants))
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    print(f"{killed} of {len(mutants)} killed in {minutes}:{seconds:02}")
    return int(killed < len(mutants))


class Workshop:
    """A copy of the working tree as it was when the run began, from which trees with a mutant are made."""

    def __init__(self, root: Path) -> None:
        self._root = root
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.so", "dist", "target"))
        self._lock = Lock()
        _update(KEPT / "tree", root)
        for kind, place in PLACES.items():
            shutil.copy(_compiled(kind), root / place)

    def unmutated(self, tests: tuple[str, ...]) -> str:
        """What is wrong with tests that run together, where nothing is mutated."""
        with self._tree() as tree:
            return _wrong(tree, tests, expected=0)

    def kills(self, mutant: Mutant) -> bool:
        """Whether every test sees the mutant; prints what was found."""
        start = time.monotonic()
        try:
            with self._tree() as tree:
                (tree / mutant.file).write_text(mutant.mutated(self._root), encoding="utf-8")
                if mutant.file.endswith(".rs"):
                    self._compile(mutant, tree)
                wrong = next(filter(None, (_wrong(tree, (test,), expected=1) for test in mutant.tests)), "")
        except ValueError as error:
            wrong = str(error)
        names = ", ".join(test.rpartition("::")[2] for test in mutant.tests)
        found = f"SURVIVED: {mutant.wrong} But {wrong}" if wrong else f"killed by {names}"
        print(f"{mutant.name}: {found} in {time.monotonic() - start:.1f} s", flush=True)
        return not wrong

    @contextmanager
    def _tree(self) -> Iterator[Path]:
        with TemporaryDirectory() as folder:
            yield shutil.copytree(self._root, Path(folder) / "varscale")

    def _compile(self, mutant: Mutant, tree: Path) -> None:
        """Compiles what the mutant's tests run, one mutant at a time."""
        with self._lock:
            changed = KEPT / "tree" / mutant.file
            changed.write_text(mutant.mutated(self._root), encoding="utf-8")
            try:
                for kind in sorted({_kind(test) for test in mutant.tests}):
                    shutil.copy(_compiled(kind), tree / PLACES[kind])
            finally:
                changed.write_bytes((self._root / mutant.file).read_bytes())


def _update(tree: Path, root: Path) -> None:
    """Brings the tree that the crate is compiled in up to date; files that have not changed keep their times."""
    tree.mkdir(parents=True, exist_ok=True)
    copies = {tree / path.relative_to(root): path for path in root.rglob("*") if path.is_file()}
    for stale in {path for path in tree.rglob("*") if path.is_file()} - copies.keys():
        stale.unlink()
    for copy, path in copies.items():
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def _compiled(kind: str) -> Path:
    """What Cargo makes of the tree.

    Raises:
        ValueError: It does not compile.
    """
    command = ["cargo", *BUILDS[kind], "--release", "--locked", "--quiet", "--message-format=json-render-diagnostics"]
    found = subprocess.run(command, cwd=KEPT / "tree", env=CARGO, capture_output=True, text=True, check=False)
    if found.returncode:
        msg = f"it does not compile:\n{found.stderr}"
        raise ValueError(msg)
    artifacts = [json.loads(line) for line in found.stdout.splitlines()]
    last = [artifact for artifact in artifacts if artifact.get("target", {}).get("name") == "varscale"][-1]
    return Path(last["executable"] or last["filenames"][0])


def groups(tests: set[str]) -> list[tuple[str, ...]]:
    """The tests that run in one process."""
    commands = {test: _command(Path(), test) for test in tests}
    return [
        tuple(sorted(test for test in tests if commands[test] == command))
        for command in sorted({tuple(command) for command in commands.values()})
    ]


def _kind(test: str) -> str:
    """Whether a test is one of the crate or of the package."""
    return "package" if test.startswith("tests/") else "crate"


def _command(tree: Path, test: str) -> tuple[str, ...]:
    """What runs a test, whose name comes last."""
    if _kind(test) == "crate":
        return str(tree / PLACES["crate"]), "--exact"
    python: tuple[str, ...] = (sys.executable,)
    if test.startswith("tests/engines/"):
        # An adapter's tests run where its engine is installed.
        engine = Path(test).name.split("_")[1]
        python = (str(ROOT / f".venv-engine-{engine}" / "bin" / "python"),)
    elif test.startswith("tests/frameworks/"):
        family = Path(test).parts[2]
        python = (str(ROOT / f".venv-framework-{family}" / "bin" / "python"),)
    elif test.startswith("tests/kernels/"):
        interpreted = Path(test).name.startswith("test_interpreted")
        route = ("TRITON_INTERPRET=1", "VARSCALE_DEVICE=interpreted") if interpreted else ()
        python = ("env", *route, str(ROOT / ".venv-engine-torch" / "bin" / "python"))
    # Hypothesis tries the same cases in every run: what is killed stays killed.
    return *python, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"


def _wrong(tree: Path, tests: tuple[str, ...], *, expected: int) -> str:
    """What is wrong with tests of one kind that must pass (0) or fail (1)."""
    code, output = _run([*_command(tree, tests[0]), *tests], tree, LIMIT * len(tests))
    codes = (0, 101) if _kind(tests[0]) == "crate" else (0, 1)
    if code == codes[expected] or (expected and isinstance(code, int) and code < 0):
        return ""
    return f"{tests[0]} passes" if code == 0 else f"these tests end in {code}: {' '.join(tests)}\n{output}"


def _run(command: list[str], tree: Path, limit: float) -> tuple[int | str, str]:
    """The exit code of a process, and what it printed; what it has started ends with it."""
    process = subprocess.Popen(
        command,
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree / "python")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return f"no {limit:.0f} s", process.communicate()[0]
    return process.returncode, output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
