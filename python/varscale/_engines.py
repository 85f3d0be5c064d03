"""Engines: the checks and the beginnings that their adapters share, and the error where an engine is not installed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arguments.dtypes import any_dtype
from ._arguments.shapes import parse_shape
from ._arguments.show import show
from ._filling.lazy import Lazy
from ._initializers.builtin import Builtin
from ._models.model import Model
from ._models.parameter import Parameter
from ._models.rules import Rule, default_rules
from ._sources.seeds import draws_entropy, parse_native

EXTRAS = {
    "dask": "dask",
    "jax": "jax",
    "keras": "keras",
    "mlx": "mlx",
    "tf1": "tensorflow",
    "tf_keras": "tf_keras",
    "torch": "torch",
}
"""The adapters, with the package that each imports; each has an extra of its name."""
Kind = tuple[tuple[int, ...], np.dtype[Any]]
"""The shape and the dtype of a network's tensor."""


def missing(extra: str, error: ModuleNotFoundError) -> ImportError:
    """The error where an engine is not installed, which names the extra that installs it."""
    msg = f"`varscale.{extra}` needs a package that is not installed ({error}): pip install 'varscale[{extra}]'"
    return ImportError(msg)


def lazy_tensor(init: Any, shape: Any, dtype: Any) -> Lazy:
    """The tensor that an engine is to make: `init` if it is lazy, else the initializer's tensor of `shape`.

    Raises:
        TypeError: `init` is neither lazy nor an initializer, or an initializer has no `shape`.
        ValueError: The lazy tensor has another shape or dtype than asked for, or the initializer refuses the call.
    """
    if not isinstance(init, Lazy):
        return check_initializer(init).lazy(shape, dtype)
    if shape is not None and parse_shape(shape) != init.shape:
        msg = f"`shape` must be that of the lazy tensor, {show(init.shape)}, or None, got {show(shape)}"
        raise ValueError(msg)
    if dtype is not None and any_dtype(dtype) != init.dtype:
        msg = f"`dtype` must be that of the lazy tensor, {show(init.dtype.name)}, or None, got {show(dtype)}"
        raise ValueError(msg)
    return init


def shard_maker(tensor: Lazy) -> Callable[[tuple[slice, ...]], NDArray[Any]]:
    """A function of an index that makes each distinct shard of a tensor once, for all devices that hold it."""
    made: dict[tuple[tuple[int, int, int], ...], NDArray[Any]] = {}

    def shard(index: tuple[slice, ...]) -> NDArray[Any]:
        # Slices have no hash before Python 3.12.
        key = tuple(entry.indices(size) for entry, size in zip(index, tensor.shape, strict=True))
        if key not in made:
            made[key] = tensor[index]
        return made[key]

    return shard


def check_initializer(init: Any, argument: str = "init", other: str = "a lazy tensor") -> Builtin:
    """`init`, which must be one of our own initializers: only those can make parts of tensors."""
    if not isinstance(init, Builtin):
        hint = ": `varscale.get` makes an initializer of its name" if isinstance(init, str) else ""
        msg = f"`{argument}` must be one of varscale's own initializers or {other}, got {show(init)}{hint}"
        raise TypeError(msg)
    return init


def usual_model(
    init: Builtin, seed: Any, model_of: Callable[[tuple[Rule, ...]], Model], remedy: str
) -> tuple[Model, Any]:
    """The model of a network by the usual rules with an initializer for its weights; and the seed, or else its own.

    Raises:
        TypeError: The seed is neither an integer nor None.
        ValueError: The seed is a replay; or the rules do not cover the network, which ends in the remedy.
    """
    started = getattr(init, "seed", None) if seed is None else seed
    parse_native(started)
    try:
        return model_of(default_rules(weight=init._with_seed(None))), started
    except ValueError as error:
        msg = f"{error}\n{remedy}"
        raise ValueError(msg) from None


def check_repeats(init: object) -> None:
    """Raises ValueError where each process that makes a part of one tensor would draw fresh entropy."""
    # What has no `seed` draws nothing.
    if draws_entropy(getattr(init, "seed", 0)):
        msg = f"an initializer must have a seed where several processes make one tensor, got {show(init)}"
        raise ValueError(msg)


def check_covers(
    held: Container[str], own: Iterable[str], every: str, hint: Callable[[list[str]], str] = lambda lacking: ""
) -> None:
    """Raises ValueError where a model lacks a tensor of a network; the names that it lacks may have a hint."""
    lacking = [name for name in own if name not in held]
    if lacking:
        msg = f"`init_or_model` must have every {every}, lacks {listed(lacking)}{hint(lacking)}"
        raise ValueError(msg)


def check_model(held: Mapping[str, Parameter], own: Mapping[str, Kind], every: str) -> None:
    """Raises ValueError where a model lacks a tensor of a network, or has it in another shape or dtype."""
    check_covers(held, own, every)
    for name, (shape, dtype) in own.items():
        known = held[name]
        if (known.shape, known.dtype) != (shape, dtype):
            msg = f"`init_or_model` must have {show(name)} as {dtype} {shape}, has {known.dtype} {known.shape}"
            raise ValueError(msg)


def matched(argument: str, patterns: Any, names: Iterable[str], what: str) -> set[str]:
    """The names that any of the patterns matches, each of which must match one.

    Raises:
        TypeError: The patterns are no strings.
        ValueError: A pattern matches nothing.
    """
    chosen = [patterns] if isinstance(patterns, str) or not isinstance(patterns, Iterable) else [*patterns]
    if not all(isinstance(pattern, str) for pattern in chosen):
        msg = f"`{argument}` must be a pattern of names, or a collection of them, got {show(patterns)}"
        raise TypeError(msg)
    known = dict.fromkeys(names)
    found: set[str] = set()
    for pattern in chosen:
        # A name is its own pattern: the missing keys of a checkpoint may be thousands.
        here = [pattern] if pattern in known else [name for name in known if fnmatchcase(name, pattern)]
        if not here:
            msg = f"`{argument}` must match {what}, got {show(pattern)}, which matches none"
            raise ValueError(msg)
        found.update(here)
    return found


def listed(names: Iterable[str]) -> str:
    """Names in an error, all of them."""
    return f"[{', '.join(map(show, names))}]"
