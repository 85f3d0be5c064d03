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
            return Place(_plain(above.f_locals["handle_name"]), layer)
    return Place("", layer)


def name_of(variable: Any) -> str:
    """The name of a variable, without the number of its operation's output."""
    return _plain(variable.name.removesuffix(":0"))


def _plain(name: str) -> str:
    """The name of the whole variable, of which a partitioner's shards are parts."""
    return re.sub(r"/part_\d+$", "", name)
