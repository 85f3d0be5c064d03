"""Tensors of TensorFlow in the memory of arrays."""

from __future__ import annotations

from typing import Any, NoReturn

import tensorflow
from numpy.typing import NDArray

from .._arguments.show import show
from .._filling.lazy import Lazy
from .._keras.tensors import tensorflow_tensor


def tensor(array: NDArray[Any]) -> Any:
    """The tensor of an array."""
    return tensorflow_tensor(tensorflow, array)


def shards(lazy: Lazy, layout: Any) -> NoReturn:
    """Refuses a layout: DTensor's are not made by parts."""
    msg = f"`layout` must be None, got {show(layout)}"
    raise ValueError(msg)


def layout_of(variable: Any) -> None:
    """None: no variable is told to lie in parts."""
