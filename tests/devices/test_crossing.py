"""What crosses to a kernel: the elements of a part as lattices, and a source as plain numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import varscale as vs
from oracle.matrix import BOXES
from varscale._arguments.parts import indexed_part
from varscale._core import truncated_masses
from varscale._devices.crossing import LAWS, crossing, lattices, obstacle
from varscale._sources.source import Drawn, Source


def source(init: vs.Initializer, shape: tuple[int, ...] = (3, 4)) -> Source:
    """The source of a whole tensor."""
    return init._source(indexed_part(shape, ...), "float32")


def numbered(full: tuple[int, ...], index: object, strides: tuple[int, ...]) -> dict[int, int]:
    """By the place in memory the number of the element that lies there, as the lattices say."""
    found: dict[int, int] = {}
    for start, offset, axes in lattices(indexed_part(full, index), strides):
        places, numbers = np.array([offset]), np.array([start], np.uint64)
        for count, step, stride in axes:
            places = (places[:, None] + np.arange(count) * stride).ravel()
            numbers = (numbers[:, None] + np.arange(count, dtype=np.uint64) * np.uint64(step % 2**64)).ravel()
        assert [stride for *_, stride in axes] == sorted((stride for *_, stride in axes), reverse=True)
        assert not found.keys() & set(places.tolist())
        found |= dict(zip(places.tolist(), numbers.tolist(), strict=True))
    return found


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("backwards", [False, True])
def test_lattices(name: str, backwards: bool) -> None:
    """An element is made of another one's words, or lies in another one's place, or in none."""
    full, index = BOXES[name]
    part = indexed_part(full, index)
    # Axes in either order in memory, and a gap behind each.
    strides, reach = [0] * len(part.shape), 2
    for axis in sorted(range(len(part.shape)), reverse=not backwards):
        strides[axis] = reach
        reach *= part.shape[axis] + 1
    wanted: dict[int, int] = {}
    chosen = [list(map(int, axis)) for axis in part.indices()]
    kept = part.kept or [True] * len(full)
    for places in np.ndindex(*(len(axis) for axis in chosen)):
        number = 0
        for axis, place, size in zip(chosen, places, full, strict=True):
            number = number * size + axis[place]
        inside = [place for place, keep in zip(places, kept, strict=True) if keep]
        wanted[sum(place * stride for place, stride in zip(inside, strides, strict=True))] = number % 2**64
    assert numbered(full, index, tuple(strides)) == wanted


@given(st.lists(st.integers(1, 4), max_size=5))
def test_whole_tensors_are_one_run(full: list[int]) -> None:
    """A whole tensor takes a launch for each of its rows."""
    strides = [int(np.prod(full[axis + 1 :])) for axis in range(len(full))]
    (lattice,) = lattices(indexed_part(tuple(full), ...), strides)
    size = int(np.prod(full))
    assert lattice == (0, 0, ((size, 1, 1),) if size > 1 else ())


def test_columns_are_rows_of_neighbours() -> None:
    """A column shard takes a launch for each row, or for each element."""
    index = (slice(None), slice(4, 10), slice(None))
    (lattice,) = lattices(indexed_part((5, 12, 7), index), (42, 7, 1))
    assert lattice == (28, 0, ((5, 84, 42), (42, 1, 1)))


def test_laws() -> None:
    """A kernel is asked for another law than the initializer's, or without what it needs of the bounds."""
    laws = [
        (vs.RandomUniform(-0.5, 1.5, seed=1), "uniform"),
        (vs.RandomNormal(0.5, 2.0, seed=1), "normal"),
        (vs.TruncatedNormal(0.5, 2.0, seed=1), "truncated_normal"),
        (vs.TruncatedNormal(0.5, 2.0, seed=1, lower=-1.0, upper=3.0), "truncated"),
    ]
    assert {law for _, law in laws} == set(LAWS)
    for init, law in laws:
        made = source(init)
        assert isinstance(made, Drawn)
        found = crossing(made)
        assert found.law == law
        assert found.identity == made.named()
        assert found.place == made.plan[2:]
        below, above = truncated_masses(-1.0, 3.0)
        assert found.bounds == ((-1.0, 3.0, *below, *above) if law == "truncated" else ())


def test_masses() -> None:
    """The masses beside a bound are those of another law: known to 17 digits."""
    assert truncated_masses(-1.0, 3.0) == (
        [0.15865525393145705, 0.9986501019683699],
        [0.8413447460685429, 0.0013498980316300946],
    )


def test_obstacles() -> None:
    """A kernel is asked for words that it does not make."""
    assert obstacle(source(vs.lecun_normal(1))) is None
    assert obstacle(source(vs.RandomNormal(seed=vs.replay.torch(1)))) == "a replay of torch"
    assert obstacle(source(vs.Constant(np.arange(12.0)))) == "values that are not drawn"
