"""Places: the variable of Keras 3 that is being initialised, told by the stack."""

from __future__ import annotations

from types import FrameType
from typing import Any

import keras

from .._keras.framework import Place
from .._keras.places import frames, layer_above


def place(frame: FrameType | None) -> Place:
    """The variable in whose method the frame is, and the layer that makes it now.

    A variable that a `StatelessScope` has put off is initialised later, when the layers above are any.
    """
    found, reading = None, False
    for above in frames(frame):
        owner = above.f_locals.get("self")
        if found is None and issubclass(type(owner), keras.Variable):
            # Until it has a value, its property `value` makes one for tracers, which look at the shape alone.
            found, reading = owner, above.f_code.co_name == "value"
        if found is not None and owner is found and above.f_code.co_name == "__init__":
            return Place(found.path, layer_above(above, keras.layers.Layer), reading)
    if found is not None:
        return Place(found.path, None, reading)
    return Place("", layer_above(frame, keras.layers.Layer))


def name_of(variable: Any) -> str:
    """The path of a variable."""
    return str(variable.path)
