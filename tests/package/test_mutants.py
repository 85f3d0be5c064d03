"""The tables of mutants: none is stale, each file has one, and the tests that they name are there.

`make mutants` makes them and sees whether those tests fail.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mutants.table import ROOT, TABLES, Mutant, read

pytestmark = pytest.mark.thread_unsafe(reason="CPython 3.11 parses in one thread at a time only")

MUTANTS = [mutant for table in TABLES for mutant in read(table)]
WITHOUT = {
    "src/lib.rs",
    "src/fill/source.rs",
    "src/machine/mod.rs",
    "src/machine/prefetch.rs",
    "src/stream/mod.rs",
    "src/stream/second.rs",
    "src/stream/consecutive/neon.rs",
    "python/varscale/__init__.py",
    "python/varscale/_sources/request.py",
}
"""Files that only name things, change nothing but the time, are for aarch64 or tests alone; and empty `__init__.py`."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_not_stale(mutant: Mutant) -> None:
    """If this fails a fault cannot be made any more, fails for another reason than its own, or names no test."""
    mutated = mutant.mutated()
    assert mutant.text != mutant.instead
    if mutant.file.endswith(".py"):
        compile(mutated, mutant.file, "exec")
    for test in mutant.tests:
        place, _, name = test.rpartition("::")
        keyword = "def" if place.startswith("tests/") else "fn"
        assert f"{keyword} {name}(" in source(place), test


def source(place: str) -> str:
    """The text of a test file, or of the file of a Rust module."""
    if place.startswith("tests/"):
        return (ROOT / place).read_text(encoding="utf-8")
    parts = place.split("::")
    paths = ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
    files = (ROOT / "src" / name for path in paths for name in (f"{path}.rs", f"{path}/mod.rs"))
    return next(file for file in files if file.exists()).read_text(encoding="utf-8")


def test_names_and_sentences() -> None:
    """If this fails a mutant cannot be asked for by its name, or does not say what users would have of it."""
    assert [name for name, count in Counter(mutant.name for mutant in MUTANTS).items() if count > 1] == []
    assert [mutant.name for mutant in MUTANTS if not mutant.wrong.endswith(".")] == []


def test_every_file_has_a_mutant() -> None:
    """If this fails a law, a replay, an adapter or a device is new, and nobody has seen its tests fail."""
    rust, python = (ROOT / "src").rglob("*.rs"), (ROOT / "python").rglob("*.py")
    files = {path.relative_to(ROOT).as_posix() for path in (*rust, *python) if not is_empty(path)}
    mutated = {mutant.file for mutant in MUTANTS}
    assert sorted(files - mutated) == sorted(WITHOUT)


def is_empty(path: Path) -> bool:
    """Whether a file has no code: tests of the crate, and folders of the package that are one sentence."""
    return path.name == "tests.rs" or len(path.read_text(encoding="utf-8").splitlines()) < 11


@pytest.mark.parametrize(
    "block",
    ["name: wrong.\nin a.py\n- x", "name: wrong.\nin a.py\nseen by t", "name\nin a.py\n- x\nseen by t", "n: w.\n* x"],
)
def test_what_is_no_mutant_is_refused(tmp_path: Path, block: str) -> None:
    """If this fails a misspelt line of a table is silently left out."""
    table = tmp_path / "table.txt"
    table.write_text(block, encoding="utf-8")
    with pytest.raises(ValueError, match=r"must have a sentence|begins with none of"):
        read(table)
