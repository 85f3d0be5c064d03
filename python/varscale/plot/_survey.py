"""Surveys: all that a page or a picture shows of a checkpoint, found in one pass over its numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from math import inf, prod
from pathlib import Path
from typing import Any, NamedTuple, SupportsIndex

from numpy.typing import NDArray

from .._models.headers import FORMATS, Stored, read_headers
from .._models.model import Model, model_layout
from ..checkpoint._inspect import looks
from ..checkpoint._inspection import Inspected
from ..checkpoint._laws import Target
from ..checkpoint._read import PIECE, read_pieces
from ._chain import Chain, chain
from ._forward import ACTIVATIONS, Layer, forward
from ._histogram import Histogram, histogram
from ._names import place

SHOWN = ("linear", "relu", "tanh")
"""The activations that a page shows: a checkpoint does not tell its own."""


class Tensor(NamedTuple):
    """A tensor as pictures show it."""

    row: Inspected
    target: Target
    histogram: Histogram | None
    depth: int | None
    """The number of its layer."""

    @property
    def spread(self) -> float | None:
        """Its standard deviation; infinite where none of its numbers is one."""
        return inf if self.row.stddev is None and self.row.nans else self.row.stddev


class Kind(NamedTuple):
    """Tensors whose names differ by the numbers of layers alone."""

    name: str
    tensors: tuple[Tensor, ...]
    """In the order of these numbers."""

    @property
    def suspects(self) -> int:
        """How many of them do not look fresh."""
        return sum(bool(tensor.row.why) for tensor in self.tensors)


class Signal(NamedTuple):
    """The signal that goes through a plain chain."""

    chain: Chain
    by_activation: dict[str, tuple[float, ...]]
    """The root mean square of the inputs and of each layer's outputs."""


class Survey(NamedTuple):
    """What is found of a checkpoint."""

    name: str
    """The name of its file."""
    nbytes: int
    kinds: tuple[Kind, ...]
    """Those with suspects first, then as names and numbers are read."""
    missing: tuple[str, ...]
    """The names that the plan has and the checkpoint has not."""
    has_plan: bool
    signal: Signal | str
    """The signal; or why there is none, where the tensors are no plain chain."""

    @property
    def tensors(self) -> Iterator[Tensor]:
        """All tensors, kind by kind."""
        return (tensor for kind in self.kinds for tensor in kind.tensors)

    @property
    def suspects(self) -> tuple[Tensor, ...]:
        """The tensors that do not look freshly initialised."""
        return tuple(tensor for tensor in self.tensors if tensor.row.why)


def survey(
    path: str | os.PathLike[str], plan: Model | None, seed: SupportsIndex | None, like: Any = None, keep: Any = ()
) -> Survey:
    """Looks at every number of a checkpoint. The arguments are those of `inspect`.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: A file is none of safetensors, or cut short.
        OSError: A file cannot be read.
    """
    stored, metadata = read_headers(path)
    tensors = [
        Tensor(look.row, look.target, histogram(look, stored[look.row.name].dtype), _depth(look.row.name))
        for look in looks(stored, metadata, plan, seed, like, keep)
    ]
    return Survey(
        Path(os.fsdecode(path)).resolve().name,
        sum(held.nbytes for held in stored.values()),
        _kinds(tensors),
        tuple(name for name in plan or () if name not in stored),
        plan is not None,
        _signal(stored, (model_layout(plan) if plan is not None else None) or FORMATS.get(metadata.get("format", ""))),
    )


def _depth(name: str) -> int | None:
    numbers = place(name).numbers
    return numbers[0] if numbers else None


def _kinds(tensors: list[Tensor]) -> tuple[Kind, ...]:
    groups: dict[tuple[str, int], list[Tensor]] = {}
    for tensor in sorted(tensors, key=lambda tensor: place(tensor.row.name)):
        # A sequence numbers layers of all kinds: matrices are no vectors.
        groups.setdefault((place(tensor.row.name).kind, len(tensor.row.shape)), []).append(tensor)
    kinds = [
        Kind(name if len(held) > 1 else held[0].row.name, tuple(held)) for (name, _), held in sorted(groups.items())
    ]
    return tuple(sorted(kinds, key=lambda kind: not kind.suspects))


def _signal(stored: Mapping[str, Stored], layout: str | None) -> Signal | str:
    try:
        found = chain({name: tensor.shape for name, tensor in stored.items()}, layout)
    except ValueError as error:
        return str(error)
    shapes = [stored[name].shape for name in found.weights]
    layers = [
        Layer(name, bias, shape[0 if found.out_first else 1])
        for name, bias, shape in zip(found.weights, found.biases, shapes, strict=True)
    ]
    run = partial(forward, layers, partial(_rows, stored), shapes[0][1 if found.out_first else 0])
    return Signal(found, {name: tuple(run(out_first=found.out_first, activation=ACTIVATIONS[name])) for name in SHOWN})


def _rows(stored: Mapping[str, Stored], name: str) -> Iterator[NDArray[Any]]:
    """The rows of a tensor, as many at a time as make a piece."""
    tensor = stored[name]
    width = prod(tensor.shape[1:])
    lines = max(1, PIECE // max(width * tensor.dtype.itemsize, 1))
    if tensor.nbytes:
        for piece in read_pieces(tensor, most=lines * width * tensor.dtype.itemsize):
            yield piece.view(tensor.dtype).reshape(-1, *tensor.shape[1:])
