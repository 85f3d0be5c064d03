"""Fans: JAX's, where a shape has others for us or none."""

from __future__ import annotations

from math import prod

from .._arguments.layouts import as_tuple
from .._arguments.show import show
from .._initializers.builtin import Builtin
from .._initializers.variance_scaling import VarianceScaling


def with_fans(rule: Builtin, shape: tuple[int, ...]) -> Builtin:
    """The rule for tensors of a shape, in which JAX lets an axis be named twice: Flax's embeddings have `out_axis=0`.

    Raises:
        ValueError: JAX refuses the shape, or an axis that is named twice leaves a fan below 1.
    """
    if not isinstance(rule, VarianceScaling):
        return rule
    if len(shape) < 2 and rule.in_axis == -2:
        msg = f"`shape` must have two axes at least, or `in_axis` name another one, got {show(shape)}"
        raise ValueError(msg)
    axes = tuple(map(as_tuple, rule._wiring().axes(len(shape))))
    named = [axis for group in axes for axis in group]
    is_missing = any(not -len(shape) <= axis < len(shape) for axis in named)
    if is_missing or len({axis % len(shape) for axis in named}) == len(named):
        return rule  # which raises where an axis is missing
    ins, outs, batch = (prod(shape[axis] for axis in group) for group in axes)
    fans = (prod(shape) / (outs * batch), prod(shape) / (ins * batch)) if all(shape) else (1.0, 1.0)
    if min(fans) < 1:
        msg = f"`in_axis`, `out_axis` and `batch_axis` must leave fans of 1 at least in {show(shape)}, got {show(axes)}"
        raise ValueError(msg)
    return rule._with_fans(fan_in=fans[0], fan_out=fans[1])
