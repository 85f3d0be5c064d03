"""Places: the variable of tf_keras that is being initialised, told by the stack."""

from __future__ import annotations

import re
from types import FrameType
from typing import Any

import tf_keras

from .._keras.framework import Place
from .._keras.places import frames, layer_above


def place(frame: FrameType | None) -> Place:
    """The variable whose constructor called, directly or not, and the layer above it."""
    layer = layer_above(frame, tf_keras.layers.Layer)
    for above in frames(frame):
        # TensorFlow has chosen the variable's name by now, but given it to no object yet.
        if above.f_code.co_name == "_init_from_args" and "handle_name" in above.f_locals:
            return Place(_within(above.f_locals["handle_name"], layer), layer)
    return Place("", layer)


def name_of(variable: Any, layer: Any) -> str:
    """The name of a layer's variable, without the number of its operation's output."""
    return _within(variable.name.removesuffix(":0"), layer)


def _within(name: str, layer: Any) -> str:
    """The name of the whole variable, of which a partitioner's shards are parts, with that of its layer.

    A layer that another one builds opens no scope of its own: its name is lacking, and others have the same.
    """
    *scopes, leaf = re.sub(r"/part_\d+$", "", name).split("/")
    if layer is not None and scopes[-1:] != [layer.name]:
        scopes.append(layer.name)
    return "/".join((*scopes, leaf))
