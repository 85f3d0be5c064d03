"""Beginnings: what a run finds in its folder, and whether it may go on from there."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from .._arguments.show import show
from ._lock import locked
from ._plan import Plan
from ._publish import check_free, is_complete, is_publishing
from ._work import SETUP, Record, Work

DRIVER = "driver"
"""The lock of who has all parts made by others."""
PATIENCE = 10.0
"""The seconds that a part waits while another one begins."""


def begin(work: Work, plan: Plan, places: Sequence[int], *, resume: bool, force: bool) -> bool:
    """Makes the folder ready for these parts; false if the checkpoint is there already. The setup must be locked.

    Raises:
        FileExistsError: There is a checkpoint, or this one is unfinished, and nobody said what to do.
        ValueError: Another one is unfinished.
        BlockingIOError: What is to be dropped is being written.
    """
    found = _found(work, force=force)
    if found is None or (force and not (resume and found == plan.record)):
        check_idle(work)
        work.clear()  # also without a record: what a kill has left of another run must not count for this one
        found = None
    if found is None:
        # What was kept cannot be told by headers and sizes.
        if resume and not plan.olds and is_complete(work.out, plan.files, plan.others, plan.record):
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
    begun = publishing or any(work.journal(place, found.parts).exists() for place in places)
    if begun and not resume:
        what = "an unfinished run" if may_force else f"the unfinished part {places[0]:d} of {found.parts}"
        anew = ", `force` begins anew" if may_force else ""
        msg = f"{show(str(work.out))} holds {what} of this checkpoint: `resume` goes on with it{anew}"
        raise FileExistsError(msg)
    if not publishing:
        _forget_lost(work, plan)
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


def _forget_lost(work: Work, plan: Plan) -> None:
    """Takes the pieces of lost files out of all journals: whoever makes such a file anew fills its own pieces only."""
    parts = plan.record.parts
    noted = {part: work.finished(part, parts) for part in range(1, parts + 1)}
    # The sizes come second: what has been noted has had its file.
    lost = {place for place, file in enumerate(plan.files) if not file.fits(work.size(file.name))}
    if not lost or not any(noted.values()):
        return
    ends = [*plan.firsts[1:], plan.record.pieces]
    gone = {number for file in lost for number in range(plan.firsts[file], ends[file])}
    for part, numbers in noted.items():
        if numbers & gone:
            with locked(work.lock(f"{part}-of-{parts}")):
                work.note(part, parts, numbers - gone)


def check_room(work: Work, plan: Plan) -> None:
    """Raises OSError where the disk has less room than the files still need."""
    needed = sum(file.header.size - work.allocated(file.name) for file in plan.files)
    free = shutil.disk_usage(work.folder).free
    if needed > free:
        out = show(str(work.out))
        msg = f"{out} needs {needed:,} bytes more, and its disk has {free:,}: make room, or choose another folder"
        raise OSError(msg)
