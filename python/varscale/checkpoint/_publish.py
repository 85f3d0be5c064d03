"""Publishing: a finished run's files are moved to their names, after which nothing of it is left but these."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .._arguments.show import show
from ._files import File
from ._format import Format
from ._formats import LASTS, held
from ._plan import Plan
from ._work import NAME, Record, Work, replace, sync_folder

_MARK = "publishing"
"""The file that says so, and which files of an old checkpoint go."""


def present(out: Path, record: Record) -> set[str]:
    """The files of a folder that a checkpoint would overwrite, or that would be read in its place."""
    return held(out) | {name for name in record.files if os.path.lexists(out / name)}


def _is(path: Path, text: bytes) -> bool:
    return not path.exists() or (path.is_file() and path.read_bytes() == text)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def check_free(out: Path, record: Record, others: Mapping[str, bytes], *, force: bool) -> None:
    """Raises FileExistsError where something would be overwritten without `force`, or cannot be."""
    weights = present(out, record)
    folders = [name for name in sorted({*weights, *record.names()}) if _is_folder(out / name)]
    if folders:
        msg = f"{show(str(out))} must have no folders in the places of files, got {folders[0]}: move it away"
        raise FileExistsError(msg)
    # What is there already, such as the config that was read, need not be written.
    there = sorted(weights) + [
        name for name, text in others.items() if name not in weights and not _is(out / name, text)
    ]
    if there and not force:
        names = ", ".join(there[:5])
        msg = f"{show(str(out))} must hold no checkpoint, got {names}: choose another folder, or overwrite by `force`"
        raise FileExistsError(msg)


def is_complete(out: Path, plan: Plan) -> bool:
    """Whether this very checkpoint is there: its headers, which name the plan and the seed, and its sizes."""
    return (
        all(path.exists() for path in plan.paths(out))
        and all(_begins(out / file.name, file) for file in plan.files)
        and all(_is(out / name, text) for name, text in plan.others.items())
    )


def _begins(path: Path, file: File) -> bool:
    if not path.is_file() or not file.fits(path.stat().st_size):
        return False
    with path.open("rb") as stream:
        return stream.read(len(file.header.text)) == file.header.text


def is_publishing(work: Work) -> bool:
    """Whether a run was ended while its files were being moved."""
    return (work.folder / _MARK).exists()


def publish(work: Work, format: Format, record: Record, *, force: bool) -> list[Path]:
    """Moves the files of a finished run; the one that makes a checkpoint of them comes last.

    Raises:
        FileExistsError: A checkpoint is there.
        ValueError: A file of the run is not there.
    """
    out, names = work.out, record.names()
    if not is_publishing(work):
        others = {name: (work.folder / name).read_bytes() for name in record.others}
        check_free(out, record, others, force=force)
        replace(work.folder / _MARK, "\n".join(sorted(present(out, record))).encode())
    # From here on the old checkpoint is gone: its indices first, so that no reader takes its files and ours for one.
    old = [name for name in (work.folder / _MARK).read_bytes().decode().split("\n") if NAME.fullmatch(name)]
    for name in sorted(old, key=lambda name: name not in LASTS):
        if name not in names or (name == format.last and (work.folder / name).exists()):
            (out / name).unlink(missing_ok=True)
    sync_folder(out)
    for name in names:
        if name == names[-1]:
            sync_folder(out)
        if (work.folder / name).exists():
            (work.folder / name).replace(out / name)
        elif not (out / name).exists():
            msg = f"{work.folder} must hold all files of the run, lacks {name}: remove it to drop the run"
            raise ValueError(msg)
    sync_folder(out)
    work.remove()
    sync_folder(out)
    return [out / name for name in names]
