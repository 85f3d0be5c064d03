"""The forward signal: seeded inputs, sent through the layers of a chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._arguments.show import show
from .._initializers.random import RandomNormal

Values = NDArray[np.float64]
Rows = Callable[[str], Iterable[NDArray[Any]]]
"""The rows of a tensor by its name, some at a time; those of a vector are its elements."""
Activation = Callable[[Values], Any]

INPUTS = 128
"""The number of inputs: the signal is known to a few percent."""
_ROOT = sqrt(2.0 / np.pi)
ACTIVATIONS: Mapping[str, Activation] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "gelu": lambda x: 0.5 * x * (1.0 + np.tanh(_ROOT * (x + 0.044715 * x**3))),
    "silu": lambda x: x / (1.0 + np.exp(-x)),
}
"""The activations that have a name; GELU is its usual approximation by tanh."""


class Layer(NamedTuple):
    """A layer of a chain: how it is read, and how many outputs it has."""

    weight: str
    bias: str | None
    outputs: int


def forward(
    layers: Iterable[Layer], rows: Rows, width: int, *, out_first: bool, activation: Activation
) -> Iterator[float]:
    """The root mean square of the inputs, and of each layer's outputs before the activation.

    Inputs are independent standard normal numbers of one seed. A layer is read row by row, so that only the outputs of
    two layers are held.
    """
    signal: Values = RandomNormal(0.0, 1.0, seed=0)((width, INPUTS), "float64")
    yield _size(signal)
    with np.errstate(all="ignore"):  # what overflows is shown as such
        for number, layer in enumerate(layers):
            given = np.asarray(activation(signal), np.float64) if number else signal
            if given.shape != signal.shape:
                msg = f"`activation` must return an array of the shape that it gets, {signal.shape}, got {given.shape}"
                raise ValueError(msg)
            signal = _through(layer, rows, given, out_first=out_first)
            yield _size(signal)


def _through(layer: Layer, rows: Rows, given: Values, *, out_first: bool) -> Values:
    signal, done = np.zeros((layer.outputs, given.shape[1])), 0
    for some in rows(layer.weight):
        weight, end = np.asarray(some, np.float64), done + len(some)
        if out_first:
            signal[done:end] = weight @ given
        else:
            signal += weight.T @ given[done:end]
        done = end
    if layer.bias is not None:
        signal += np.concatenate([np.asarray(some, np.float64) for some in rows(layer.bias)])[:, None]
    return signal


def _size(signal: Values) -> float:
    """The root mean square; infinite where an output is, NaN where one is NaN."""
    most = float(np.abs(signal).max(initial=0.0))
    return most * sqrt(np.mean(np.square(signal / most))) if 0.0 < most < inf else most


def parse_activation(activation: Any) -> tuple[str, Activation]:
    """The name of an activation and its function.

    Raises:
        ValueError: It is neither a function nor a known name.
    """
    if callable(activation):
        return str(getattr(activation, "__name__", "activation")), activation
    word = "linear" if activation is None else activation
    if not isinstance(word, str) or word not in ACTIVATIONS:
        msg = f"`activation` must be a function of arrays, or one of {', '.join(ACTIVATIONS)}, got {show(activation)}"
        raise ValueError(msg)
    return word, ACTIVATIONS[word]
