"""Layers of torch.nn: what one unit of each is connected with, told by its class and its sizes, without torch."""

from __future__ import annotations

from collections.abc import Callable, Container
from math import prod
from typing import Any

from .layouts import Fans


def layer_of(module: Any) -> str:
    """The layer of torch.nn that a module is, also by descent; "" for none."""
    bases = [cls.__name__ for cls in type(module).__mro__ if cls.__module__.startswith("torch.nn.modules.")]
    return next((name for name in bases if name in _LAYERS), "")


def fans_of(module: Any) -> dict[str, Fans]:
    """The fans of a module's own weights, by name, if it is a layer of torch.nn."""
    layer = layer_of(module)
    return {held_as(module, name): fans for name, fans in _LAYERS[layer](module).items()} if layer else {}


def held_as(module: Any, name: str) -> str:
    """The name of what a layer holds for a parameter that it computes: parametrized, or by a hook of old."""
    parametrized = getattr(module, "parametrizations", None)
    if isinstance(parametrized, Container) and name in parametrized:
        return f"parametrizations.{name}.original"
    # The hooks of spectral norm and pruning, and of weight norm.
    return next((held for held in (name, f"{name}_orig", f"{name}_v") if held in module._parameters), name)


def _dense(layer: Any) -> dict[str, Fans]:
    return {"weight": Fans()}


def _convolution(layer: Any) -> dict[str, Fans]:
    axes = Fans(0, 1) if layer.transposed else Fans(1, 0)
    if layer.groups == 1:
        return {"weight": axes}
    # Its unit is connected with the channels of its group only.
    field = prod(layer.kernel_size)
    ins, outs = (channels // layer.groups * field for channels in (layer.in_channels, layer.out_channels))
    return {"weight": axes._replace(fan_in=ins, fan_out=outs, groups=layer.groups)}


def _recurrent(layer: Any) -> dict[str, Fans]:
    # The matrices of the gates stand one above another; each has the hidden units as its outputs.
    names = getattr(layer, "_flat_weights_names", ("weight_ih", "weight_hh"))  # cells have two
    rows = next((len(value) for value in layer._parameters.values() if value is not None), 0)
    gates = Fans(fan_out=layer.hidden_size, blocks=max(1, rows // max(1, layer.hidden_size)))
    return {name: Fans() if name.startswith("weight_hr") else gates for name in names if name.startswith("weight")}


def _attention(layer: Any) -> dict[str, Fans]:
    # The query's, the key's and the value's matrix, one above another, or each by itself.
    separate = dict.fromkeys(("q_proj_weight", "k_proj_weight", "v_proj_weight"), Fans())
    return {"in_proj_weight": Fans(fan_out=layer.embed_dim, blocks=3), **separate}


_LAYERS: dict[str, Callable[[Any], dict[str, Fans]]] = {
    "Linear": _dense,
    "Bilinear": _dense,
    "Embedding": _dense,
    "EmbeddingBag": _dense,
    "_ConvNd": _convolution,
    "RNNBase": _recurrent,
    "RNNCellBase": _recurrent,
    "MultiheadAttention": _attention,
}
