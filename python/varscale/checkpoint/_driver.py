"""Drivers: one run, whose parts are made by workers of an engine, wherever these see its folder."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from socket import gethostname
from typing import Any, NamedTuple

from .._arguments.show import show
from .._core import __version__
from .._filling.threads import num_threads
from .._models.model import Model
from ._begin import DRIVER, PATIENCE, begun, part_lock
from ._config import warn_of_config
from ._disk import telling
from ._lock import locked
from ._part import make_part
from ._plan import Plan, plan
from ._publish import is_publishing
from ._save import finish, parse_out, replaces
from ._work import Work, replace

PART = 1 << 28
"""The bytes of a part, about: seconds of work."""
_MOST = 1000
_NONCE = 16
Map = Callable[[Callable[[int], int], Sequence[int]], Iterable[int]]
"""How an engine calls a function with each of some numbers: what it returns, in the order in which that comes."""


class Order(NamedTuple):
    """What a worker is told of a run. The plan lies in the run's folder, where the worker must see it."""

    version: str
    """The driver's version of varscale."""
    library: str
    """The one that makes the bytes there, with its version; "" for our own."""
    plan: Path
    digest: str
    threads: int


def save_on(
    engine: Map,
    model: Model,
    out: Any,
    seed: Any,
    *,
    threads: int,
    resume: bool,
    force: bool,
    progress: Any,
    **rest: Any,
) -> list[Path]:
    """As `save`, whose arguments these are, but an engine's workers make the parts, each by so many threads.

    The number of parts depends on the size alone, or is that of the run that goes on, which may have begun elsewhere.
    """
    folder = parse_out(out).resolve()
    work = Work(folder)
    if resume and replaces(folder, model, seed, rest["format"], rest["like"]):
        return finish(folder, force=force)
    planned = plan(model, folder, seed, _parts(work, model, resume=resume), **rest)
    places = range(1, planned.record.parts + 1)
    with begun(work, planned, places, DRIVER, resume=resume, force=force, progress=progress) as watched:
        if watched is None:
            return planned.paths(folder)
        if force:
            warn_of_config(rest["config"], folder)
        if not is_publishing(work):
            with _ordered(work, planned, threads) as order:
                for nbytes in engine(partial(make_ordered, order), places):
                    watched.advance(nbytes)
    return finish(folder, force=force)  # which sees that nobody has a lock


def _parts(work: Work, model: Model, *, resume: bool) -> int:
    with suppress(ValueError):  # of a run that cannot be read, which is told, or dropped, when this one begins
        if resume and (record := work.read()) is not None:
            return record.parts
    return max(1, min(-(-model.nbytes // PART), _MOST))


@contextmanager
def _ordered(work: Work, plan: Plan, threads: int) -> Iterator[Order]:
    """An order, which counts within a `with` statement: workers that are still at a part after it end that."""
    olds = {name: old._replace(file=old.file.absolute()) for name, old in plan.olds.items()}
    try:
        # Two orders are never equal, or a worker would go on with a part that was given to another one since.
        text = token_bytes(_NONCE) + pickle.dumps(plan._replace(olds=olds))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        msg = f"`model` must pickle where workers make its tensors, got {type(error).__name__}: {error}"
        raise TypeError(msg) from error
    work.drop_orders()  # of a driver that was killed
    digest = sha256(text).hexdigest()
    path = work.folder / f"order-{digest[:16]}"
    replace(path, text)
    try:
        yield Order(f"varscale {__version__}", plan.format.library(), path, digest, threads)
    finally:
        path.unlink(missing_ok=True)


def make_ordered(order: Order, place: int) -> int:
    """Makes a part on a worker. Returns its bytes, those that were there before included.

    Raises:
        ValueError: This worker has another version of varscale, or does not see the run's folder.
        ImportError: It lacks what the model is made of.
        BlockingIOError: Another worker, which was given up, still makes the part.
        OSError: The disk is full or fails.
    """
    _check_version(order.version, f"varscale {__version__}")
    _check_order(order)
    plan, work = _read(order), Work(order.plan.parents[1])
    _check_version(order.library, plan.format.library())
    with (
        telling(work.out),
        locked(work.lock(part_lock(place, plan.record.parts)), PATIENCE),
        num_threads(order.threads),
    ):
        _check_order(order)
        make_part(work, plan, place, lambda nbytes: _check_order(order))
    return plan.nbytes[place - 1]


def _check_version(wanted: str, found: str) -> None:
    if found != wanted:
        msg = f"workers must have {wanted}, as the driver has, got {found} on {gethostname()}"
        raise ValueError(msg)


def _check_order(order: Order) -> None:
    if not order.plan.exists():
        out = show(str(order.plan.parents[1]))
        msg = f"`out` must be one folder for all workers, {out} on {gethostname()} is another one, or its run has ended"
        raise ValueError(msg)


def _read(order: Order) -> Plan:
    text = order.plan.read_bytes()
    if sha256(text).hexdigest() != order.digest:  # nothing is unpickled that the driver did not write
        msg = f"{order.plan} must be what the driver wrote, got something else on {gethostname()}"
        raise ValueError(msg)
    try:
        plan: Plan = pickle.loads(text[_NONCE:])
    except (ImportError, AttributeError) as error:
        msg = f"workers must be able to import what the model is made of, got on {gethostname()}: {error}"
        raise ImportError(msg) from error
    return plan
