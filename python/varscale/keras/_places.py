"""Places: the variable of Keras 3 that is being initialised, told by the stack."""

from __future__ import annotations

from types import FrameType
from typing import Any

import keras

from .._keras.framework import Place
from .._keras.places import frames, layer_above


def place(frame: FrameType | None) -> Place:
    """The variable in whose method the frame is, and the layer that makes it now."""
    for above in frames(frame):
        owner: Any = above.f_locals.get("self")
        if issubclass(type(owner), keras.Variable):
            # Until it has a value, its property `value` makes one for tracers, which look at the shape alone.
            return Place(owner.path, _maker(owner, above), above.f_code.co_name == "value")
    return Place("", layer_above(frame, keras.layers.Layer))


def name_of(variable: Any, layer: Any) -> str:
    """The path of a variable."""
    return str(variable.path)


def _maker(variable: Any, frame: FrameType) -> Any:
    """The layer that makes a variable now; None for one that a `StatelessScope` has put off, whose stack may be any."""
    for above in frames(frame):
        if above.f_locals.get("self") is variable and above.f_code.co_name == "__init__":
            return layer_above(above, keras.layers.Layer)
    return None
