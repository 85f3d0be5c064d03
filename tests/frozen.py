"""The freeze: what a release has promised, which nobody writes again.

    PYTHONPATH=tests python -m frozen

prints the table of the files as they are. The commit that freezes puts it into `FROZEN`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

FROZEN: dict[str, str] = {}
"""The switch: off, and empty, until the first release; then the SHA-256 of each file, by its path in this folder."""

FOLDER = Path(__file__).parent
PROMISES = ("golden.txt", "models/document-*.json", "saved/*.json")
"""The files that the table is of."""


def table() -> dict[str, str]:
    """The SHA-256 of each file as it is."""
    files = sorted(file for pattern in PROMISES for file in FOLDER.glob(pattern))
    return {file.relative_to(FOLDER).as_posix(): sha256(file.read_bytes()).hexdigest() for file in files}


def changed() -> list[str]:
    """The frozen files that are no longer what they were, or are gone."""
    now = table()
    return [name for name, digest in FROZEN.items() if now.get(name) != digest]


def write(name: str, text: Iterable[str]) -> None:
    """Writes one of the files, or ends the process where it is frozen, before any of the text is made."""
    if name in FROZEN:
        sys.exit(f"tests/{name} is frozen: a release has promised it, and nobody writes it again")
    (FOLDER / name).write_text("".join(text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    print(*(f'    "{name}": "{digest}",' for name, digest in table().items()), sep="\n")
