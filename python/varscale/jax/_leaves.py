"""Leaves: the arrays of a tree by name, and what the layers that hold them tell of their fans."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import jax

from .._arguments.show import show
from .._models.kinds import path_of
from .._models.layouts import Fans
from ._layers import Weight, is_state, layer_of, layout_of, weights_of

_BOXES = {"AxisMetadata", "Variable", "VariableState"}
"""Flax's classes of nodes that hold one array and say more of it, which are no part of its name."""
_DEEPEST = 200
_RANKS = {"Embed": 2, "Embedding": 2, "Einsum": 0}
"""The axes of the weights of other layers, whose names are understood; 0 for layers that do not tell their fans."""


class Leaf(NamedTuple):
    """An array of a tree, or what stands in its place."""

    name: str
    """The keys, indices and attributes that lead to it, joined by slashes."""
    path: str
    """What kinds are to know it by: its layer's class tells more than a name."""
    value: Any
    is_state: bool
    """Whether a layer counts with it, from what stands in it."""
    held: int
    """What tells a leaf apart from one that is the same array, or the same variable."""
    is_optimizers: bool
    """Whether it is of an optimizer's state."""


class Leaves(NamedTuple):
    """All leaves of a tree, in JAX's order."""

    all: list[Leaf]
    fans: dict[str, Fans]
    """The fans of weights by name, where a layer tells them."""
    layouts: set[str]
    """The layouts that the layers bring."""
    weights: dict[str, Weight]
    """The weights of layers by name."""


def leaves_of(tree: Any) -> Leaves:
    """The leaves of a tree.

    Raises:
        ValueError: Two leaves have one name, or the tree is nested too deep.
    """
    found = Leaves([], {}, set(), {})
    _walk(tree, (), None, False, found)
    names = Counter(leaf.name for leaf in found.all)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        msg = f"`tree` must have leaves of different names, got {show(twice[0])} twice"
        raise ValueError(msg)
    return found


def _walk(node: Any, place: tuple[str, ...], parent: Any, of_state: bool, found: Leaves) -> None:
    """Notes the leaves below a node, which stands at a place; `of_state` says whether a layer counts with it."""
    if len(place) > _DEEPEST:
        msg = f"`tree` must be nested at most {_DEEPEST} deep, got {show('/'.join(place[:3]))}/..."
        raise ValueError(msg)
    children = jax.tree_util.tree_flatten_with_path(node, is_leaf=lambda inner: inner is not node)[0]
    boxed = any(cls.__module__.startswith("flax.") and cls.__name__ in _BOXES for cls in type(node).__mro__)
    if len(children) == 1 and not children[0][0]:
        _note(node, place, parent, of_state, found)
        return
    for inner, weight in weights_of(node).items():
        found.weights.setdefault("/".join((*place, inner)), weight)  # a cell knows more than the layers in it
    found.layouts.update(layout_of(node))
    first = len(found.all)
    for keys, child in children:
        if child is not None:  # which JAX takes for an empty tree
            inner_place = place if boxed else (*place, *(text for key in keys for text in _texts(key)))
            _walk(child, inner_place, parent if boxed else node, of_state or is_state(node), found)
    if boxed:
        found.all[first:] = [leaf._replace(held=id(node)) for leaf in found.all[first:]]
    elif type(node).__module__.startswith("optax."):
        found.all[first:] = [leaf._replace(is_optimizers=True) for leaf in found.all[first:]]


def _note(leaf: Any, place: tuple[str, ...], parent: Any, of_state: bool, found: Leaves) -> None:
    name, layer, shape = "/".join(place), layer_of(parent), tuple(getattr(leaf, "shape", ()))
    path = ".".join((*place[:-1], layer, place[-1])) if layer else path_of(name)
    if name in found.weights:
        fans = found.weights[name].of(shape)
        if fans is not None:
            found.fans[name] = fans
        path = "" if fans is None else "layer.weight"
    elif layer in _RANKS and place[-1] != "bias" and len(shape) != _RANKS[layer]:
        path = ""  # a stack of tables, or a product of any axes: no name tells more
    elif layer and place[-1] == "bias":
        path = "norm.bias"  # of one layer or of a stack
    # A shape may stand for many arrays, but one array for itself alone.
    found.all.append(Leaf(name, path, leaf, of_state, id(leaf) if isinstance(leaf, jax.Array) else 0, False))


def _texts(key: Any) -> tuple[str, ...]:
    """What a key of a path is: of a mapping, of an attribute, or of a sequence. One may be a path itself."""
    inner = next(getattr(key, word) for word in ("key", "name", "idx") if hasattr(key, word))
    return tuple(map(str, inner)) if isinstance(inner, tuple) else (str(inner),)
