"""Places: what stands above the call of an initializer, told by the stack.

No framework hands a variable to its initializer, and what the name scopes say is neither whole nor there when a
variable is initialised late. The frame that calls the initializer for a variable is always there.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType
from typing import Any

from .._arguments.show import show


def frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The frame, and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def layer_above(frame: FrameType | None, layer_class: type) -> Any:
    """The layer in whose method the frame is; None for none."""
    for above in frames(frame):
        owner = above.f_locals.get("self")
        if issubclass(type(owner), layer_class):  # by type: `isinstance` would ask objects of any kind for their class
            return owner
    return None


def check_alone(layer: Any) -> None:
    """Raises ValueError where a layer calls an initializer, but for no variable.

    Two such calls would make equal values in silence.
    """
    if layer is not None:
        msg = (
            f"an initializer with `by_path` must be called for a variable, got a call by the layer {show(layer.name)}: "
            "give it to `add_weight`, or set `by_path=False` for values that depend on the seed alone"
        )
        raise ValueError(msg)
