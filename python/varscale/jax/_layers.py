"""Layers of Equinox and of Flax's nnx: what one unit of each is connected with, without importing either."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from .._models.layouts import Fans

_PACKAGES = ("equinox.nn", "flax.nnx.nn")
"""Where the layers are."""


def layer_of(node: Any) -> str:
    """The layer that a node is, also by descent; "" for none."""
    return next((cls.__name__ for cls in type(node).__mro__ if _package(cls)), "")


def layout_of(node: Any) -> set[str]:
    """The layout that a node brings. Modules of users follow that of the layers of their framework."""
    for cls in type(node).__mro__:
        if cls.__module__.startswith("equinox.") and cls.__name__ == "Module":
            return {"torch"}
        if cls.__module__.startswith("flax.nnx."):
            return {"jax"}
    return set()


def fans_of(node: Any) -> dict[str, Fans]:
    """The fans of a layer's weights by name, where they are not those of its framework's layout."""
    for cls in type(node).__mro__:
        table = _LAYERS.get(_package(cls), {})
        if cls.__name__ in table:
            return table[cls.__name__](node)
    return {}


def is_state(node: Any) -> bool:
    """Whether a node keeps a state that a layer counts with, and that starts from what stands in it."""
    return type(node).__name__ == "StateIndex" and type(node).__module__.startswith("equinox.")


def _package(cls: type) -> str:
    return next((package for package in _PACKAGES if cls.__module__.startswith(f"{package}.")), "")


def _convolution(layer: Any) -> dict[str, Fans]:
    return {"weight": _grouped(Fans(), layer.in_channels, layer.out_channels, layer.kernel_size, layer.groups)}


def _gates(count: int) -> Callable[[Any], dict[str, Fans]]:
    """The matrices of gates stand one above another."""

    def fans(cell: Any) -> dict[str, Fans]:
        gates = Fans(fan_out=cell.hidden_size, blocks=count)
        return {"weight_ih": gates, "weight_hh": gates}

    return fans


def _general(layer: Any) -> dict[str, Fans]:
    batch, ins, outs = len(layer.batch_axis), len(layer.in_features), len(layer.out_features)
    if batch:
        return {}  # independent matrices side by side: the initializer names its axes itself
    return {"kernel": Fans(tuple(range(ins)), tuple(range(ins, ins + outs)))}


def _nnx_convolution(layer: Any) -> dict[str, Fans]:
    ins, outs, groups = layer.in_features, layer.out_features, layer.feature_group_count
    return {"kernel": _grouped(Fans(-2, -1), ins, outs, layer.kernel_size, groups)}


def _nnx_transposed(layer: Any) -> dict[str, Fans]:
    return {"kernel": Fans(-1, -2) if layer.transpose_kernel else Fans(-2, -1)}


def _nnx_gates(count: int) -> Callable[[Any], dict[str, Fans]]:
    """The matrices of gates stand side by side."""

    def fans(cell: Any) -> dict[str, Fans]:
        gates = Fans(-2, -1, fan_out=cell.hidden_features, blocks=count)
        return {"dense_i/kernel": gates, "dense_h/kernel": gates}

    return fans


def _grouped(fans: Fans, ins: int, outs: int, kernel: Any, groups: int) -> Fans:
    """The fans of a convolution, whose unit is connected with the channels of its group only."""
    if groups == 1:
        return fans
    field = prod(kernel)
    return fans._replace(fan_in=ins // groups * field, fan_out=outs // groups * field, groups=groups)


_LAYERS: dict[str, dict[str, Callable[[Any], dict[str, Fans]]]] = {
    "equinox.nn": {"Conv": _convolution, "ConvTranspose": _convolution, "GRUCell": _gates(3), "LSTMCell": _gates(4)},
    "flax.nnx.nn": {
        "Conv": _nnx_convolution,
        "ConvTranspose": _nnx_transposed,
        "LinearGeneral": _general,
        "GRUCell": _nnx_gates(3),
        "OptimizedLSTMCell": _nnx_gates(4),
    },
}
