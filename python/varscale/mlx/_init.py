"""Filling modules: the parameters of a network by path, in one parallel pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import mlx.core as mx

from .._arguments.dtypes import any_dtype
from .._arguments.show import show
from .._engines import check_initializer, check_model, listed, usual_model
from .._initializers.builtin import Builtin
from .._models.model import Model
from .._sources.seeds import SeedLike
from ._module import arrays_of, held, is_made, ties

Module = TypeVar("Module")


def init_(module: Module, init_or_model: Builtin | Model, seed: SeedLike = None) -> Module:
    """Fills the parameters of a module, each from a stream of its own that its path names.

    An initializer fills the weights. All else gets what its layer's class, or its name, tells: zeros for biases, ones
    for norms, N(0, 0.02) for embeddings, as in `varscale.default_rules`. Nothing is guessed: what these do not tell is
    an error that lists it, such as the slope of PReLU, or a weight of three axes that no layer of `mlx.nn` holds. Fans
    are those of (out, *kernel, in), and of one unit of the layers that know more: groups, gates.

    An array in two places is filled under its first path, and stays one. Integers stay as they are.

    Args:
        module: A module of `mlx.nn`.
        init_or_model: An initializer for the weights, or a `varscale.Model` of all parameters.
        seed: The seed that replaces the initializer's own; None keeps that. With a model, the model's seed.

    Returns:
        `module`.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: Nothing tells what a parameter starts from; the model has other names, shapes or dtypes than the
            module, or two laws for one array; or a layer is quantized, or shared among processes.
            What `shard_inplace` has cut cannot be told from a whole layer: fill it before.

    Example:
        >>> import mlx.nn as nn
        >>> import varscale as vs
        >>> network = vs.mlx.init_(nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 8)), vs.he_normal(), 7)
        >>> kernel = vs.he_normal(7, layout="mlx").fold_in("layers.2.weight")((8, 128))
        >>> network.layers[2].weight.tolist() == kernel.tolist()
        True
    """
    arrays = arrays_of(module)
    tied = ties(arrays)
    start: Any = seed  # the model refuses a replay
    if isinstance(init_or_model, Model):
        model = init_or_model
        _check(model, arrays, tied)
    else:
        init = check_initializer(init_or_model, "init_or_model", "a model")
        known = held(module, arrays, tied)
        model, start = usual_model(
            init,
            seed,
            lambda rules: Model(known, rules, layout="mlx"),
            "`init_(module, model)` takes a `varscale.Model` of `tree_flatten(module.parameters())`",
        )
    wanted = [name for name in model if name not in tied]
    made = {name: mx.array(values) for name, values in model.init(start, wanted).items()}
    made |= {name: made[first] for name, first in tied.items() if first in made}
    module.load_weights([*made.items()], strict=False)  # type: ignore[attr-defined]
    return module


def _check(model: Model, arrays: Mapping[str, mx.array], tied: Mapping[str, str]) -> None:
    """Raises ValueError where a model has other parameters than the module, or two laws for one."""
    own = {
        name: (array.shape, any_dtype(array.dtype))
        for name, array in arrays.items()
        if name in model or (is_made(array) and name not in tied)
    }
    check_model(model, own, "parameter of the module")
    others = [name for name in model if name not in own]
    if others:
        msg = f"`init_or_model` must have no other parameters than the module, has {listed(others)}"
        raise ValueError(msg)
    for name, first in tied.items():
        if name in model and (first not in model or model[name].initializer != model[first].initializer):
            msg = f"`init_or_model` must have one law for {show(first)} and {show(name)}, which are one array"
            raise ValueError(msg)
