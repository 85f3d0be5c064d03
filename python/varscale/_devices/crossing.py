"""Crossings: what a kernel takes of a source and of a part, as plain numbers."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np

from .._arguments.index import Picks
from .._arguments.parts import Part
from .._core import truncated_masses
from .._sources.plan import STANDARD_BOUNDS, Plan
from .._sources.source import Drawn, Source

LAWS = ("uniform", "normal", "truncated_normal", "truncated")
"""The laws that kernels know. The last one is the truncated normal law at other bounds than `STANDARD_BOUNDS`."""


DTYPES = ("float16", "bfloat16", "float32", "float64")
"""The dtypes that kernels write."""


class Crossing(NamedTuple):
    """A law, the place of its values, and the stream whose words they are made of."""

    law: str
    bounds: tuple[float, ...]
    """Of the law "truncated": both bounds, the masses below them, and the masses above them. Else nothing."""
    place: tuple[float, float, float, float]
    """`loc`, `scale`, `low` and `high`, as in `Plan`."""
    identity: bytes

    def numbers(self) -> tuple[int, ...]:
        """The halves of the identity, and the bits of the real parameters, as all kernels take them."""
        return struct.unpack("<12Q", self.identity + struct.pack("<10d", *self.place, *(self.bounds or (0.0,) * 6)))

    def is_a_quotient(self, wide: bool) -> bool:
        """Whether values are float32 quotients, of which there is a faster way."""
        return self.law == "truncated_normal" and not wide

    def is_kept_from_zero(self, wide: bool) -> bool:
        """Whether neither `low` nor `high` is a zero, in float64 or in float32."""
        return bool(np.array(self.place[2:], np.float64 if wide else np.float32).all())


class Lattice(NamedTuple):
    """Elements whose numbers in the tensor, and whose places in memory, grow evenly along each axis."""

    start: int
    """The number of the first element, below 2^64."""
    offset: int
    """Its place in memory, counted in elements from the tensor's own first one."""
    axes: tuple[tuple[int, int, int], ...]
    """Of each axis the count, the step of the numbers and the step in memory. The steps in memory fall."""


def obstacle(source: Source) -> str | None:
    """Why no kernel makes the values of a source; None where one does."""
    if not isinstance(source, Drawn):
        return "values that are not drawn"
    if isinstance(source.stream, tuple):
        return f"a replay of {source.stream[0]}"
    if source.kind.name not in DTYPES:
        return f"of the dtype {source.kind.name}"
    return None if law_of(source.plan) in LAWS else f"the law {source.plan.law}"


def law_of(plan: Plan) -> str:
    """The law of a plan, as kernels know it."""
    return "truncated" if plan.law == "truncated_normal" and plan.bounds != STANDARD_BOUNDS else plan.law


def crossing(source: Drawn) -> Crossing:
    """What crosses of a source that has no obstacle. An unseeded call takes its number here."""
    plan, identity = source.plan, source.named()
    assert isinstance(identity, bytes)
    law, bounds = law_of(plan), tuple[float, ...]()
    if law == "truncated":
        below, above = truncated_masses(*plan.bounds)
        bounds = (*plan.bounds, *below, *above)
    return Crossing(law, bounds, (plan.loc, plan.scale, plan.low, plan.high), identity)


def lattices(part: Part, strides: Sequence[int]) -> Iterator[Lattice]:
    """The elements of a part that lies in memory with these strides, counted in elements."""
    picks = part.axes()
    kept = part.kept or [True] * len(picks)
    left = iter(strides)
    # An axis that an integer dropped has one index, and no stride.
    memory = [next(left) if keep else 0 for keep in kept]
    sides, number = list[list[tuple[int, int, tuple[int, int, int]]]](), 1
    for pick, size, stride in zip(reversed(picks), reversed(part.full_shape), reversed(memory), strict=True):
        sides.insert(
            0, [(start * number, at * stride, (count, step * number, stride)) for at, start, step, count in _runs(pick)]
        )
        number *= size
    for chosen in product(*sides):
        start, offset = sum(first for first, _, _ in chosen), sum(at for _, at, _ in chosen)
        yield Lattice(start % 2**64, offset, _merged([axis for *_, axis in chosen]))


def _runs(pick: Picks) -> Iterator[tuple[int, int, int, int]]:
    """The indices of an axis as evenly spaced ones: the place of the first, itself, the step and the count."""
    if isinstance(pick, tuple):
        yield (0, *pick)
        return
    # Neighbours, as shards have them. A list of any others becomes a run for each.
    ends = [0, *(np.flatnonzero(np.diff(pick) != 1) + 1).tolist(), len(pick)]
    for begin, end in pairwise(ends):
        yield begin, int(pick[begin]), 1, end - begin


def _merged(axes: list[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
    """The axes in the order of memory, without those of one index; neighbours that go on in each other are one."""
    found: list[tuple[int, int, int]] = []
    for count, step, stride in sorted((axis for axis in axes if axis[0] != 1), key=lambda axis: -axis[2]):
        if found and found[-1][1:] == (count * step, count * stride):
            count *= found.pop()[0]
        found.append((count, step, stride))
    return tuple(found)
