"""Shards: the part of a tensor that a PyTorch rank holds, found from the placements of its DTensor."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .show import show

Indices = TypeVar("Indices", range, NDArray[np.int64])


class Cut(NamedTuple):
    """A dimension of the mesh that cuts an axis of the tensor."""

    shards: int
    """The number of shards that it cuts into."""
    place: int
    """The number of the shard that this rank holds."""
    split: int | None
    """The split factor of a strided placement; None for an ordinary one."""


def shard_index(
    shape: tuple[int, ...],
    local: tuple[int, ...],
    placements: Sequence[Any],
    mesh: tuple[int, ...],
    coordinate: Sequence[int],
) -> tuple[slice | NDArray[np.int64], ...]:
    """The index of a rank's shard in its tensor, with one entry per axis.

    Args:
        shape: The tensor's shape.
        local: The shard's shape, which tells which of two layouts a strided placement means.
        placements: One placement per mesh dimension. It is sharded if it has a `dim`, and strided if it has a
            `split_factor` too.
        mesh: The mesh's shape.
        coordinate: The rank's place in the mesh.

    Raises:
        ValueError: The placements lead to a shard of another shape, or are partial: the ranks' tensors are yet to be
            summed.
    """
    if any(placement.is_partial() for placement in placements):
        msg = f"`target` must be sharded or replicated, got the placements {show(tuple(placements))}"
        raise ValueError(msg)
    index: list[slice | NDArray[np.int64]] = []
    for axis, (size, mine) in enumerate(zip(shape, local, strict=True)):
        # A `dim` may count from the end.
        cuts = [
            Cut(count, place, getattr(placement, "split_factor", None))
            for placement, count, place in zip(placements, mesh, coordinate, strict=True)
            if getattr(placement, "dim", None) in {axis, axis - len(shape)}
        ]
        # FSDP's layout is tried first: it is contiguous, so that a slice can say it.
        nested = _nested(size, cuts)
        if nested is not None and len(nested) == mine:
            index.append(slice(nested.start, nested.stop))
            continue
        interleaved = _interleaved(size, cuts)
        if len(interleaved) != mine:
            meant = show(tuple(placements))
            msg = f"`target` must hold the shard that its placements {meant} mean, got one of shape {show(local)}"
            raise ValueError(msg)
        index.append(interleaved)
    return tuple(index)


def _nested(size: int, cuts: list[Cut]) -> range | None:
    """The contiguous shard that FSDP makes: it cuts each shard of tensor parallelism once more.

    FSDP's dimension comes first in the mesh but cuts last. Its placement's split factor therefore counts the shards
    that the dimensions after it had made. Where a split factor is any other number, the result is None.
    """
    for place, cut in enumerate(cuts):
        if cut.split not in {None, prod(later.shards for later in cuts[place + 1 :])}:
            return None
    # The cuts in the order in which they were made: plain ones from the left, then strided ones from the right.
    found = range(size)
    for cut in [cut for cut in cuts if cut.split is None] + [cut for cut in cuts[::-1] if cut.split is not None]:
        found = _chunk(found, cut.shards, cut.place)
    return found


def _interleaved(size: int, cuts: list[Cut]) -> NDArray[np.int64]:
    """The shard that `distribute_tensor` makes: a strided placement cuts `split` chunks, and takes a shard of each."""
    found = np.arange(size)
    for cut in cuts:
        pieces = [_chunk(found, cut.split or 1, piece) for piece in range(cut.split or 1)]
        found = np.concatenate([_chunk(piece, cut.shards, cut.place) for piece in pieces])
    return found


def _chunk(indices: Indices, count: int, place: int) -> Indices:
    """One of the chunks that `torch.chunk` makes: each has ceil(n / count) indices, the last ones fewer or none."""
    size = -(-len(indices) // count)  # rounded up
    return indices[place * size : (place + 1) * size]
