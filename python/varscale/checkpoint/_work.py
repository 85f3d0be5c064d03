"""Work: the folder of a run that is not finished, what the run is, and which of its pieces are on the disk."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from .._arguments.show import show

FOLDER = ".varscale"
"""The folder beside the files to come. What is in it is moved to its name when all of it is there."""
SETUP = "setup"
"""The lock of those who begin or finish."""
_RECORD = "run.json"
_VERSION = "varscale.checkpoint 1"
NAME = re.compile(r"(?!\.\.?$)[\w.~%-]+", re.ASCII)
"""A file in this very folder."""


class Record(NamedTuple):
    """What a run makes. Two runs may work on one folder if their records are equal."""

    format: str
    """The word for what kind of checkpoint it is."""
    plan: str
    """The digest of the model."""
    seed: str
    parts: int
    identity: str
    """The digest of all that the bytes depend on."""
    pieces: int
    files: Mapping[str, int]
    """The bytes of each file of values."""
    others: tuple[str, ...]
    """The files beside them; the index comes last."""

    def names(self) -> list[str]:
        """All files in the order in which they get their names."""
        return [*self.files, *self.others]

    def check(self, wanted: Record, out: Path, drop: str) -> None:
        """Raises ValueError where this run, which has begun in `out`, is another one than the one that is wanted.

        `drop` says how it is dropped.
        """
        place = show(str(out))
        words = {
            "format": "another format",
            "plan": "another model",
            "seed": "another seed",
            "parts": "another number of parts",
        }
        for field, what in words.items():
            was, now = getattr(self, field), getattr(wanted, field)
            if was != now:
                end = f"{self._end()}, " if field == "parts" else ""
                msg = f"{place} holds an unfinished run of {what}, {_short(was)}, not {_short(now)}: {end}{drop}"
                raise ValueError(msg)
        if self != wanted:
            msg = f"{place} holds an unfinished run with other files, or another old checkpoint: {drop}"
            raise ValueError(msg)

    def _end(self) -> str:
        """What ends this run."""
        if self.parts == 1:
            return "`resume` without `part` ends it"
        return f"`resume` with each `part` of {self.parts}, and then `finish`, end it"

    def ranges(self) -> list[range]:
        """The pieces of each part."""
        cuts = [self.pieces * part // self.parts for part in range(self.parts + 1)]
        return list(map(range, cuts, cuts[1:]))


def _short(value: Any) -> str:
    return str(value) if len(str(value)) < 24 else f"{str(value)[:12]}…"


class Work:
    """The folder of an unfinished run."""

    def __init__(self, out: Path) -> None:
        """`out` is the folder that the run fills.

        Raises:
            ValueError: The place of the work leads elsewhere.
        """
        self.out, self.folder = out, out / FOLDER
        if self.folder.is_symlink():
            msg = f"`out` must have its work inside, got a link {self.folder}: remove it"
            raise ValueError(msg)

    def lock(self, name: str) -> Path:
        """The file that is locked while somebody does this."""
        return self.folder / f"lock-{name}"

    def read(self) -> Record | None:
        """The run that has begun here; None for none.

        Raises:
            ValueError: What is there is not of this version.
        """
        path = self.folder / _RECORD
        try:
            fields = json.loads(path.read_bytes())
            if fields.pop("version") != _VERSION:
                raise ValueError
            record = Record(**fields | {"others": tuple(fields["others"])})
            if not all(map(NAME.fullmatch, record.names())):  # which would lead elsewhere
                raise ValueError
            return record
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            msg = f"{path} must be a run of this version: remove {self.folder} to drop it"
            raise ValueError(msg) from None

    def write(self, record: Record, others: Mapping[str, bytes]) -> None:
        """Writes what the run is, and the small files, which all parts write alike."""
        for name, text in others.items():
            replace(self.folder / name, text)
        replace(self.folder / _RECORD, json.dumps({"version": _VERSION, **record._asdict()}, indent=1).encode())

    def journal(self, part: int, parts: int) -> Path:
        """The file of the numbers of a part's finished pieces."""
        return self.folder / f"done-{part:d}-of-{parts:d}"

    def finished(self, part: int, parts: int) -> set[int]:
        """The finished pieces of a part. A line without its end was being written when the run was killed."""
        try:
            lines = self.journal(part, parts).read_bytes().split(b"\n")[:-1]
            return {int(line) for line in lines}
        except FileNotFoundError:
            return set()
        except ValueError:
            msg = f"{self.journal(part, parts)} must be numbers of pieces: remove {self.folder} to drop the run"
            raise ValueError(msg) from None

    def note(self, part: int, parts: int, finished: set[int]) -> None:
        """Writes a part's journal anew."""
        replace(self.journal(part, parts), b"".join(b"%d\n" % number for number in sorted(finished)))

    def size(self, name: str) -> int:
        """The bytes of a file; -1 for none."""
        path = self.folder / name
        return path.stat().st_size if path.exists() else -1

    def allocated(self, name: str) -> int:
        """The bytes of a file that have their place on the disk already, where the system tells."""
        path = self.folder / name
        return getattr(path.stat(), "st_blocks", 0) * 512 if path.exists() else 0

    def check_whole(self, record: Record) -> None:
        """Raises ValueError unless all parts of a run are there."""
        lacking = [
            str(part)
            for part, mine in enumerate(record.ranges(), 1)
            if not self.finished(part, record.parts) >= set(mine)
        ]
        if lacking:
            what = f"all {record.parts} parts, lacks {', '.join(lacking)}"
            msg = f"{show(str(self.out))} must hold {what}: make them, those that were ended by `resume`"
            raise ValueError(msg)

    def clear(self) -> None:
        """Removes what a run has left; its record goes first, so that the rest is no run."""
        (self.folder / _RECORD).unlink(missing_ok=True)
        sync_folder(self.folder)
        for path in list(self.folder.iterdir()):
            if not path.name.startswith("lock-"):
                path.unlink()
        sync_folder(self.folder)

    def drop_orders(self) -> None:
        """Removes what the drivers of the run have told their workers, who stop."""
        for path in list(self.folder.glob("order-*")):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Removes the folder, of which the caller holds the locks."""
        self.clear()
        with suppress(PermissionError):  # Windows keeps what is open
            for path in sorted(self.folder.iterdir(), key=lambda path: path == self.lock(SETUP)):
                path.unlink()  # the setup's lock comes last: from then on another run may begin here
            try:
                self.folder.rmdir()
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):  # it has begun, or ended
                    raise


def replace(path: Path, text: bytes) -> None:
    """Writes a small file, which is there as a whole or not at all."""
    sibling = path.with_name(f"{path.name}.{os.getpid()}")
    with sibling.open("wb") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    sibling.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk, where the system can say so."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
