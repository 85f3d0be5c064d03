"""Values: the elements of a part of a tensor as one traced program a law, dtype and shape.

What else the values depend on is an argument: the identity, the place, the bounds, and where the part begins. So many
tensors share a program, and no constants stand in a row that XLA would make one of.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..._arguments.dtypes import FLOAT_TYPES, FloatType
from ..crossing import Crossing
from .arithmetic import bits, product, rounded
from .laws import normal, truncated_normal, uniform
from .limits import edge
from .truncation import truncated
from .words import pairs
from .x64 import enable_x64

Axis: TypeAlias = "tuple[int, int, int] | Array"
"""The chosen indices of an axis: `Picks`, or a traced array."""


class Variant(NamedTuple):
    """What a program is made for."""

    law: str
    kind: str
    """The name of the dtype."""
    counts: tuple[int, ...]
    """How many indices of each axis are chosen."""
    steps: tuple[int | None, ...]
    """How far apart the numbers of neighbours are along each axis; None where a table says it."""
    shape: tuple[int, ...]
    """That of the array: without the axes that an integer dropped."""
    vanishing: bool
    """Whether products with the scale may be 0."""


class Start(NamedTuple):
    """Where a part begins in its tensor: the number of its first element, and of axes with tables those of each index.

    They have 32 bits where those do for all elements of the tensor, else 64.
    """

    number: Any
    tables: tuple[Any, ...]


def sampled(
    crossing: Crossing,
    kind: FloatType,
    full_shape: tuple[int, ...],
    axes: Sequence[Axis],
    shape: tuple[int, ...],
    identity: Any,
) -> Array:
    """The values of a crossing at these indices of each axis, as an array of `shape`; of another identity's stream."""
    with enable_x64(True):
        variant, start, place, bounds = arguments(crossing, kind, full_shape, axes, shape)
        return program(variant, identity, start, place, bounds)


def arguments(
    crossing: Crossing, kind: FloatType, full_shape: tuple[int, ...], axes: Sequence[Axis], shape: tuple[int, ...]
) -> tuple[Variant, Start, Any, Any]:
    """What `program` takes beside an identity."""
    counts, steps, start = _lines(full_shape, axes)
    vanishing = crossing.law == "truncated" or not crossing.place[1]
    place = np.array([*crossing.place, edge(crossing.place[3], kind)], kind.value)
    variant = Variant(crossing.law, kind.name, counts, steps, shape, vanishing)
    return variant, start, place, np.array(crossing.bounds, np.float64)


def _lines(full_shape: tuple[int, ...], axes: Sequence[Axis]) -> tuple[Any, Any, Start]:
    """The counts and the steps of the axes, and the start."""
    size = 1
    first, counts, steps, tables = 0, list[int](), list[int | None](), list[Any]()
    for axis, extent in zip(reversed(axes), reversed(full_shape), strict=True):
        if isinstance(axis, tuple):
            begin, step, count = axis
            first += begin * size
            steps.append(step * size % 2**64)
        else:
            count = axis.shape[0]
            steps.append(None)
            tables.append(_forward(axis, extent) * np.uint64(size % 2**64))
        counts.append(count)
        size *= extent
    # Numbers wrap as the core's do: whatever sums pass through, they end at an element.
    number = np.uint64 if size > 2**32 else np.uint32
    cut = tuple(table.astype(number) for table in reversed(tables))
    start = Start(np.array(first % 2**64, np.uint64).astype(number)[()], cut)
    return tuple(reversed(counts)), tuple(reversed(steps)), start


def _forward(indices: Any, extent: int) -> Any:
    """Indices counted from the front, as 64-bit numbers; negative ones count from the end."""
    if indices.dtype.kind == "u":
        return indices.astype(np.uint64)
    signed = indices.astype(np.int64)
    return signed.astype(np.uint64) + jnp.where(signed < 0, np.uint64(extent % 2**64), np.uint64(0))


@partial(jax.jit, static_argnums=0)
def program(variant: Variant, identity: Array, start: Start, place: Array, bounds: Array) -> Array:
    """The values of a variant."""
    kind = FLOAT_TYPES[variant.kind]
    first, second, odd = pairs(jnp.asarray(identity), _numbers(variant, start), kind.value is np.float64)
    if variant.law == "normal":
        x = normal(first, second, odd)
    else:
        word = jnp.where(odd, second, first)
        laws = {"uniform": uniform, "truncated_normal": truncated_normal}
        x = truncated(word, bounds).astype(kind.value) if variant.law == "truncated" else laws[variant.law](word)
    return rounded(_placed(x, place, variant.vanishing), kind.dtype).reshape(variant.shape)


def _numbers(variant: Variant, start: Start) -> Array:
    """The numbers of the elements, modulo 2^32 or 2^64."""
    kind = start.number.dtype
    numbers = jnp.full(variant.counts, start.number)
    tables = iter(start.tables)
    for axis, (count, step) in enumerate(zip(variant.counts, variant.steps, strict=True)):
        if step is None:
            sides = [count if other == axis else 1 for other in range(len(variant.counts))]
            numbers = numbers + next(tables).reshape(sides)
        elif count != 1:
            numbers = numbers + lax.broadcasted_iota(kind, variant.counts, axis) * np.uint64(step).astype(kind)
    return numbers


def _placed(x: Array, place: Array, vanishing: bool) -> Array:
    """Moved to x · scale + loc, kept within low and high, each step rounded."""
    loc, scale, low, high, end = (place[at] for at in range(5))
    y = product(x, scale) + loc
    if vanishing:
        # A product that is 0 has a sign, which is left where it is added to -0.
        negative = (bits(x) ^ bits(scale)) < 0
        y = jnp.where((x == 0) | (scale == 0), jnp.where(negative | (loc != 0), loc, jnp.zeros_like(loc)), y)
    y = jnp.where(y < low, low, y)
    return jnp.where(y > end, high, y)
