"""Which part a torch rank holds, against torch's own words: chunk, in order, by every dimension of the mesh."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from varscale._arguments.shards import shard_index


@dataclass(frozen=True)
class Placement:
    """What a placement of torch has, as far as an index needs it; without a `dim` it replicates."""

    partial: bool = False

    def is_partial(self) -> bool:
        return self.partial


@dataclass(frozen=True)
class Shard(Placement):
    dim: int = 0


@dataclass(frozen=True)
class Strided(Shard):
    split_factor: int = 1


def chunks(rows: np.ndarray, count: int, axis: int) -> list[np.ndarray]:
    """`torch.chunk`, and empty chunks to make up the count."""
    size = max(1, -(-rows.shape[axis] // count))
    return np.split(rows, [min(rows.shape[axis], size * piece) for piece in range(1, count)], axis)


def held(full: np.ndarray, placements: list[Placement], mesh: tuple[int, ...], place: tuple[int, ...]) -> np.ndarray:
    """The shard that `distribute_tensor` gives to the rank at a place of the mesh."""
    for placement, count, own in zip(placements, mesh, place, strict=True):
        if isinstance(placement, Strided):
            pieces = chunks(full, placement.split_factor, placement.dim)
            full = np.concatenate([chunks(piece, count, placement.dim)[own] for piece in pieces], placement.dim)
        elif isinstance(placement, Shard):
            full = chunks(full, count, placement.dim)[own]
    return full


def at(full: np.ndarray, index: tuple[slice | np.ndarray, ...]) -> np.ndarray:
    """The part of an array that an index of ours names: the open mesh."""
    every = [np.arange(size)[entry] for size, entry in zip(full.shape, index, strict=True)]
    return full[np.ix_(*every)]


placements = st.one_of(
    st.just(Placement()),
    st.builds(Shard, st.just(False), st.integers(-2, 1)),
    st.builds(Strided, st.just(False), st.integers(0, 1), st.integers(1, 4)),
)


@given(
    shape=st.tuples(st.integers(0, 17), st.integers(0, 17)),
    cuts=st.lists(st.tuples(placements, st.integers(1, 4)), min_size=1, max_size=3),
)
def test_every_rank_of_every_mesh(shape: tuple[int, int], cuts: list[tuple[Placement, int]]) -> None:
    """If this fails a rank fills its shard with another rank's values."""
    full = np.arange(prod(shape)).reshape(shape)
    own, mesh = [placement for placement, _ in cuts], tuple(count for _, count in cuts)
    for position, placement in enumerate(own):
        if isinstance(placement, Strided):
            later = [
                n for other, n in cuts[position + 1 :] if isinstance(other, Shard) and other.dim % 2 == placement.dim
            ]
            # Such a split factor means FSDP's layout, which the next test has.
            assume(prod(later) != placement.split_factor or placement.split_factor == 1)
    for place in product(*map(range, mesh)):
        expected = held(full, own, mesh, place)
        assert np.array_equal(at(full, shard_index(shape, expected.shape, own, mesh, place)), expected)


@given(size=st.integers(0, 60), outer=st.integers(1, 6), inner=st.integers(2, 6))
def test_fsdp_cuts_what_tensor_parallelism_has_cut(size: int, outer: int, inner: int) -> None:
    """If this fails the uneven shards of FSDP2 over tensor parallelism are filled with their neighbours' values."""
    full, own = np.arange(size)[:, None], [Strided(False, 0, inner), Shard(False, 0)]
    for place in product(range(outer), range(inner)):
        expected = chunks(chunks(full, inner, 0)[place[1]], outer, 0)[place[0]]
        if len(expected):
            index = shard_index((size, 1), expected.shape, own, (outer, inner), place)
            assert isinstance(index[0], slice), "contiguous, as that memory is"
            assert np.array_equal(at(full, index), expected)


def test_vocabulary_of_gpt2_over_four_by_two() -> None:
    """If this fails the last ranks of a real model are refused: there torch's own placements mean other shards."""
    placed = [Strided(False, 0, 2), Shard(False, 0)]
    assert shard_index((50257, 768), (6280, 768), placed, (4, 2), (3, 0)) == (slice(18849, 25129), slice(0, 768))
    assert shard_index((50257, 768), (6282, 768), placed, (4, 2), (3, 1)) == (slice(43975, 50257), slice(0, 768))


def test_what_is_no_shard() -> None:
    """If this fails memory is filled that belongs to no part of the tensor."""
    with pytest.raises(ValueError, match="`target` must be sharded or replicated, got the placements"):
        shard_index((4, 4), (4, 4), [Placement(True)], (2,), (0,))
    with pytest.raises(ValueError, match="`target` must hold the shard that its placements"):
        shard_index((9, 4), (3, 4), [Shard()], (2,), (0,))
