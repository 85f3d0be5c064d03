"""Layers of `mlx.nn`: what one unit of each is connected with, and what their names leave out."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import mlx.core as mx

from .._arguments.show import show
from .._models.layouts import Fans

_AXES = Fans(-1, 0)
"""Those of (out, *kernel, in)."""
_SHARED = {
    "AllToShardedLinear",
    "FullyShardedModule",
    "QuantizedAllToShardedLinear",
    "QuantizedShardedToAllLinear",
    "ShardedToAllLinear",
}
"""The layers of which each process may hold a part."""


def layer_of(module: Any) -> str:
    """The layer of `mlx.nn` that a module is, also by descent, or else its own class."""
    own = type(module)
    bases = [cls for cls in own.__mro__ if cls.__module__.startswith("mlx.nn.layers.")]
    return next((cls.__name__ for cls in bases if cls.__name__ != "Module"), own.__name__)


def fans_of(module: Any) -> dict[str, Fans]:
    """The fans of a module's own weights by name, if it is a layer of `mlx.nn`."""
    layer = layer_of(module)
    return _LAYERS[layer](module) if layer in _LAYERS else {}


def check_whole(module: Any) -> None:
    """Raises ValueError where a layer holds the part of one process of what several share."""
    if layer_of(module) not in _SHARED:
        return
    # A module that is fully sharded does not tell its group, which is one of all the processes or of some of them.
    group = getattr(module, "group", None) or mx.distributed.init()
    if group.size() > 1:
        msg = f"`module` must be filled before it is shared among processes, got {show(type(module).__name__)}"
        raise ValueError(msg)


def _dense(*names: str) -> Callable[[Any], dict[str, Fans]]:
    return lambda layer: dict.fromkeys(names, _AXES)


def _convolution(layer: Any) -> dict[str, Fans]:
    groups = getattr(layer, "groups", 1)  # Conv3d has none
    out, *kernel, ins = layer.weight.shape  # of which `ins` are those of one group
    field = prod(kernel)
    return {"weight": _AXES._replace(fan_in=ins * field, fan_out=out // groups * field, groups=groups)}


def _gates(count: int) -> Callable[[Any], dict[str, Fans]]:
    """The matrices of gates stand one above another."""
    return lambda layer: dict.fromkeys(("Wx", "Wh"), _AXES._replace(fan_out=layer.hidden_size, blocks=count))


_LAYERS: dict[str, Callable[[Any], dict[str, Fans]]] = {
    "Linear": _dense("weight"),
    "Bilinear": _dense("weight"),
    "AllToShardedLinear": _dense("weight"),
    "ShardedToAllLinear": _dense("weight"),
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "Conv3d": _convolution,
    "ConvTranspose1d": _dense("weight"),
    "ConvTranspose2d": _dense("weight"),
    "ConvTranspose3d": _dense("weight"),
    "RNN": _dense("Wxh", "Whh"),
    "GRU": _gates(3),
    "LSTM": _gates(4),
}
