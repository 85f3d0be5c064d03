"""Saving: a model's first weights as a checkpoint, by one run or by several."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, SupportsIndex

from .._arguments.checks import boolean, integer
from .._arguments.layouts import Layout
from .._arguments.show import show
from .._models.model import Model
from ._begin import PATIENCE, begun, check_idle, part_lock
from ._config import warn_of_config
from ._disk import telling
from ._formats import parse_format
from ._lock import locked
from ._part import make_part
from ._plan import plan
from ._publish import is_publishing, publish
from ._work import SETUP, Work

PARTS = 10_000
"""The most parts of a checkpoint."""


def save(
    model: Model,
    out: str | os.PathLike[str],
    seed: SupportsIndex,
    *,
    format: str = "safetensors",
    max_shard: int | str = "5GB",
    layout: Layout | None = None,
    config: str | os.PathLike[str] | None = None,
    like: str | os.PathLike[str] | None = None,
    keep: str | Iterable[str] = (),
    part: tuple[int, int] = (1, 1),
    resume: bool = False,
    force: bool = False,
    progress: bool | Callable[[int, int], object] = False,
) -> list[Path]:
    """Writes a model's first weights as a checkpoint, which may be larger than memory.

    Files of safetensors are those that transformers would write of these tensors. Their values are those of
    `model.init(seed)`, whatever the threads, the parts and the machine. They get their names when all of them are on
    the disk. A run that was ended leaves its work in the folder `.varscale` beside them, from which `resume=True` goes
    on.

    Args:
        model: The model.
        out: The folder. It is made where it is not there.
        seed: Any integer.
        format: "safetensors"; "npy" for a folder of files as `numpy.save` writes them, one for each tensor, and an
            index; "dcp" for a checkpoint of torch.distributed, as torch writes it.
        max_shard: The most bytes of a file, an integer or such as "5GB". A larger tensor has a file of its own.
        layout: The layout that the files tell their readers; None for that of the model, if it has one.
        config: A config.json, which is copied beside the files. That of `out` itself stays where it is. Where `force`
            finds one and this is None, it may be that of an old network: it stays, and a UserWarning says so.
        like: An old checkpoint: a safetensors file, an index, or a folder. What it has of the model's tensors is kept:
            its values are the first rows, and only the rows that follow are drawn.
        keep: The pattern, or patterns, of names to keep of `like`; all if not given.
        part: (i, n) for the i-th of n parts, counted from 1. Each may run on a machine of its own, all with the same
            arguments and one folder. `finish` comes last.
        resume: Whether to go on where an earlier run was ended. One that has not begun begins, and one that is finished
            is left as it is.
        force: Whether to overwrite a checkpoint, and to drop an unfinished run.
        progress: As for `Model.init`; the bytes that the disk has count.

    Returns:
        The paths of the files; of a part none.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, or another run is unfinished in the folder.
        FileExistsError: The folder has a checkpoint, or this run is unfinished there.
        BlockingIOError: Another process writes into the folder. The message says which.
        OSError: The disk is full, the folder cannot be written, or a file cannot be read.

    Example:
        >>> import tempfile, varscale as vs
        >>> model = vs.Model({"weight": (256, 784), "bias": (256,)}, layout="torch")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [path.name for path in vs.checkpoint.save(model, folder, seed=7)]
        ['model.safetensors']
    """
    folder, (place, parts) = parse_out(out), _parse_part(part)
    resumed = boolean("resume", resume)
    if boolean("force", force) and parts > 1:
        msg = "`force` must stand without `part`: remove what is in the folder, or give it to `finish`"
        raise ValueError(msg)
    if resumed and replaces(folder, model, seed, format, like):
        return finish(folder, force=force)
    planned = plan(
        model,
        folder,
        seed,
        parts,
        format=format,
        max_shard=max_shard,
        layout=layout,
        config=config,
        like=like,
        keep=keep,
    )
    work, places = Work(folder), range(place, place + 1)
    with begun(
        work, planned, places, part_lock(place, parts), resume=resumed, force=force, progress=progress
    ) as watched:
        if watched is None:
            return planned.paths(folder)
        if force:
            warn_of_config(config, folder)
        if not is_publishing(work):
            make_part(work, planned, place, watched.advance)
        if parts > 1:
            return []
        with locked(work.lock(SETUP), PATIENCE):
            if not is_publishing(work):
                planned.format.seal(work, planned.record)
            return publish(work, planned.format, planned.record, force=force)


def finish(out: str | os.PathLike[str], *, force: bool = False) -> list[Path]:
    """Makes a checkpoint of the parts that `save(…, part=(i, n))` has made, once all of them are there.

    Args:
        out: The folder of the parts.
        force: Whether to overwrite a checkpoint.

    Returns:
        The paths of the files.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The folder holds no parts, or not all of them: the message says which are missing.
        FileExistsError: The folder has a checkpoint.
        BlockingIOError: A part is still being written. The message says by whom.
        OSError: The folder cannot be written.
    """
    folder = parse_out(out)
    forced = boolean("force", force)
    work = Work(folder)
    if work.read() is None:
        msg = f"`out` must be a folder with parts of a checkpoint, got {show(str(folder))}"
        raise ValueError(msg)
    with telling(folder), locked(work.lock(SETUP), PATIENCE):
        if (record := work.read()) is None:
            work.remove()
            msg = f"`out` must be a folder with parts of a checkpoint, another process has finished {folder}"
            raise ValueError(msg)
        check_idle(work)
        made = parse_format(record.format)
        if not is_publishing(work):
            work.check_whole(record)
            made.seal(work, record)
        return publish(work, made, record, force=forced)


def replaces(folder: Path, model: Any, seed: Any, format: Any, like: Any) -> bool:
    """Whether this run was ended while its files took the places of those that it keeps, which may be gone by now."""
    work = Work(folder)
    if like is None or not isinstance(model, Model) or not is_publishing(work):
        return False
    inside = folder.resolve() in (old := Path(os.fsdecode(like)).resolve(), old.parent)
    with suppress(ValueError):  # of a run that cannot be read, which is told, or dropped, when this one begins
        if inside and (record := work.read()) is not None:
            return (record.format, record.plan, record.seed) == (format, model.digest(), str(integer("seed", seed)))
    return False


def parse_out(out: Any) -> Path:
    """The folder of a checkpoint, which needs not be there."""
    if not isinstance(out, str | os.PathLike):
        msg = f"`out` must be the path of a folder, got {show(out)}"
        raise TypeError(msg)
    text = os.fsdecode(out)
    folder = Path(text.replace("\0", "/"))
    if "\0" in text or folder.suffix == ".safetensors" or (folder.exists() and not folder.is_dir()):
        msg = f"`out` must be a folder, in which the files get names of their own, got {show(text)}"
        raise ValueError(msg)
    return folder


def _parse_part(part: Any) -> tuple[int, int]:
    if not isinstance(part, tuple) or len(part) != 2:
        msg = f"`part` must be a tuple (i, n), got {show(part)}"
        raise TypeError(msg)
    place, parts = (integer("part", number) for number in part)
    if not 1 <= place <= parts <= PARTS:
        msg = f"`part` must be (i, n) with i from 1 to n, and n at most {PARTS:,}, got {show(part)}"
        raise ValueError(msg)
    return place, parts
