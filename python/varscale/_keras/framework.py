"""Frameworks: what the shared code needs of Keras 3, or of tf_keras."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

from numpy.typing import NDArray

from .._filling.lazy import Lazy

PACKAGE = __name__.partition(".")[0]


class Place(NamedTuple):
    """Where an initializer was called."""

    variable: str
    """The path of the variable that is being initialised; "" for none."""
    layer: Any
    """The layer that makes it; None for none, and where nobody knows."""
    is_read: bool = False
    """Whether the variable has no value yet, and is only asked for something of its shape."""


class Framework(NamedTuple):
    """One of the two packages."""

    name: str
    """The adapter's, which is also the package's."""
    module: Any
    place: Callable[[FrameType | None], Place]
    """What an initializer that was called in a frame is to make."""
    tensor: Callable[[NDArray[Any]], Any]
    """A tensor in the memory of an array."""
    shards: Callable[[Lazy, Any], Any]
    """The tensor that a lazy one is, with a layout of the framework; each device's part is made alone."""
    layout_of: Callable[[Any], Any]
    """The layout of a variable whose parts lie on several devices; None for any other."""
    name_of: Callable[[Any, Any], str]
    """The path of a variable of a layer."""
    has_axes: bool
    """Whether a variance scaling has `input_axes` and `output_axes`."""

    @property
    def face(self) -> str:
        """The adapter's module, where users find what is made for it."""
        return f"{PACKAGE}.{self.name}"
