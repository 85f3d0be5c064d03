"""The forward signal of a chain as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .._arguments.layouts import Layout
from .._arguments.show import show
from .._models.layouts import parse_layout
from .._models.model import Model, model_layout
from ._axes import MEASURED, axes, plain
from ._chain import Chain, chain, in_order
from ._forward import Activation, Layer, forward, parse_activation

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def signal(
    network: Model | Mapping[str, Any],
    seed: SupportsIndex | None = None,
    *,
    activation: str | Activation | None = "relu",
    names: Iterable[str] | None = None,
    layout: Layout | None = None,
    ax: Any = None,
) -> Axes:
    """Draws the standard deviation of the activations of a chain by depth.

    128 inputs of independent standard normal numbers, always the same ones, go through all layers. Drawn is the root
    mean square of the inputs and of each layer's outputs before the activation: their standard deviation, where their
    mean is zero.

    Args:
        network: A model, or arrays by name. Of several layers that follow one another all names differ by one number,
            their order, and there are only their weights, of two axes, and their biases.
        seed: The seed of a model's weights.
        activation: What stands between two layers: "linear", "relu", "tanh", "gelu" or "silu", or a function of arrays
            of float64; None for nothing.
        names: The weights in their order, where the network is no such chain by itself; biases are then left out.
        layout: The layout of the weights: needed where all are square, and a model does not know its own.
        ax: The axes to draw on; None for new ones.

    Returns:
        The axes.

    Raises:
        TypeError: An argument is of the wrong kind.
        KeyError: A name is not in the network.
        ValueError: The network is no plain chain, the weights do not fit one behind the other, or the seed is a replay.
        ImportError: matplotlib is not installed.

    Example:
        >>> import varscale as vs
        >>> shapes = {f"layers.{depth}.weight": (256, 256) for depth in range(20)}
        >>> model = vs.Model(shapes, [("*", vs.he_normal())], layout="torch")
        >>> ax = vs.plot.signal(model, seed=7, activation="relu")
        >>> [round(float(size), 1) for size in ax.lines[0].get_ydata()[:3]]
        [1.0, 1.4, 1.4]
    """
    word, function = parse_activation(activation)
    if not isinstance(network, Mapping):
        msg = f"`network` must be a Model, or a mapping from names to arrays, got {show(network)}"
        raise TypeError(msg)
    told = parse_layout(layout, set()) or (model_layout(network) if isinstance(network, Model) else None)
    chosen = list(network) if names is None else list(names)
    lacking = [name for name in chosen if name not in network]
    if lacking:
        msg = f"`names` must be names of the network, got {show(lacking[0])}"
        raise KeyError(msg)
    shapes = {
        name: tuple(np.shape(network[name]) if not isinstance(network, Model) else network[name].shape)
        for name in chosen
    }
    try:
        found = chain(shapes, told) if names is None else in_order(shapes, told)
    except ValueError as error:
        hint = ": `names` says which weights are one" if names is None else ""
        msg = f"`network` must be a plain chain of layers{hint}; {error}"
        raise ValueError(msg) from None
    arrays = network.init(seed, _all(found)) if isinstance(network, Model) else network
    sizes = _sizes(found, shapes, arrays, function)
    drawn = axes(ax, 6.4, 3.6)
    drawn.plot(range(len(sizes)), sizes, color=MEASURED if ax is None else None, marker="o", markersize=3, label=word)
    known = [size for size in sizes if 0.0 < size < np.inf]
    if known and max(known) / min(known) > 8.0:
        drawn.set_yscale("log")
    else:
        drawn.set_ylim(bottom=0.0)
    drawn.set_xlabel("depth")
    drawn.set_ylabel("standard deviation")
    plain(drawn)
    return drawn


def _all(found: Chain) -> list[str]:
    return [*found.weights, *(bias for bias in found.biases if bias is not None)]


def _sizes(
    found: Chain, shapes: Mapping[str, tuple[int, ...]], arrays: Mapping[str, Any], activation: Activation
) -> list[float]:
    inner, outer = (1, 0) if found.out_first else (0, 1)
    layers = [
        Layer(weight, bias, shapes[weight][outer]) for weight, bias in zip(found.weights, found.biases, strict=True)
    ]

    def rows(name: str) -> Iterable[NDArray[Any]]:
        return [np.asarray(arrays[name])]

    width = shapes[found.weights[0]][inner]
    return list(forward(layers, rows, width, out_first=found.out_first, activation=activation))
