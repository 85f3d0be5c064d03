"""Layouts: which axes of a weight are its inputs and its outputs, in the words of the framework that it is of."""

from __future__ import annotations

from typing import Any, Literal, TypeVar, get_args

from .._arguments.checks import word
from .._arguments.fans import Axes
from .._initializers.variance_scaling import VarianceScaling

Layout = Literal["torch", "keras", "jax"]
LAYOUTS: tuple[str, ...] = get_args(Layout)
T = TypeVar("T")


def parse_layout(layout: Any, found: set[str]) -> str | None:
    """The layout that the user names, or else the one that the parameters bring; None for none.

    Raises:
        TypeError: `layout` is no string.
        ValueError: `layout` is another word, or None where the parameters bring several.
    """
    if layout is not None:
        return word("layout", layout, LAYOUTS)
    # The last two are one layout under two names.
    if len({brought == "torch" for brought in found}) > 1:
        words = " and ".join(sorted(found))
        msg = f"`layout` must be given where parameters are of several frameworks, got those of {words}"
        raise ValueError(msg)
    return next(iter(found), None)


def laid_out(initializer: T, rank: int) -> T:
    """The initializer for weights (out, in, *kernel), if its axes are the default ones; batch axes do not count."""
    if not isinstance(initializer, VarianceScaling) or not has_default_axes(initializer):
        return initializer
    batch = {axis % rank for axis in _axes(initializer.batch_axis)} if rank else set()
    axes = [axis for axis in range(rank) if axis not in batch]
    return initializer if len(axes) < 2 else initializer._with_axes(in_axis=axes[1], out_axis=axes[0])


def depends_on_layout(initializer: object, shape: tuple[int, ...]) -> bool:
    """Whether the values of a tensor differ between the layouts."""
    if not isinstance(initializer, VarianceScaling) or not has_default_axes(initializer):
        return False
    return initializer._variance(shape) != laid_out(initializer, len(shape))._variance(shape)


def has_default_axes(initializer: VarianceScaling) -> bool:
    """Whether the fans are those of the default axes, which are neither named nor given by hand."""
    by_hand = initializer.fan_in is not None and initializer.fan_out is not None
    return (initializer.in_axis, initializer.out_axis) == (-2, -1) and not by_hand


def stacked(initializer: T) -> T:
    """The same rule for tensors that have one more axis, in front: that of independent weights."""
    if not isinstance(initializer, VarianceScaling):
        return initializer
    ins, outs, batch = (
        tuple(axis if axis < 0 else axis + 1 for axis in _axes(axes))
        for axes in (initializer.in_axis, initializer.out_axis, initializer.batch_axis)
    )
    return initializer._with_axes(_plain(ins), _plain(outs), _plain((0, *batch)))


def placed(initializer: T, in_axis: Axes, out_axis: Axes, batch_axis: Axes = ()) -> T:
    """The same rule with these axes, unless it names axes of its own."""
    if not isinstance(initializer, VarianceScaling) or not has_default_axes(initializer):
        return initializer
    return initializer._with_axes(in_axis, out_axis, batch_axis)


def _axes(axes: Axes) -> tuple[int, ...]:
    return (axes,) if isinstance(axes, int) else axes


def _plain(axes: tuple[int, ...]) -> Axes:
    return axes[0] if len(axes) == 1 else axes
