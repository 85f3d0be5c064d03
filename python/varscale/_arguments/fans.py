"""Fans: how many inputs and outputs one unit of a weight tensor has."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from .checks import integer

Axes = int | tuple[int, ...]
AxesLike = int | Sequence[int]


def parse_axes(name: str, axes: Any) -> Axes:
    """An int, or a tuple of ints from any sequence of them."""
    if isinstance(axes, Sequence) and not isinstance(axes, str | bytes):
        return tuple(integer(name, axis) for axis in axes)
    return integer(name, axes)


def compute_fans(
    shape: tuple[int, ...], in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = ()
) -> tuple[int, int]:
    """`(fan_in, fan_out)` of a weight tensor.

    With the default axes as in TensorFlow: a scalar has (1, 1), a vector (n, n), a matrix (rows, columns), and a
    kernel of rank 3 or more (spatial..., in, out) has its spatial size times in, and times out. With other axes as in
    JAX: the axes that are neither in, out nor batch are the receptive field, which multiplies both; batch axes
    (stacked experts, say) multiply neither.

    Raises:
        ValueError: An axis that the shape does not have, or one named twice.
    """
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
    if len({*ins, *outs, *batches}) < len(ins) + len(outs) + len(batches):
        msg = (
            f"`in_axis`, `out_axis` and `batch_axis` must not share an axis, "
            f"got {in_axis}, {out_axis} and {batch_axis} for the shape {shape}"
        )
        raise ValueError(msg)
    field = prod(size for axis, size in enumerate(shape) if axis not in {*ins, *outs, *batches})
    return field * prod(shape[axis] for axis in ins), field * prod(shape[axis] for axis in outs)


def _within(shape: tuple[int, ...], name: str, axes: Axes) -> list[int]:
    """The axes counted from the front."""
    found = []
    for axis in (axes,) if isinstance(axes, int) else axes:
        if not -len(shape) <= axis < len(shape):
            msg = f"`{name}` must name an axis of the shape {shape}, got {axis}"
            raise ValueError(msg)
        found.append(axis % len(shape))
    return found
