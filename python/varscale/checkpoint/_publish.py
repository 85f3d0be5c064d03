"""Publishing: a finished run's files are moved to their names, after which nothing of it is left but these."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .._arguments.show import show
from .._models.headers import INDEX
from ._files import WEIGHTS, File
from ._work import Record, Work, replace, sync_folder

_MARK = "publishing"


def present(out: Path, others: Mapping[str, bytes]) -> list[str]:
    """The files of a folder that a checkpoint would overwrite, or that would be read in its place."""
    weights = [path.name for path in out.iterdir() if WEIGHTS.fullmatch(path.name)] if out.is_dir() else []
    # What is there already, such as the config that was read, need not be written.
    return sorted(weights) + [name for name, text in others.items() if name != INDEX and not _is(out / name, text)]


def _is(path: Path, text: bytes) -> bool:
    return not path.exists() or (path.is_file() and path.read_bytes() == text)


def check_free(out: Path, others: Mapping[str, bytes], *, force: bool) -> None:
    """Raises FileExistsError where something would be overwritten without `force`."""
    if not force and (there := present(out, others)):
        names = ", ".join(there[:5])
        msg = f"{show(str(out))} must hold no checkpoint, got {names}: choose another folder, or overwrite by `force`"
        raise FileExistsError(msg)


def is_complete(out: Path, files: list[File], others: Mapping[str, bytes]) -> bool:
    """Whether this very checkpoint is there: its headers, which name the plan and the seed, and its sizes."""
    return all(_begins(out / file.name, file) for file in files) and all(
        (out / name).exists() and _is(out / name, text) for name, text in others.items()
    )


def _begins(path: Path, file: File) -> bool:
    if not path.is_file() or path.stat().st_size != file.header.size:
        return False
    with path.open("rb") as stream:
        return stream.read(len(file.header.text)) == file.header.text


def is_publishing(work: Work) -> bool:
    """Whether a run was ended while its files were being moved."""
    return (work.folder / _MARK).exists()


def publish(work: Work, record: Record, *, force: bool) -> list[Path]:
    """Moves the files of a finished run; the one that makes a checkpoint of them comes last.

    Raises:
        FileExistsError: A checkpoint is there.
        ValueError: A file of the run is not there.
    """
    out, names = work.out, record.names()
    if not is_publishing(work):
        others = {name: (work.folder / name).read_bytes() for name in record.others}
        check_free(out, others, force=force)
        replace(work.folder / _MARK, b"")
    # From here on the old checkpoint is gone: its index first, so that no reader takes its files and ours for one.
    for name in sorted(present(out, {}), key=lambda name: name != INDEX):
        if name not in names or (name == INDEX and (work.folder / name).exists()):
            (out / name).unlink()
    sync_folder(out)
    for name in names:
        if (work.folder / name).exists():
            (work.folder / name).replace(out / name)
        elif not (out / name).exists():
            msg = f"{work.folder} must hold all files of the run, lacks {name}: `force` begins anew"
            raise ValueError(msg)
        sync_folder(out)
    work.remove()
    sync_folder(out)
    return [out / name for name in names]
