"""Layouts: which axes of a weight are its inputs and outputs, in the words of the framework that it is of."""

from __future__ import annotations

from math import prod
from typing import Any, Literal, NamedTuple, get_args

from .checks import boolean, positive_integer, word
from .fans import Axes, Rest, compute_fans, parse_axes
from .show import show

Layout = Literal["keras", "jax", "torch", "mlx"]
LAYOUTS: tuple[str, ...] = get_args(Layout)
USUAL = (-2, -1)
"""The input and the output axis of TensorFlow's weights, (*kernel, in, out), which are the default ones."""
_AXES = {"keras": USUAL, "jax": USUAL, "torch": (1, 0), "mlx": (-1, 0)}
"""The same two by layout, among the axes that are no batch axes."""
_TRANSPOSED = {"keras": (-1, -2), "jax": (-1, -2), "torch": (0, 1), "mlx": (-1, 0)}
_LEAST = {"groups": 2, "transposed": 2, "depthwise": 3, "blocks": 2}
"""The axes that a weight must have for an argument to mean anything."""


class KernelAxes(NamedTuple):
    """The axes of a convolution's kernel, counted from the front."""

    out: int
    ins: int
    places: tuple[int, ...]


class Wiring(NamedTuple):
    """Which axes of a weight are its inputs and its outputs, and how many of them one unit is connected with."""

    in_axis: Axes = USUAL[0]
    out_axis: Axes = USUAL[1]
    batch_axis: Axes | Rest = ()
    layout: str | None = None
    """The one that names the axes, which then are the default ones here; None where they name themselves."""
    groups: int = 1
    transposed: bool = False
    depthwise: bool = False
    blocks: int = 1

    def axes(self, rank: int) -> tuple[Axes, Axes, Axes]:
        """The input, the output and the batch axes of a weight of so many axes."""
        ins, outs = self.in_axis, self.out_axis
        if self.batch_axis == "rest":
            named = {axis % max(1, rank) for axis in as_tuple(ins) + as_tuple(outs)}
            return ins, outs, tuple(axis for axis in range(rank) if axis not in named)
        batch = self.batch_axis
        if rank >= 2 and (ins, outs) == USUAL and (self.layout or self.transposed):
            ins, outs = axes_of(self.layout or "keras", rank, batch, transposed=self.transposed)
        # A channel that meets no other one is a weight by itself.
        return ((), outs, as_tuple(batch) + as_tuple(ins)) if self.depthwise else (ins, outs, batch)

    def fans(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """The fans of one unit.

        Raises:
            ValueError: The shape lacks an axis that an argument speaks of, or cannot be cut into such parts.
        """
        for name, least in _LEAST.items():
            if len(shape) < least and getattr(self, name) != self._field_defaults[name]:
                msg = f"`shape` must have {least} axes or more for `{name}`, got {show(shape)}"
                raise ValueError(msg)
        axes = self.axes(len(shape))
        fan_in, fan_out = compute_fans(shape, *axes)
        # One axis has the channels of one group, and the other those of all. MLX transposes no kernel.
        grouped = 0 if self.transposed and self.layout != "mlx" else 1
        parts = [1, 1]
        for which, name in ((grouped, "groups"), (1, "blocks")):
            parts[which] *= getattr(self, name)
            if parts[which] > 1 and prod(shape[axis] for axis in as_tuple(axes[which])) % parts[which]:
                msg = f"`{name}` must cut the {('input', 'output')[which]} axis of {show(shape)} into equal parts, "
                raise ValueError(msg + f"got {show(getattr(self, name))}")
        return fan_in // parts[0], fan_out // parts[1]


def parse_wiring(
    in_axis: Any, out_axis: Any, batch_axis: Any, layout: Any, groups: Any, transposed: Any, depthwise: Any, blocks: Any
) -> Wiring:
    """The arguments that say what the axes of a weight are; axes that are given count instead of those of a layout.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, or two contradict each other.
    """
    layout = layout_word(layout)
    transposed, depthwise = boolean("transposed", transposed), boolean("depthwise", depthwise)
    groups, blocks = positive_integer("groups", groups), positive_integer("blocks", blocks)
    if depthwise:
        check_depthwise(layout)
        if transposed or groups > 1:
            msg = "`depthwise` must be False for a weight that is transposed or has groups: it has one per channel"
            raise ValueError(msg)
    ins = USUAL[0] if in_axis is None else parse_axes("in_axis", in_axis)
    outs = USUAL[1] if out_axis is None else parse_axes("out_axis", out_axis)
    batch = _parse_batch(batch_axis, is_named=in_axis is not None and out_axis is not None, depthwise=depthwise)
    if (layout or transposed or batch == "rest") and not (in_axis is None and out_axis is None):
        if in_axis is None or out_axis is None:
            msg = (
                "`in_axis` and `out_axis` must both be given, or neither, beside `layout` or `transposed`, "
                f"got {show(in_axis)} and {show(out_axis)}"
            )
            raise ValueError(msg)
        # Default axes that are given are tuples here, which nobody takes for those that are not.
        ins, outs = as_tuple(ins) if ins == USUAL[0] else ins, as_tuple(outs) if outs == USUAL[1] else outs
        transposed, layout = transposed and layout != "mlx", None
    return Wiring(ins, outs, batch, layout, groups, transposed, depthwise, blocks)


def _parse_batch(batch_axis: Any, *, is_named: bool, depthwise: bool) -> Axes | Rest:
    """The batch axes, or the word for all that are no others."""
    if not isinstance(batch_axis, str):
        return parse_axes("batch_axis", batch_axis)
    if batch_axis != "rest":
        msg = f"`batch_axis` must be an axis, several, or 'rest' for all that are not named, got {show(batch_axis)}"
        raise ValueError(msg)
    if not is_named or depthwise:
        msg = "`batch_axis` must name its axes where `in_axis` and `out_axis` do not, or `depthwise` is, got 'rest'"
        raise ValueError(msg)
    return "rest"


def layout_word(layout: Any) -> str | None:
    """The name of a layout; None stays."""
    return None if layout is None else word("layout", layout, LAYOUTS)


def kernel_axes(layout: str | None, rank: int) -> KernelAxes:
    """The axes of a kernel of two axes or more."""
    ins, out = (axis % rank for axis in axes_of(layout or "keras", rank))
    return KernelAxes(out, ins, tuple(axis for axis in range(rank) if axis not in {ins, out}))


def axes_of(layout: str, rank: int, batch_axis: Axes = (), *, transposed: bool = False) -> tuple[int, int]:
    """The input and the output axis of a weight of two axes or more in a layout; batch axes do not count."""
    named = (_TRANSPOSED if transposed else _AXES)[layout]
    batch = {axis % rank for axis in as_tuple(batch_axis)}
    free = [axis for axis in range(rank) if axis not in batch]
    # Where fewer than two are left, `compute_fans` refuses what is a batch axis too.
    return (free[named[0]], free[named[1]]) if batch and len(free) >= 2 else named


def check_depthwise(layout: str | None) -> None:
    """Raises ValueError for a layout that has no (*kernel, channels, outputs per channel)."""
    if layout not in {None, "keras"}:
        msg = f"`depthwise` must be False in the layout {show(layout)}: give `groups`, as many as channels"
        raise ValueError(msg)


def as_tuple(axes: Axes) -> tuple[int, ...]:
    """The axes as a tuple."""
    return (axes,) if isinstance(axes, int) else axes
