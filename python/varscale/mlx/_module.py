"""Modules: the arrays of a module by path, and what its layers tell of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlx.core as mx
from mlx.nn import Module as Layer
from mlx.utils import tree_flatten

from .._arguments.dtypes import any_dtype
from .._arguments.show import show
from .._models.kinds import kind_of, path_of
from .._models.layouts import Fans
from .._models.spellings import Held
from ._layers import check_whole, fans_of, layer_of

_OF_ITS_OWN = "layer.einsum.kernel"
"""What kinds know as a weight whose axes no name tells."""


def arrays_of(module: Any) -> dict[str, mx.array]:
    """The parameters of a module by path.

    Raises:
        TypeError: It is no module.
        ValueError: A layer is shared among processes.
    """
    if not isinstance(module, Layer):
        msg = f"`module` must be a module of mlx.nn, got {show(module)}"
        raise TypeError(msg)
    for layer in module.modules():
        check_whole(layer)
    return dict(tree_flatten(module.parameters()))


def ties(arrays: Mapping[str, mx.array]) -> dict[str, str]:
    """The first paths of arrays that stand in several places, by their other ones."""
    first: dict[int, str] = {}
    return {name: known for name, array in arrays.items() if (known := first.setdefault(id(array), name)) != name}


def is_made(array: mx.array) -> bool:
    """Whether a network starts with an array's values: those of counters and tables stay."""
    return bool(mx.issubdtype(array.dtype, mx.inexact))


def held(module: Any, arrays: Mapping[str, mx.array], tied: dict[str, str]) -> Held:
    """What a model is made of: each array once, by its first path; `tied` are its `ties`.

    Raises:
        ValueError: A layer is quantized.
    """
    entries, paths, fans = {}, {}, _fans(module)
    owners = {name: layer_of(owner) for name, owner in module.named_modules()}
    for name, array in arrays.items():
        owner, _, leaf = name.rpartition(".")
        if leaf == "weight" and not is_made(array):
            msg = f"`module` must be filled before it is quantized, got {show(name)} of {show(str(array.dtype))}"
            raise ValueError(msg)
        if name in tied or not is_made(array):
            continue
        entries[name] = array.shape, any_dtype(array.dtype)
        paths[name] = _path(name, owners.get(owner, ""), leaf, array.shape, name in fans)
    return Held(entries, paths, fans, {"mlx"}, tied)


def _fans(module: Any) -> dict[str, Fans]:
    return {
        f"{place}.{leaf}" if place else leaf: found
        for place, layer in module.named_modules()
        for leaf, found in fans_of(layer).items()
    }


def _path(name: str, layer: str, leaf: str, shape: tuple[int, ...], has_fans: bool) -> str:
    """What kinds are to know an array by."""
    if has_fans:
        return "layer.weight"
    if (layer, leaf) == ("GRU", "bhn"):
        return "layer.bias"
    # The class tells more than the name: that of an embedding, of a norm, of experts.
    path = path_of(".".join((name.removesuffix(f".{leaf}") if name != leaf else "", layer, leaf)).strip("."))
    kind = kind_of(path, shape, "mlx")
    # A weight of three axes may be a kernel or matrices side by side, where no layer of MLX's says which.
    return _OF_ITS_OWN if kind is not None and kind.what == "weights" and len(shape) > 2 else path
