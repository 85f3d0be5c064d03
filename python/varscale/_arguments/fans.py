"""Fans: how many inputs and outputs one unit of a weight tensor has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import prod
from typing import Any, Literal

from .checks import integer, real
from .shapes import MOST_DIMENSIONS
from .show import show

Axes = int | tuple[int, ...]
AxesLike = int | Sequence[int]
Rest = Literal["rest"]
"""The axes that are neither inputs nor outputs."""
_MOST = 2**500
"""Fans up to here, and their products, are far from where float64 ends."""


def parse_axes(name: str, axes: Any) -> Axes:
    """`axes` as an int, or as a tuple of ints where it is a sequence."""
    if not isinstance(axes, Sequence) or isinstance(axes, str | bytes):
        return integer(name, axes)
    # Before the axes themselves are looked at: there may be millions of them.
    named = tuple(islice(axes, MOST_DIMENSIONS + 1))
    if len(named) > MOST_DIMENSIONS:
        msg = f"`{name}` must name at most {MOST_DIMENSIONS} axes, got {show(axes)}"
        raise ValueError(msg)
    return tuple(integer(name, axis) for axis in named)


def parse_fan(name: str, fan: Any) -> float | None:
    """A fan that is given by hand, as an int where it is one; None for none."""
    if fan is None:
        return None
    number = real(name, fan)
    if not 1 <= number <= _MOST:  # less than 1 would count as 1, in silence
        msg = f"`{name}` must be a number from 1 to 2^500, or None, got {show(fan)}"
        raise ValueError(msg)
    return int(number) if number.is_integer() else number


def compute_fans(
    shape: tuple[int, ...], in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = ()
) -> tuple[int, int]:
    """The fans of a weight tensor: `(fan_in, fan_out)`.

    The default axes give TensorFlow's fans: (1, 1) for a scalar, (n, n) for a vector and (rows, columns) for a matrix.
    A kernel of rank 3 or more, (spatial..., in, out), has its spatial size times in, and its spatial size times out.

    Other axes give JAX's fans. The axes that are neither in, out nor batch are the receptive field, whose size
    multiplies both fans; batch axes (stacked experts, say) multiply neither.

    Raises:
        ValueError: The shape lacks an axis, an axis is named twice, or the fans may be too large for float64.
    """
    # Only an empty tensor has such sizes: any other has at most 2^64 elements.
    if shape and max(shape) > 2**53 and prod(size for size in shape if size) > _MOST:
        msg = f"`shape` must have fans that float64 holds, got {show(shape)}"
        raise ValueError(msg)
    # JAX refuses scalars and vectors here; TensorFlow has fans for them, and the default axes are TensorFlow's.
    if in_axis == -2 and out_axis == -1 and batch_axis == ():
        rank = len(shape)
        if rank == 2:
            return shape[0], shape[1]
        if rank < 2:
            return (shape[0], shape[0]) if rank else (1, 1)
        field = prod(shape[:-2])
        return shape[-2] * field, shape[-1] * field
    ins, outs, batches = (
        _within(shape, name, axes)
        for name, axes in (("in_axis", in_axis), ("out_axis", out_axis), ("batch_axis", batch_axis))
    )
    # Counted from the front, an axis that is named as 1 here and as -1 there is one axis.
    if len({*ins, *outs, *batches}) < len(ins) + len(outs) + len(batches):
        msg = (
            f"`in_axis`, `out_axis` and `batch_axis` must not share an axis, "
            f"got {show(in_axis)}, {show(out_axis)} and {show(batch_axis)} for the shape {show(shape)}"
        )
        raise ValueError(msg)
    field = prod(size for axis, size in enumerate(shape) if axis not in {*ins, *outs, *batches})
    return field * prod(shape[axis] for axis in ins), field * prod(shape[axis] for axis in outs)


def _within(shape: tuple[int, ...], name: str, axes: Axes) -> list[int]:
    """The axes as a list, each counted from the front and inside the shape."""
    found = []
    for axis in (axes,) if isinstance(axes, int) else axes:
        if not -len(shape) <= axis < len(shape):
            msg = f"`{name}` must name an axis of the shape {show(shape)}, got {show(axis)}"
            raise ValueError(msg)
        found.append(axis % len(shape))
    return found
