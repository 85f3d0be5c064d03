"""Beginnings: what a run finds in its folder, and whether it may go on from there."""

from __future__ import annotations

import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from .._arguments.show import show
from .._models.progress import Progress
from ._disk import telling
from ._lock import locked
from ._plan import Plan
from ._publish import check_free, is_complete, is_publishing
from ._work import SETUP, Record, Work

DRIVER = "driver"
"""The lock of who has all parts made by others."""
PATIENCE = 10.0
"""The seconds that a part waits while another one begins."""


def part_lock(place: int, parts: int) -> str:
    """The lock of who makes a part."""
    return f"{place:d}-of-{parts:d}"


@contextmanager
def begun(
    work: Work, plan: Plan, places: Sequence[int], lock: str, *, resume: bool, force: bool, progress: Any
) -> Iterator[Progress | None]:
    """Begins these parts, and holds their lock within a `with` statement, which gets their progress.

    It gets None if the checkpoint is there already.

    Raises:
        FileExistsError: There is a checkpoint, or this one is unfinished, and nobody said what to do.
        ValueError: Another one is unfinished.
        BlockingIOError: A part is being written, or what is to be dropped.
        OSError: The folder cannot be written.
    """
    total = sum(plan.nbytes[place - 1] for place in places)
    with telling(work.out), Progress(progress, total) as watched, ExitStack() as held:
        work.out.mkdir(parents=True, exist_ok=True)
        with locked(work.lock(SETUP), PATIENCE):
            if is_to_do := _begin(work, plan, places, resume=resume, force=force):
                held.enter_context(locked(work.lock(lock)))
        yield watched if is_to_do else None


def _begin(work: Work, plan: Plan, places: Sequence[int], *, resume: bool, force: bool) -> bool:
    """Makes the folder ready for these parts; false if the checkpoint is there already. The setup must be locked."""
    found = _found(work, force=force)
    if found is None or (force and not (resume and found == plan.record)):
        check_idle(work)
        work.clear()  # also without a record: what a kill has left of another run must not count for this one
        found = None
    if found is None:
        # What was kept cannot be told by headers and sizes.
        if resume and not plan.olds and is_complete(work.out, plan):
            work.remove()
            return False
        try:
            check_free(work.out, plan.record, plan.others, force=force)
        except FileExistsError:
            work.remove()
            raise
        work.write(plan.record, plan.others)
        return True
    may_force = len(places) == plan.record.parts
    found.check(plan.record, work.out, "`force` drops it" if may_force else f"remove {work.folder} to drop it")
    publishing = is_publishing(work)
    if not publishing:
        check_free(work.out, plan.record, plan.others, force=force)
    is_begun = publishing or any(work.journal(place, found.parts).exists() for place in places)
    if is_begun and not resume:
        what = "an unfinished run" if may_force else f"the unfinished part {places[0]:d} of {found.parts}"
        anew = ", `force` begins anew" if may_force else ""
        msg = f"{show(str(work.out))} holds {what} of this checkpoint: `resume` goes on with it{anew}"
        raise FileExistsError(msg)
    if not publishing:
        _forget_lost(work, plan, places)
    return True


def _found(work: Work, *, force: bool) -> Record | None:
    try:
        return work.read()
    except ValueError:
        if not force:
            raise
        return None


def check_idle(work: Work) -> None:
    """Raises BlockingIOError where somebody makes a part. The setup must be locked: nobody begins meanwhile."""
    with locked(work.lock(DRIVER)):
        work.drop_orders()  # or a worker of a driver that was killed would begin behind us
    for path in work.folder.glob("lock-*"):
        if path not in (work.lock(SETUP), work.lock(DRIVER)):
            with locked(path):
                pass  # one after another: systems have limits of open files


def _forget_lost(work: Work, plan: Plan, places: Sequence[int]) -> None:
    """Takes the pieces of lost files out of the journals: whoever makes such a file anew fills its own pieces only.

    Only files count in which these parts lie, and only the journals of parts that lie in them are read: all parts of
    a run begin, and each would read those of all.
    """
    parts, ranges = plan.record.parts, plan.record.ranges()
    start, stop = ranges[places[0] - 1].start, ranges[places[-1] - 1].stop
    mine = range(bisect_right(plan.firsts, start) - 1, bisect_left(plan.firsts, stop)) if start < stop else range(0)
    lost = [file for file in mine if _is_lost(work, plan, file)]
    if not lost:
        return
    ends = [*plan.firsts[1:], plan.record.pieces]
    first, last = plan.firsts[lost[0]], ends[lost[-1]]
    beside = [part for part, numbers in enumerate(ranges, 1) if numbers.start < last and first < numbers.stop]
    noted = {part: done for part in beside if (done := work.finished(part, parts))}
    if not noted:
        return
    # The sizes are asked for again: what has been noted has had its file.
    gone = {number for file in lost if _is_lost(work, plan, file) for number in range(plan.firsts[file], ends[file])}
    for part, done in noted.items():
        if done & gone:
            with locked(work.lock(part_lock(part, parts))):
                work.note(part, parts, done - gone)


def _is_lost(work: Work, plan: Plan, file: int) -> bool:
    return not plan.files[file].fits(work.size(plan.files[file].name))


def check_room(work: Work, plan: Plan) -> None:
    """Raises OSError where the disk has less room than the files still need."""
    needed = sum(file.header.size - work.allocated(file.name) for file in plan.files)
    free = shutil.disk_usage(work.folder).free
    if needed > free:
        out = show(str(work.out))
        msg = f"{out} needs {needed:,} bytes more, and its disk has {free:,}: make room, or choose another folder"
        raise OSError(msg)
