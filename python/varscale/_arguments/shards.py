"""Shards: which part of a tensor a PyTorch rank holds, by the placements of its DTensor."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Indices = TypeVar("Indices", range, NDArray[np.int64])


class Cut(NamedTuple):
    """One dimension of a mesh that cuts an axis."""

    shards: int
    """Into how many shards."""
    place: int
    """Which of them this rank holds."""
    split: int | None
    """The split factor of a strided placement."""


def shard_index(
    shape: tuple[int, ...],
    local: tuple[int, ...],
    placements: Sequence[Any],
    mesh: tuple[int, ...],
    coordinate: Sequence[int],
) -> tuple[slice | NDArray[np.int64], ...]:
    """The index of a rank's shard in its tensor, an entry an axis.

    Args:
        shape: The tensor's shape.
        local: The shard's shape, which tells apart the two layouts that strided placements may mean.
        placements: One a mesh dimension: sharded where it has a `dim`, strided where it has a `split_factor` too.
        mesh: The mesh's shape.
        coordinate: The rank's place in it.

    Raises:
        ValueError: Placements that do not lead to a shard of this shape, or that leave sums to be made.
    """
    if any(placement.is_partial() for placement in placements):
        msg = f"`target` must be sharded or replicated, got the placements {tuple(placements)}"
        raise ValueError(msg)
    index: list[slice | NDArray[np.int64]] = []
    for axis, (size, mine) in enumerate(zip(shape, local, strict=True)):
        cuts = [
            Cut(count, place, getattr(placement, "split_factor", None))
            for placement, count, place in zip(placements, mesh, coordinate, strict=True)
            if getattr(placement, "dim", None) in {axis, axis - len(shape)}
        ]
        nested = _nested(size, cuts)
        if nested is not None and len(nested) == mine:
            index.append(slice(nested.start, nested.stop))
            continue
        interleaved = _interleaved(size, cuts)
        if len(interleaved) != mine:
            msg = f"`target` must hold the shard that its placements {tuple(placements)} mean, got one of shape {local}"
            raise ValueError(msg)
        index.append(interleaved)
    return tuple(index)


def _nested(size: int, cuts: list[Cut]) -> range | None:
    """A contiguous shard, as FSDP makes it: it cuts again what tensor parallelism has cut before.

    The mesh names FSDP's dimension first, so the split factor of its placement is the number of shards that it found.
    None where a split factor is another.
    """
    for place, cut in enumerate(cuts):
        if cut.split not in {None, prod(later.shards for later in cuts[place + 1 :])}:
            return None
    found = range(size)
    for cut in [cut for cut in cuts if cut.split is None] + [cut for cut in cuts[::-1] if cut.split is not None]:
        found = _chunk(found, cut.shards, cut.place)
    return found


def _interleaved(size: int, cuts: list[Cut]) -> NDArray[np.int64]:
    """A shard as `distribute_tensor` makes it: a strided placement takes a piece of each of `split` pieces."""
    found = np.arange(size)
    for cut in cuts:
        pieces = [_chunk(found, cut.split or 1, piece) for piece in range(cut.split or 1)]
        found = np.concatenate([_chunk(piece, cut.shards, cut.place) for piece in pieces])
    return found


def _chunk(indices: Indices, count: int, place: int) -> Indices:
    """As `torch.chunk`: every piece has ceil(n / count), the last ones fewer or none."""
    size = -(-len(indices) // count)
    return indices[place * size : (place + 1) * size]
