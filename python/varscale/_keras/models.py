"""Filling built models, variable by variable, from one parallel pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._arguments.checks import boolean
from .._arguments.dtypes import any_dtype
from .._arguments.parts import Part
from .._arguments.show import show
from .._engines import check_initializer, check_model
from .._filling.blocks import Blocks
from .._filling.fill import Pass
from .._filling.lazy import Lazy
from .._initializers.builtin import Builtin
from .._models.model import Model
from .._sources.seeds import parse_native
from .base import Rules, draw_seed
from .framework import Framework
from .layers import classes_of, fitted, is_einsum, rules_of
from .own import own_initializer

_KEPT = {"Normalization": {"mean", "variance", "count"}}
"""Variables that hold what data said; no initializer makes them."""


class Weight(NamedTuple):
    """A variable of a model, and the layer that made it."""

    path: str
    variable: Any
    layer: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def name(self) -> str:
        """The variable's name in its layer."""
        return self.path.rpartition("/")[2]


def init_of(framework: Framework) -> Callable[..., Any]:
    """The function that fills the models of one framework."""

    def init_(model: Any, init_or_model: Any = None, seed: Any = None, *, exact_keras_fans: bool = False) -> Any:
        """Fills a built model, in place: each variable draws from a stream named by its path.

        All values are made in one parallel pass, then handed over; a variable whose parts lie on several devices gets
        each part alone. Everything is checked before anything is assigned.

        Args:
            model: A model or a layer whose variables exist.
            init_or_model: None for each variable's own initializer, with Keras' laws and our values. An initializer
                for the weights (kernels and embeddings), where all else gets its own one. A `varscale.Model`, whose
                names are the variables' paths.
            seed: The seed of all; None for the initializers' own, and where there is none, for one of Keras' global
                generator.
            exact_keras_fans: Whether fans are those that Keras guesses from the shape, instead of those of one unit:
                of a depthwise or transposed kernel, of a group, of a gate.

        Returns:
            `model`.

        Raises:
            TypeError: An argument is of the wrong kind.
            ValueError: The model is not built, two variables have one path, nothing tells what a variable starts from
                or what its fans are, or the model lacks a variable or has it in another shape or dtype.

        Example:
            >>> vs.keras.init_(model, vs.lecun_normal(), seed=7)  # doctest: +SKIP
        """
        exact = boolean("exact_keras_fans", exact_keras_fans)
        weights = weights_of(framework, model)
        if isinstance(init_or_model, Model):
            made = _of_model(weights, init_or_model, seed)
        else:
            made = _of_initializers(framework, weights, init_or_model, seed, exact)
        _assign(framework, weights, made)
        return model

    init_.__module__ = framework.face
    return init_


def weights_of(framework: Framework, model: Any) -> list[Weight]:
    """The weights of a built model, each with the innermost layer that has it.

    Raises:
        TypeError: `model` is no layer.
        ValueError: It is not built, or two weights have one path.
    """
    if not isinstance(model, framework.module.layers.Layer):
        msg = f"`model` must be a model or a layer of {framework.name}, got {show(model)}"
        raise TypeError(msg)
    layers = list(model._flatten_layers(include_self=True, recursive=True))
    unbuilt = [layer.name for layer in layers if not layer.built]
    if unbuilt:
        msg = f"`model` must be built, so that it has its variables, got layers that are not: {show(unbuilt)}"
        raise ValueError(msg)
    # A layer comes before those that it holds.
    owners = {id(variable): layer for layer in layers for variable in layer.weights}
    found: dict[str, Weight] = {}
    for variable in model.weights:
        layer = owners[id(variable)]
        path = framework.name_of(variable, layer)
        if path in found and found[path].variable is not variable:
            msg = f"`model` must have each path once, got {show(path)} twice: name its layers apart"
            raise ValueError(msg)
        shape = tuple(map(int, variable.shape))
        found[path] = Weight(path, variable, layer, shape, any_dtype(variable.dtype))
    return list(found.values())


def _of_model(weights: list[Weight], model: Model, seed: Any) -> dict[str, Lazy]:
    """The tensors of a model of ours; the state of data stays where the model has none."""
    names = {weight.path: name for weight in weights for name in (f"{weight.path}:0", weight.path) if name in model}
    kinds = {
        weight.path: (weight.shape, weight.dtype) for weight in weights if weight.path in names or not _is_kept(weight)
    }
    check_model({path: model[name] for path, name in names.items()}, kinds, "variable of the model")
    lazies = model.lazy(draw_seed() if seed is None else seed, names.values())
    return {path: lazies[name] for path, name in names.items()}


def _of_initializers(
    framework: Framework, weights: list[Weight], given: Any, seed: Any, exact: bool
) -> dict[str, Lazy]:
    """The tensors of an initializer, and of the variables' own."""
    if given is not None:
        plain = given._plain if isinstance(given, Rules) else given
        parse_native(getattr(check_initializer(plain, "init_or_model", "a `varscale.Model`"), "seed", None))
    if seed is not None:
        parse_native(seed)
    drawn, unknown, made = draw_seed(), [], {}
    for weight in weights:
        if _is_kept(weight):
            continue
        by_path = True
        if given is None or not is_weight(weight):
            init, by_path = own_initializer(framework, weight.layer, weight.name, weight.shape)
        else:
            init = given._of_shape(weight.shape) if isinstance(given, Rules) else given
        if init is None:
            unknown.append(weight.path)
            continue
        ruled = init if exact and not is_einsum(weight.layer) else init._changed(partial(_fitted, weight))
        kept = getattr(ruled, "seed", None) if seed is None else seed
        with_seed = ruled._with_seed(drawn if kept is None else kept)
        named = with_seed.fold_in(weight.path) if by_path else with_seed
        made[weight.path] = named.lazy(weight.shape, weight.dtype)
    if unknown:
        msg = (
            f"`model` must tell what each variable starts from, says nothing of {show(unknown)}: give a "
            "`varscale.Model` that has them"
        )
        raise ValueError(msg)
    return made


def _fitted(weight: Weight, rule: Builtin) -> Builtin:
    return fitted(rule, weight.layer, weight.name, weight.shape)


def is_weight(weight: Weight) -> bool:
    """Whether an initializer that fills a model fills this variable."""
    usual = weight.name in {"kernel", "embeddings"} and len(weight.shape) == 2
    return weight.name in rules_of(weight.layer) or usual


def _is_kept(weight: Weight) -> bool:
    return any(weight.name in _KEPT.get(name, ()) for name in classes_of(weight.layer))


def _assign(framework: Framework, weights: list[Weight], made: dict[str, Lazy]) -> None:
    """Makes the tensors, and gives them to the variables."""
    together = Pass(new=Blocks(sum(lazy.nbytes for lazy in made.values())).new_array)
    arrays: dict[str, NDArray[Any]] = {}
    layouts = {weight.path: framework.layout_of(weight.variable) for weight in weights if weight.path in made}
    for path, layout in layouts.items():
        if layout is None:
            whole = Part(made[path].shape, made[path].shape)
            arrays[path] = together.add(made[path]._source(whole), whole)
    together.run()
    for weight in weights:
        if weight.path in arrays:
            weight.variable.assign(framework.tensor(arrays.pop(weight.path)))
        elif weight.path in made:
            weight.variable.assign(framework.shards(made[weight.path], layouts[weight.path]))
