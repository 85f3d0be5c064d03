"""Leaves: the arrays of a tree by name, and what the layers that hold them tell of their fans."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import jax

from .._arguments.show import show
from .._models.kinds import path_of
from .._models.layouts import Fans
from ._layers import fans_of, is_state, layer_of, layout_of

_BOXES = {"AxisMetadata", "Variable", "VariableState"}
"""Flax's classes of nodes that hold one array and say more of it, which are no part of its name."""
_DEEPEST = 200


class Leaf(NamedTuple):
    """An array of a tree, or what stands in its place."""

    name: str
    """The keys, indices and attributes that lead to it, joined by slashes."""
    path: str
    """What kinds are to know it by: its layer's class tells more than a name."""
    value: Any
    is_state: bool
    """Whether a layer counts with it, from what stands in it."""


class Leaves(NamedTuple):
    """All leaves of a tree, in JAX's order."""

    all: list[Leaf]
    fans: dict[str, Fans]
    """The fans of weights by name, where a layer tells them."""
    layouts: set[str]
    """The layouts that the layers bring."""


def leaves_of(tree: Any) -> Leaves:
    """The leaves of a tree.

    Raises:
        ValueError: Two leaves have one name, or the tree is nested too deep.
    """
    found = Leaves([], {}, set())
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
    if len(children) == 1 and not children[0][0]:
        name = "/".join(place)
        found.all.append(Leaf(name, _path(name, place, parent, found), node, of_state))
        return
    for inner, fans in fans_of(node).items():
        found.fans.setdefault("/".join((*place, inner)), fans)  # a cell knows more than the layers in it
    found.layouts.update(layout_of(node))
    boxed = any(cls.__module__.startswith("flax.") and cls.__name__ in _BOXES for cls in type(node).__mro__)
    for keys, child in children:
        if child is not None:  # which JAX takes for an empty tree
            inner_place = place if boxed else (*place, *map(_text, keys))
            _walk(child, inner_place, parent if boxed else node, of_state or is_state(node), found)


def _path(name: str, place: tuple[str, ...], parent: Any, found: Leaves) -> str:
    if name in found.fans:
        return "layer.weight"
    layer = layer_of(parent)
    return ".".join((*place[:-1], layer, place[-1])) if layer else path_of(name)


def _text(key: Any) -> str:
    """What a key of a path is: of a mapping, of an attribute, or of a sequence."""
    return str(next(getattr(key, word) for word in ("key", "name", "idx") if hasattr(key, word)))
