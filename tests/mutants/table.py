"""Mutants: faults that somebody might bring into the source one day, each with the tests that must see it.

The tables beside this file hold them, one block each:

    name: what would be wrong for users.
    in src/file.rs
    - a piece of that file, which stands there exactly once
    + what stands there instead, or no such line
    seen by module::tests::a_test_of_the_crate
    seen by tests/folder/test_file.py::test_of_the_package

Each of the tests sees the fault by itself. Text of several lines has a mark on each, and keeps its indentation.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TABLES = sorted(Path(__file__).parent.glob("*.txt"))
MARKS = ("in ", "- ", "+ ", "seen by ")


class Mutant(NamedTuple):
    """A fault."""

    name: str
    wrong: str
    """What users would have of it."""
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]

    def mutated(self, root: Path = ROOT) -> str:
        """The file of a tree with the fault in it.

        Raises:
            ValueError: The file no longer holds the text, or more than once: the table must follow it.
        """
        source = (root / self.file).read_text(encoding="utf-8")
        if source.count(self.text) != 1:
            msg = f"{self.name} is stale: {self.file} holds its text {source.count(self.text)} times"
            raise ValueError(msg)
        return source.replace(self.text, self.instead)


def read(table: Path) -> list[Mutant]:
    """The mutants of a table.

    Raises:
        ValueError: A block is not as described above.
    """
    return [_mutant(block.splitlines()) for block in table.read_text(encoding="utf-8").strip().split("\n\n")]


def _mutant(lines: list[str]) -> Mutant:
    name, colon, wrong = lines[0].partition(": ")
    marked: dict[str, list[str]] = {mark: [] for mark in MARKS}
    for line in lines[1:]:
        mark = next((mark for mark in MARKS if line.startswith(mark)), None)
        if mark is None:
            msg = f"a line of {name} begins with none of {MARKS}: {line!r}"
            raise ValueError(msg)
        marked[mark].append(line.removeprefix(mark))
    files, text, instead, tests = marked.values()
    if not colon or len(files) != 1 or not text or not tests:
        msg = f"a mutant must have a sentence, one file, a text and tests, got {lines}"
        raise ValueError(msg)
    return Mutant(name, wrong, files[0], "\n".join(text), "\n".join(instead), tuple(tests))
