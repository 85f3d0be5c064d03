"""Parts: what of a checkpoint is made here, but for what the disk has already."""

from __future__ import annotations

from collections.abc import Callable

from ._begin import check_room
from ._fill import fill
from ._plan import Plan
from ._work import Work


def make_part(work: Work, plan: Plan, place: int, report: Callable[[int], object]) -> None:
    """Makes a part, whose lock the caller holds; `report` gets the bytes that have reached the disk since.

    Raises:
        OSError: The disk is full or fails.
        ValueError: The part's journal is none.
    """
    check_room(work, plan)
    done = work.finished(place, plan.record.parts)
    if done:
        report(sum(piece.nbytes for piece in plan.part(place) if piece.number in done))
    todo = (piece for piece in plan.part(place) if piece.number not in done)
    writer = plan.format.writer(work, plan.files, work.journal(place, plan.record.parts))
    fill(todo, plan.tensors, plan.olds, writer, report)
