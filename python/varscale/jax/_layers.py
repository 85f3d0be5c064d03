"""Layers of Equinox and of Flax's nnx: their weights' shapes and fans, without importing either."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from .._models.layouts import Fans

_PACKAGES = ("equinox.nn", "flax.nnx.nn")
"""Where the layers are."""


class Weight(NamedTuple):
    """A weight of a layer."""

    fans: Fans
    shape: tuple[int, ...]
    """That of one layer: a leaf with more axes in front is of a stack of layers."""

    def of(self, shape: tuple[int, ...]) -> Fans | None:
        """The fans of a leaf of this shape; None for one that is no stack of this weight."""
        batch = len(shape) - len(self.shape)
        return self.fans._replace(batch=batch) if batch >= 0 and shape[batch:] == self.shape else None


Weights = dict[str, Weight]


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


def weights_of(node: Any) -> Weights:
    """The weights of a layer by name; none for any other node."""
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


def _linear(layer: Any) -> Weights:
    sizes = (layer.out_features, layer.in_features)  # "scalar" stands for one
    return {"weight": Weight(Fans(), tuple(1 if size == "scalar" else size for size in sizes))}


def _convolution(layer: Any) -> Weights:
    fans = _grouped(Fans(), layer.in_channels, layer.out_channels, layer.kernel_size, layer.groups)
    return {"weight": Weight(fans, (layer.out_channels, layer.in_channels // layer.groups, *layer.kernel_size))}


def _cell(count: int) -> Callable[[Any], Weights]:
    """The matrices of gates stand one above another."""

    def weights(cell: Any) -> Weights:
        gates, rows = Fans(fan_out=cell.hidden_size, blocks=count), count * cell.hidden_size
        return {
            "weight_ih": Weight(gates, (rows, cell.input_size)),
            "weight_hh": Weight(gates, (rows, cell.hidden_size)),
        }

    return weights


def _nnx_linear(layer: Any) -> Weights:
    return {"kernel": Weight(Fans(-2, -1), (layer.in_features, layer.out_features))}


def _nnx_general(layer: Any) -> Weights:
    ins, outs = len(layer.in_features), len(layer.out_features)
    fans = Fans(tuple(range(ins)), tuple(range(ins, ins + outs)))
    return {"kernel": Weight(fans, (*layer.in_features, *layer.out_features))}


def _nnx_convolution(layer: Any) -> Weights:
    ins, outs, groups = layer.in_features, layer.out_features, layer.feature_group_count
    return {"kernel": Weight(_grouped(Fans(-2, -1), ins, outs, layer.kernel_size, groups), layer.kernel_shape)}


def _nnx_transposed(layer: Any) -> Weights:
    return {"kernel": Weight(Fans(-1, -2) if layer.transpose_kernel else Fans(-2, -1), layer.kernel_shape)}


def _nnx_cell(count: int) -> Callable[[Any], Weights]:
    """The matrices of gates stand side by side."""

    def weights(cell: Any) -> Weights:
        gates, columns = Fans(-2, -1, fan_out=cell.hidden_features, blocks=count), count * cell.hidden_features
        return {
            "dense_i/kernel": Weight(gates, (cell.in_features, columns)),
            "dense_h/kernel": Weight(gates, (cell.hidden_features, columns)),
        }

    return weights


def _grouped(fans: Fans, ins: int, outs: int, kernel: Any, groups: int) -> Fans:
    """The fans of a convolution, whose unit is connected with the channels of its group only."""
    if groups == 1:
        return fans
    field = prod(kernel)
    return fans._replace(fan_in=ins // groups * field, fan_out=outs // groups * field, groups=groups)


_LAYERS: dict[str, dict[str, Callable[[Any], Weights]]] = {
    "equinox.nn": {
        "Linear": _linear,
        "Conv": _convolution,
        "ConvTranspose": _convolution,
        "GRUCell": _cell(3),
        "LSTMCell": _cell(4),
    },
    "flax.nnx.nn": {
        "Linear": _nnx_linear,
        "LinearGeneral": _nnx_general,
        "Conv": _nnx_convolution,
        "ConvTranspose": _nnx_transposed,
        "GRUCell": _nnx_cell(3),
        "OptimizedLSTMCell": _nnx_cell(4),
    },
}
