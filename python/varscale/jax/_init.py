"""Filling trees: the arrays of a network by name, in one parallel pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import jax
import numpy as np

from .._arguments.layouts import Layout
from .._arguments.show import show
from .._engines import check_initializer, check_model, check_repeats, usual_model
from .._initializers.builtin import Builtin
from .._models.model import Model
from .._sources.seeds import SeedLike
from ._arrays import make_array
from ._bits import check_bits
from ._initializer import Initializer
from ._keys import seed_of
from ._leaves import Leaf, Leaves
from ._tree_model import chosen_leaves, model_of_leaves

Tree = TypeVar("Tree")


def init_tree(
    tree: Tree,
    init_or_model: Builtin | Model,
    seed: SeedLike | jax.Array = None,
    sharding: Any = None,
    *,
    keep: str | Iterable[str] = (),
    layout: Layout | None = None,
) -> Tree:
    """The same tree with the first values of a network: all of its arrays by name, in one parallel pass.

    Nothing is traced or compiled. A name is the keys, indices and attributes that lead to an array, joined by slashes,
    such as "params/Dense_0/kernel" or "layers/0/weight"; Flax's boxes and variables are no part of it. The array is
    `init.fold_in(name)(shape, dtype)` of that seed, whatever the sharding.

    An initializer fills the weights. All else gets what its name, or its layer's class in Equinox and nnx, tells: zeros
    for biases, ones for norms, N(0, 0.02) for embeddings, as in `varscale.default_rules`. Nothing is guessed: what
    these do not tell is an error that lists it. Fans are those of JAX's layout, (*kernel, in, out), of Equinox's, (out,
    in, *kernel), and of the layers that know more: groups, gates, heads.

    Leaves that are no floating-point arrays stay as they are: keys, counters, functions, numbers, and Equinox' states.

    Args:
        tree: Any tree of arrays or of `jax.ShapeDtypeStruct`s, such as `jax.eval_shape(model.init, key, inputs)`, a
            module of Equinox, a module or a state of nnx.
        init_or_model: An initializer for the weights, or a `varscale.Model` that has the tree's names.
        seed: The seed that replaces the initializer's own, an integer or a key of JAX; None keeps that. With a model,
            the model's seed.
        sharding: A sharding for all arrays, or a tree of them that may be cut short, as in JAX; None in a place is that
            of the leaf, if it has one, or else the default device. Every device makes its own shards.
        keep: Shell patterns of the names of leaves that stay as they are.
        layout: "jax", "torch" or "mlx" for the axes of weights; None for those of the tree's framework.

    Returns:
        A tree of the same structure. On the CPU its arrays are NumPy's memory, without a copy, and uncommitted unless
        they have a sharding.

    Raises:
        TypeError: An argument is of the wrong kind, or a leaf is traced.
        ValueError: The tree has no arrays, has one in two places, or the state of an optimizer; nothing tells what a
            leaf starts from, or the layout of a weight; a pattern matches nothing; the model lacks a leaf, or has it in
            another shape or dtype; a dtype has 64 bits while `jax_enable_x64` is off; there are several processes and
            shardings but no seed; or the initializer refuses the call.

    Example:
        >>> import jax, varscale as vs
        >>> shapes = {"Dense_0": {"kernel": jax.ShapeDtypeStruct((784, 256), "float32")}}
        >>> params = vs.jax.init_tree(shapes, vs.lecun_normal(), seed=7)
        >>> kernel = vs.lecun_normal(seed=7).fold_in("Dense_0/kernel")((784, 256))
        >>> bool((params["Dense_0"]["kernel"] == kernel).all())
        True
    """
    leaves, wanted = chosen_leaves(tree, keep)
    if isinstance(seed, jax.Array):
        seed = seed_of(seed)
    places = _places(sharding, tree, leaves)
    if isinstance(init_or_model, Model):
        model = init_or_model
        kinds = {name: (leaf.value.shape, np.dtype(leaf.value.dtype)) for name, leaf in wanted.items()}
        check_model(model, kinds, "leaf of the tree")
    else:
        if isinstance(init_or_model, Initializer):
            msg = f"`init_or_model` must be of `varscale`, not `varscale.jax` with its keys, got {show(init_or_model)}"
            raise TypeError(msg)
        init = check_initializer(init_or_model, "init_or_model", "a `varscale.Model`")
        model, seed = usual_model(
            init,
            seed,
            lambda rules: model_of_leaves(leaves, wanted, rules, layout),
            "`varscale.jax.tree_model(tree, rules)` makes a model of `tree` by rules",
        )
    placed = {name: place for name, leaf in wanted.items() if (place := places[name] or _own(leaf.value)) is not None}
    made = _made(model, seed, wanted, placed)
    filled: Tree = jax.tree.unflatten(
        jax.tree.structure(tree), [made.get(leaf.name, leaf.value) for leaf in leaves.all]
    )
    return filled


def _places(sharding: Any, tree: Any, leaves: Leaves) -> dict[str, Any]:
    """The shardings that the caller asks for, by name.

    Raises:
        TypeError: There is something else among them.
        ValueError: Their tree is none of the start of `tree`.
    """
    found: list[Any] = []
    jax.tree.map(
        lambda place, inner: found.extend([place] * len(jax.tree.leaves(inner))),
        sharding,
        tree,
        is_leaf=lambda place: place is None,
    )
    for place in found:
        if not (place is None or isinstance(getattr(place, "sharding", place), jax.sharding.Sharding)):
            msg = f"`sharding` must hold shardings, formats or None, got {show(place)}"
            raise TypeError(msg)
    return dict(zip((leaf.name for leaf in leaves.all), found, strict=True))


def _own(value: Any) -> Any:
    """The sharding that a leaf has: one that is asked for, or that of an array which stays where it is."""
    return value.sharding if getattr(value, "committed", isinstance(value, jax.ShapeDtypeStruct)) else None


def _made(model: Model, seed: Any, wanted: Mapping[str, Leaf], placed: Mapping[str, Any]) -> dict[str, jax.Array]:
    """The arrays by name: those without a sharding by one pass, the others by their devices."""
    for leaf in wanted.values():
        check_bits(np.dtype(leaf.value.dtype))
    lazies = model.lazy(seed, placed)
    if jax.process_count() > 1:
        for lazy in lazies.values():
            check_repeats(lazy.initializer)
    arrays = model.init(seed, [name for name in wanted if name not in placed])
    made = dict(zip(arrays, jax.device_put([*arrays.values()], may_alias=True), strict=True))
    return made | {name: make_array(lazy, None, placed[name]) for name, lazy in lazies.items()}
