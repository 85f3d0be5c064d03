"""Inspections: what the tensors of a checkpoint are like, and which of them do not look freshly initialised."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, SupportsIndex

from .._arguments.checks import integer
from .._arguments.show import show
from .._filling.lazy import Lazy
from .._initializers.constant import Fixed
from .._models.headers import Stored, read_headers
from .._models.model import Model
from .._models.parameter import Parameter
from ._inspection import Inspected, Inspection
from ._laws import Target, distance, probability, target
from ._measure import Measured, measure
from ._old import kept
from ._tally import Bins, grid, is_counted, summarize
from ._verdicts import dead, differs, suspicions

SEED = "varscale.seed"
PLAN = "varscale.plan"


class Look(NamedTuple):
    """What is found of a tensor: its row, and what a picture of its numbers needs."""

    row: Inspected
    target: Target
    bins: Bins


def inspect(
    path: str | os.PathLike[str],
    plan: Model | None = None,
    seed: SupportsIndex | None = None,
    *,
    like: str | os.PathLike[str] | None = None,
    keep: str | Sequence[str] = (),
) -> Inspection:
    """Looks at every number of a checkpoint, with as many threads as fills may use, in bounded memory.

    Args:
        path: A safetensors file, the index of several, or a folder with one or the other.
        plan: The model that the checkpoint is of; None where it is not known.
        seed: The seed that it was made with. A checkpoint that varscale has made of this very plan says it itself.
        like: The old checkpoint whose values it keeps, as in `save`: they follow no law, and are compared with it.
        keep: Patterns of the names of what is kept; all that both have without one.

    Returns:
        The tensors in the order of the file, each with its moments, its SHA-256 and, with a plan, those of its law; why
        it does not look fresh; and whether its bytes are exactly those of the plan and the seed.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: A file is none of safetensors, or cut short.
        OSError: A file cannot be read.

    Example:
        >>> import tempfile, varscale as vs
        >>> model = vs.Model({"weight": (256, 784), "bias": (256,)}, layout="torch")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = vs.checkpoint.save(model, folder, seed=7)
        ...     found = vs.checkpoint.inspect(folder, model)
        >>> [(row.name, row.exact, row.why) for row in found]
        [('bias', True, ()), ('weight', True, ())]
    """
    if plan is not None and not isinstance(plan, Model):
        msg = f"`plan` must be a Model, got {show(plan)}"
        raise TypeError(msg)
    stored, metadata = read_headers(path)
    rows = tuple(look.row for look in looks(stored, metadata, plan, seed, like, keep))
    return Inspection(rows, tuple(name for name in plan or () if name not in stored))


def looks(
    stored: Mapping[str, Stored],
    metadata: Mapping[str, str],
    plan: Model | None,
    seed: SupportsIndex | None,
    like: Any,
    keep: Any,
) -> Iterator[Look]:
    """What is found of each tensor, in order and one at a time: bins are half a megabyte."""
    if like is not None and plan is None:
        msg = f"`like` must be None where there is no `plan`, got {show(like)}"
        raise ValueError(msg)
    lazies = _makers(plan, _seed(plan, seed, metadata))
    planned: Mapping[str, Parameter] = {} if plan is None else plan
    olds = kept(like, keep, planned)
    for name, found in measure(stored, lazies, olds):
        yield _look(name, stored[name], planned.get(name), found, is_known=plan is not None, is_kept=name in olds)


def _seed(plan: Model | None, seed: SupportsIndex | None, metadata: Mapping[str, str]) -> int | None:
    """The seed given, or the one that a file of this plan says it was made with."""
    if seed is not None or plan is None:
        return None if seed is None else integer("seed", seed)
    word = metadata.get(SEED, "")
    known = metadata.get(PLAN) == plan.digest() and word.removeprefix("-").isdecimal() and len(word) < 1000
    return int(word) if known else None


def _makers(plan: Model | None, seed: int | None) -> dict[str, Lazy]:
    """The tensors whose bytes are known: all with a seed, without one those that draw nothing."""
    if plan is None:
        return {}
    if seed is not None:
        return plan.lazy(seed)
    return plan.lazy(0, [name for name, parameter in plan.items() if isinstance(parameter.initializer, Fixed)])


def _look(
    name: str, stored: Stored, parameter: Parameter | None, found: Measured, *, is_known: bool, is_kept: bool
) -> Look:
    dtype, summary = stored.dtype, summarize(stored.dtype, found.moments, found.bins)
    # The law of the plan, in the dtype of the file. Values that were trained follow none.
    has_law = parameter is not None and parameter.shape == stored.shape and not is_kept
    wanted = target(parameter._replace(dtype=dtype)) if parameter and has_law else Target()
    chance = None
    if wanted.plan is not None and is_counted(dtype) and summary.low is not None:
        bins = grid(dtype)
        counts = bins.counts(found.bins)
        chance = probability(distance(wanted.plan, counts, bins.edges), int(counts.sum()))
    # A slice of zeros needs as many of them. Hardly any tensor has that many, so that few are gone through again.
    slices = min(stored.shape[-1], stored.size // max(stored.shape[0], 1)) if stored.shape else 0
    zeros = dead(stored) if slices and (summary.zeros or 0) >= slices else None
    if found.exact:
        why = ()  # whatever they look like, they are what they should be
    else:
        why = (
            *(differs(stored, parameter) if parameter else ["the plan does not have it"] if is_known else []),
            *suspicions(stored, summary, wanted, chance, zeros),
            *(["the bytes are not those of the plan and the seed"] if found.exact is False else []),
        )
    row = Inspected(
        name, dtype.name, stored.shape, summary.mean, summary.stddev, summary.low, summary.high, summary.nans,
        summary.infinities, wanted.mean, wanted.stddev, chance, found.sha256, found.exact, why,
    )  # fmt: skip
    return Look(row, wanted, found.bins)
