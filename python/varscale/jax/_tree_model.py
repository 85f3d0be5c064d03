"""Models of trees: which leaves a network starts with, and the rules that cover them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from re import Pattern
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._arguments.layouts import Layout
from .._arguments.show import show
from .._engines import listed, matched
from .._initializers.base import Initializer
from .._models.layouts import parse_layout
from .._models.model import Model
from .._models.rules import Rule
from .._models.spellings import Held
from ._leaves import Leaf, Leaves, leaves_of


def tree_model(
    tree: Any,
    rules: Iterable[Rule | tuple[str | Pattern[str], Initializer]] = (),
    *,
    keep: str | Iterable[str] = (),
    layout: Layout | None = None,
) -> Model:
    """A `varscale.Model` of the arrays of a tree, by the names that `init_tree` gives them.

    Args:
        tree: A tree as `init_tree` takes it.
        rules: Rules as `varscale.Model` takes them; the usual ones follow.
        keep: Shell patterns of the names of leaves that the model leaves out.
        layout: "jax", "torch" or "mlx" for the axes of weights; None for those of the tree's framework.

    Raises:
        TypeError: An argument is of the wrong kind, or a leaf is traced.
        ValueError: No rule covers a leaf (the error lists all of them), nothing tells the layout of a weight, or a
            pattern matches nothing.

    Example:
        >>> import jax, varscale as vs
        >>> tree = {"gate": jax.ShapeDtypeStruct((4, 3, 2), "float32")}
        >>> model = vs.jax.tree_model(tree, [("gate", vs.lecun_normal(batch_axis=0))])
        >>> vs.jax.init_tree(tree, model, seed=7)["gate"].shape
        (4, 3, 2)
    """
    leaves, wanted = chosen_leaves(tree, keep)
    return model_of_leaves(leaves, wanted, rules, layout)


def chosen_leaves(tree: Any, keep: Any) -> tuple[Leaves, dict[str, Leaf]]:
    """All leaves of a tree, and by name those that a network starts with and that no pattern keeps."""
    leaves = leaves_of(tree)
    kept = matched("keep", keep, (leaf.name for leaf in leaves.all), "leaves of the tree")
    wanted = {leaf.name: leaf for leaf in leaves.all if leaf.name not in kept and _is_made(leaf)}
    _check(wanted)
    if not wanted and not kept:
        msg = f"`tree` must hold arrays or shapes, such as `jax.eval_shape(model.init, key, inputs)`, got {show(tree)}"
        raise ValueError(msg)
    return leaves, wanted


def _check(wanted: Mapping[str, Leaf]) -> None:
    """Raises ValueError for what is no parameter by itself: an optimizer's state, or the second name of an array."""
    moments = [name for name, leaf in wanted.items() if leaf.is_optimizers]
    if moments:
        msg = f"`tree` must hold parameters alone, or `keep` name the state of an optimizer, has {listed(moments)}"
        raise ValueError(msg)
    first: dict[int, str] = {}
    for name, leaf in wanted.items():
        if leaf.held and first.setdefault(leaf.held, name) != name:
            msg = (
                f"`tree` must hold each array once, has one as {show(first[leaf.held])} and {show(name)}: trees keep "
                "no ties. Give `flax.nnx.state(module)`, which does, shapes for arrays that are not tied, or `keep` one"
            )
            raise ValueError(msg)


def _is_made(leaf: Leaf) -> bool:
    """Whether a leaf is an array that a network starts with.

    Raises:
        TypeError: It is traced.
        ValueError: It is a key that nobody has made.
    """
    value = leaf.value
    if isinstance(value, jax.core.Tracer):
        msg = f"`tree` must hold no traced arrays (`jax.eval_shape` gives their shapes), has {show(leaf.name)}"
        raise TypeError(msg)
    if leaf.is_state or not isinstance(value, jax.Array | np.ndarray | jax.ShapeDtypeStruct):
        return False
    if not isinstance(value, jax.ShapeDtypeStruct):
        return bool(jnp.issubdtype(value.dtype, np.inexact))
    if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        msg = f"`tree` must have keys that are made, or `keep` name them, has {show(leaf.name)}, a shape of keys"
        raise ValueError(msg)
    return True


def model_of_leaves(leaves: Leaves, wanted: Mapping[str, Leaf], rules: Iterable[Any], layout: Any) -> Model:
    """The model of the leaves, in the layout that is named, or that of their framework."""
    named: Any = parse_layout(layout, leaves.layouts)
    if named is None and not any(
        len(leaf.value.shape) > 1 and leaf.name.endswith("weight") for leaf in wanted.values()
    ):
        named = "jax"  # what trees of other names hold: Flax, Haiku and `jax.nn.initializers` have one layout
    shapes = {name: (leaf.value.shape, np.dtype(leaf.value.dtype)) for name, leaf in wanted.items()}
    held = Held(shapes, {name: leaf.path or "-" for name, leaf in wanted.items()}, leaves.fans, set(), {})
    return Model(held, rules, layout=named)
