"""What the adapters to engines share: the tensor that their arguments mean, and the error without the engine."""

from __future__ import annotations

from typing import Any

from ._arguments.dtypes import any_dtype
from ._arguments.shapes import parse_shape
from ._filling.lazy import Lazy
from ._initializers.builtin import Builtin
from ._sources.seeds import draws_entropy

EXTRAS = ("dask", "jax", "torch")
"""The engines that have an adapter, each with an extra of its name."""


def missing(extra: str, error: ModuleNotFoundError) -> ImportError:
    """What to raise where the engine is not installed."""
    msg = f"`varscale.{extra}` needs a package that is not installed ({error}): pip install 'varscale[{extra}]'"
    return ImportError(msg)


def lazy_tensor(init: Any, shape: Any, dtype: Any) -> Lazy:
    """The tensor that an engine is to make: `init` itself if it is lazy, else the initializer's of `shape`.

    Raises:
        TypeError: `init` is neither, or there is no `shape`.
        ValueError: A lazy tensor of another shape or dtype than asked for, or what the initializer refuses.
    """
    if not isinstance(init, Lazy):
        return check_initializer(init).lazy(shape, dtype)
    if shape is not None and parse_shape(shape) != init.shape:
        msg = f"`shape` must be that of the lazy tensor, {init.shape}, or None, got {shape!r}"
        raise ValueError(msg)
    if dtype is not None and any_dtype(dtype) != init.dtype:
        msg = f"`dtype` must be that of the lazy tensor, {init.dtype.name!r}, or None, got {dtype!r}"
        raise ValueError(msg)
    return init


def check_initializer(init: Any) -> Builtin:
    """`init`, if it can make parts of tensors."""
    if not isinstance(init, Builtin):
        msg = f"`init` must be one of varscale's own initializers or a lazy tensor, got {init!r}"
        raise TypeError(msg)
    return init


def check_repeats(init: object) -> None:
    """Raises where every process that makes a part of one tensor would draw from a stream of its own."""
    if draws_entropy(getattr(init, "seed", 0)):
        msg = f"an initializer must have a seed where several processes make one tensor, got {init!r}"
        raise ValueError(msg)
