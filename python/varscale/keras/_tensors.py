"""Tensors of Keras' backend in the memory of arrays, and sharded ones of which each device's part is made alone."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras
from numpy.typing import NDArray

from .._arguments.show import show
from .._engines import shard_maker
from .._filling.lazy import Lazy
from .._keras.tensors import handed_over, tensorflow_tensor

_BACKEND = keras.backend.backend()
_ENGINE: Any = import_module(_BACKEND) if _BACKEND in {"jax", "tensorflow", "torch"} else None


def _jax(array: NDArray[Any]) -> Any:
    return _ENGINE.device_put(array)  # uncommitted; it shares memory that begins on a 64-byte boundary


def _tensorflow(array: NDArray[Any]) -> Any:
    return tensorflow_tensor(_ENGINE, array)


def _torch(array: NDArray[Any]) -> Any:
    shared = _ENGINE.from_numpy(handed_over(array))
    if array.dtype.isbuiltin != 1:
        shared = shared.view(getattr(_ENGINE, array.dtype.name))
    return keras.ops.convert_to_tensor(shared)  # on the device of Keras


def _any(array: NDArray[Any]) -> Any:
    return keras.ops.convert_to_tensor(array)


tensor: Callable[[NDArray[Any]], Any] = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}.get(_BACKEND, _any)
"""The tensor of an array."""


def shards(lazy: Lazy, layout: Any) -> Any:
    """The tensor of a layout: one of `keras.distribution`, or a sharding of JAX."""
    sharding = getattr(layout, "backend_layout", layout)
    if _BACKEND != "jax":
        msg = f"`layout` must be None on the backend {show(_BACKEND)}, got {show(layout)}"
        raise ValueError(msg)
    jax = _ENGINE
    if isinstance(sharding, jax.sharding.NamedSharding) and isinstance(sharding.mesh, jax.sharding.AbstractMesh):
        # Keras names a mesh without devices, inside of a context that has them.
        sharding = jax.sharding.NamedSharding(jax.sharding.get_mesh(), sharding.spec)
    return jax.make_array_from_callback(lazy.shape, sharding, shard_maker(lazy), lazy.dtype)


def layout_of(variable: Any) -> Any:
    """The sharding of a variable whose parts lie on several devices; None for any other."""
    sharding = getattr(variable.value, "sharding", None) if _BACKEND == "jax" else None
    return sharding if sharding is not None and len(sharding.device_set) > 1 else None
