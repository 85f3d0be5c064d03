"""Chains: layers of which each takes what the one before it gives, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from .._arguments.show import show
from .._models.kinds import kind_of, path_of
from ._names import place

Shape = tuple[int, ...]
_BIASES = {"weight": "bias", "kernel": "bias", "w": "b", "W": "b"}
_BESIDE = re.compile(r"emb|expert|head|branch|tower|lora|adapter|attn|attention", re.IGNORECASE)
"""Words of matrices that stand beside each other, not one behind the other."""


class Chain(NamedTuple):
    """A plain chain of matrices, in its order."""

    weights: tuple[str, ...]
    biases: tuple[str | None, ...]
    """The bias of each, if it has one."""
    out_first: bool
    """Whether weights are (out, in), and not (in, out)."""


def chain(shapes: Mapping[str, Shape], layout: str | None) -> Chain:
    """The chain that all of these tensors are.

    It is one only where nothing is left to guess: all matrices have one kind of name with one number, which is their
    order; each fits behind the one before it, in one direction; and whatever else there is are their biases.

    Raises:
        ValueError: They are none, and why.
    """
    weights = [name for name, shape in shapes.items() if len(shape) > 1]
    if len(weights) < 2:
        msg = "a chain has two weights or more, and here "
        raise ValueError(msg + ("is one" if weights else "is none"))
    for name in weights:
        if len(shapes[name]) > 2:
            msg = f"{show(name)} has {len(shapes[name])} axes, where each weight of a chain has two"
            raise ValueError(msg)
        kind = kind_of(path_of(name), shapes[name], layout)
        if kind is None or not kind.is_weight or _BESIDE.search(name):
            msg = f"{show(name)} may be something else than the weight of a layer that follows another"
            raise ValueError(msg)
        if place(name).kind != place(weights[0]).kind or len(place(name).numbers) != 1:
            msg = f"{show(weights[0])} and {show(name)} are not told apart by one number, which would be their order"
            raise ValueError(msg)
    weights.sort(key=lambda name: place(name).numbers)
    out_first = _is_out_first({name: shapes[name] for name in weights}, layout)
    return Chain(tuple(weights), _biases(weights, shapes, out_first=out_first), out_first)


def in_order(weights: Mapping[str, Shape], layout: str | None) -> Chain:
    """The chain of matrices that a user has put in order.

    Raises:
        ValueError: They do not fit one behind the other.
    """
    for name, shape in weights.items():
        if len(shape) != 2:
            msg = f"{show(name)} has {len(shape)} axes, where each weight of a chain has two"
            raise ValueError(msg)
    return Chain(tuple(weights), (None,) * len(weights), _is_out_first(weights, layout))


def _is_out_first(weights: Mapping[str, Shape], layout: str | None) -> bool:
    """Whether weights are (out, in): as the layout says, and as they fit."""
    told = None if layout is None else layout in {"torch", "mlx"}
    fits = {
        out_first: [
            (before, after)
            for (before, first), (after, second) in pairwise(weights.items())
            if (first[0] != second[1] if out_first else first[1] != second[0])
        ]
        for out_first in ((True, False) if told is None else (told,))
    }
    fitting = [out_first for out_first, misfits in fits.items() if not misfits]
    if not fitting:
        before, after = next(iter(fits.values()))[0]
        msg = (
            f"{show(after)}, {show(weights[after])}, does not take what {show(before)}, {show(weights[before])}, gives"
        )
        raise ValueError(msg)
    if len(fitting) > 1:
        msg = "all weights are square, and nothing says whether they are (out, in) or (in, out)"
        raise ValueError(msg)
    return fitting[0]


def _biases(weights: list[str], shapes: Mapping[str, Shape], *, out_first: bool) -> tuple[str | None, ...]:
    """The bias of each weight, where whatever is no weight is one."""
    left = {name: shape for name, shape in shapes.items() if len(shape) < 2}
    found: list[str | None] = []
    for weight in weights:
        name = _bias_of(weight)
        outputs = shapes[weight][0 if out_first else 1]
        found.append(name if name is not None and left.get(name) == (outputs,) else None)
        left.pop(found[-1] or "", None)
    if left:
        msg = f"{show(next(iter(left)))} is neither the weight nor the bias of a layer of a chain"
        raise ValueError(msg)
    return tuple(found)


def _bias_of(weight: str) -> str | None:
    """The name of a weight's bias, such as `h.0.bias` for `h.0.weight` and `b1` for `w1`."""
    found = re.fullmatch(r"(.*?)([A-Za-z]+)([0-9_]*(?::0)?)", weight, re.DOTALL)
    if found is None or found[2] not in _BIASES:
        return None
    return f"{found[1]}{_BIASES[found[2]]}{found[3]}"
