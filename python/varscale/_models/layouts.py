"""Layouts: which axes of a weight are its inputs and its outputs, in the words of the framework that it is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

from .._arguments.checks import word
from .._arguments.fans import Axes
from .._arguments.layouts import LAYOUTS, USUAL, as_tuple, axes_of
from .._initializers.builtin import Builtin
from .._initializers.kernels import Dirac, Kernel
from .._initializers.orthogonal import DeltaOrthogonal, Orthogonal
from .._initializers.pieces import Pieces
from .._initializers.variance_scaling import VarianceScaling

T = TypeVar("T")


class Fans(NamedTuple):
    """The axes of a weight, torch's (out, in, *kernel) by default, and its fans where they do not tell these."""

    in_axis: Axes = 1
    out_axis: Axes = 0
    fan_in: int | None = None
    fan_out: int | None = None
    blocks: int = 1
    """Independent matrices along the out axis, such as gates."""
    groups: int = 1
    """Those of a convolution, which its fans count already."""
    batch: int = 0
    """The leading axes along which layers are stacked, each with a weight of its own."""


def parse_layout(layout: Any, found: set[str]) -> str | None:
    """The layout that the user names, or else the one that the parameters bring; None for none.

    Raises:
        TypeError: `layout` is no string.
        ValueError: `layout` is another word, or None where the parameters bring several.
    """
    if layout is not None:
        return word("layout", layout, LAYOUTS)
    if len({axes_of(brought, 3) for brought in found}) > 1:  # that of Keras and of JAX is one
        words = " and ".join(sorted(found))
        msg = f"`layout` must be given where parameters are of several frameworks, got those of {words}"
        raise ValueError(msg)
    return next(iter(found), None)


def laid_out(initializer: T, rank: int, fans: Fans | None = None, layout: str = "torch") -> T:
    """The initializer for a weight of a layout, if its axes are the default ones; batch axes do not count.

    A layer may tell the axes of its weight, and its fans.
    """
    usual = axes_of(layout, rank) == USUAL

    def change(init: VarianceScaling) -> VarianceScaling:
        if init.batch_axis == "rest" or not has_default_axes(init):
            return init
        stacks = tuple(range(fans.batch)) if fans is not None and init.batch_axis == () else init.batch_axis
        batch = {axis % rank for axis in as_tuple(stacks)} if rank else set()
        axes = [axis for axis in range(rank) if axis not in batch]
        if len(axes) < 2:
            return init
        if init.depthwise or (init.transposed and fans is None):
            return init._with_layout(layout)
        if usual and fans is None:
            return init
        found = fans or Fans(*axes_of(layout, rank))
        ins, outs = (_plain(tuple(axes[axis] for axis in as_tuple(named))) for named in (found.in_axis, found.out_axis))
        return init._with_axes(ins, outs, stacks)._with_fans(fan_in=found.fan_in, fan_out=found.fan_out)

    def turn(init: Orthogonal) -> Orthogonal:
        found = fans or Fans(*axes_of(layout, rank))
        if found.batch:
            return stacked(init)
        return _turned(init, found.out_axis, found.blocks) if rank >= 2 else init

    changed = each(each(initializer, change), turn, Orthogonal)

    def name(init: Any) -> Any:
        named = init if usual else init._with_layout(layout)
        # A layer of torch knows its groups.
        return named._grouped(fans.groups) if fans is not None and isinstance(named, Dirac) else named

    for kind in (Kernel, DeltaOrthogonal):
        changed = each(changed, name, kind)
    return changed


def depends_on_layout(initializer: object, shape: tuple[int, ...]) -> bool:
    """Whether the values of a tensor differ between the layouts."""
    if isinstance(initializer, Pieces):
        return any(depends_on_layout(piece, shape) for _, piece in initializer.pieces)
    if isinstance(initializer, Kernel | DeltaOrthogonal):
        return initializer.layout is None
    if isinstance(initializer, Orthogonal):
        # Matrices that are turned follow the same law, as a whole.
        return initializer.axis == -1 and (len(shape) > 2 or (len(shape) == 2 and initializer.blocks > 1))
    if not isinstance(initializer, VarianceScaling) or not has_default_axes(initializer) or initializer.depthwise:
        return False
    if initializer.transposed or initializer.groups > 1 or initializer.blocks > 1:
        return len(shape) >= 2  # where nobody knows which axis they mean, they need not be parts of it
    own = initializer._variance(shape)
    return any(laid_out(initializer, len(shape), layout=layout)._variance(shape) != own for layout in LAYOUTS)


def has_default_axes(initializer: VarianceScaling) -> bool:
    """Whether the fans are those of the default axes, which are neither named, by a layout too, nor given by hand."""
    by_hand = initializer.fan_in is not None and initializer.fan_out is not None
    return (initializer.in_axis, initializer.out_axis) == USUAL and initializer.layout is None and not by_hand


def stacked(initializer: T) -> T:
    """The same rule for tensors that have one more axis, in front: that of independent weights, unless it names it."""

    def change(init: VarianceScaling) -> VarianceScaling:
        if init.batch_axis != ():
            return init
        ins, outs = (
            tuple(axis if axis < 0 else axis + 1 for axis in as_tuple(axes)) for axes in (init.in_axis, init.out_axis)
        )
        return init._with_axes(_plain(ins), _plain(outs), 0)

    def refuse(init: Orthogonal) -> Orthogonal:
        if init.axis != -1:
            return init
        msg = "`initializer` must make stacked weights, each by itself, which Orthogonal does not: name its `axis`"
        raise ValueError(msg)

    return each(each(initializer, change), refuse, Orthogonal)


def placed(initializer: T, in_axis: Axes, out_axis: Axes, batch_axis: Axes = ()) -> T:
    """The same rule with these axes, unless it names axes of its own."""
    changed = each(
        initializer,
        lambda init: init._with_axes(in_axis, out_axis, batch_axis) if has_default_axes(init) else init,
    )
    return each(changed, lambda init: _turned(init, out_axis), Orthogonal)


def _turned(init: Orthogonal, out_axis: Axes, blocks: int = 1) -> Orthogonal:
    """The same rule with this out axis, unless it names an axis of its own.

    Raises:
        ValueError: There are several out axes, as heads have them.
    """
    if isinstance(out_axis, int):
        return init._with_axis(out_axis, blocks)
    if init.axis != -1:
        return init
    msg = f"`initializer` must make a weight whose outputs are along the axes {out_axis}: name the `axis` of Orthogonal"
    raise ValueError(msg)


def each(initializer: T, change: Callable[[Any], Builtin], kind: type[Builtin] = VarianceScaling) -> T:
    """What `change` makes of an initializer of a kind, or of those among the pieces of a tensor; any other stays."""
    changed: Any = initializer
    if isinstance(initializer, Pieces):
        changed = initializer._with_pieces(lambda piece: each(piece, change, kind))
    elif isinstance(initializer, kind):
        changed = change(initializer)
    return cast("T", changed)


def _plain(axes: tuple[int, ...]) -> Axes:
    return axes[0] if len(axes) == 1 else axes
