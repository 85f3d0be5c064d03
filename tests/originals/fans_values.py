"""Writes the shapes of weights of layers and the fans that a framework counts for them; runs without varscale.

.venv-replay-x/bin/python tests/originals/fans_values.py FILE FRAMEWORK WEIGHT...
"""

from __future__ import annotations

import sys
from operator import attrgetter
from typing import Any

import numpy as np

Weight = tuple[tuple[int, ...], tuple[float, float]]
"""A shape and its fans."""


def keras(weight: str) -> Weight:
    """What a layer asks of `compute_fans` when it makes the weight."""
    import keras
    from keras.src.initializers import random_initializers

    (made, *shapes), name = arguments(weight, vars(keras.layers))
    heard = hear(random_initializers, "compute_fans")
    made.build(*((None, *shape) for shape in shapes))
    shape = tuple(attrgetter(name or "kernel")(made).shape)
    return shape, next(fans for (asked, *_), fans in heard if tuple(asked) == shape)


def jax(weight: str) -> Weight:
    """What a module of Flax, or an initializer of JAX, asks of `_compute_fans`."""
    import flax.linen
    import jax
    from jax._src.nn import initializers

    def variance_scaling(**axes: Any) -> Any:
        return jax.nn.initializers.variance_scaling(1.0, "fan_avg", "uniform", **axes)

    (made, shape), _ = arguments(weight, {**vars(flax.linen), "variance_scaling": variance_scaling})
    heard = hear(initializers, "_compute_fans")
    if callable(getattr(made, "init", None)):
        found = jax.eval_shape(made.init, jax.random.key(0), jax.ShapeDtypeStruct((1, *shape), "float32"))
        kernel = found["params"]["kernel"].shape
    else:
        kernel = jax.eval_shape(lambda: made(jax.random.key(0), shape)).shape
    return kernel, heard[-1][1]


def torch(weight: str) -> Weight:
    """What `_calculate_fan_in_and_fan_out` says of a parameter."""
    import torch
    from torch.nn.init import _calculate_fan_in_and_fan_out

    made = eval(weight, {**vars(torch.nn), "empty": torch.empty})
    return tuple(made.shape), _calculate_fan_in_and_fan_out(made)


def mlx(weight: str) -> Weight:
    """What `_calculate_fan_in_fan_out` says of an array."""
    import mlx.core
    import mlx.nn
    from mlx.nn.init import _calculate_fan_in_fan_out

    made = eval(weight, {**vars(mlx.nn), "zeros": mlx.core.zeros})
    return tuple(made.shape), _calculate_fan_in_fan_out(made)


def arguments(weight: str, names: dict[str, Any]) -> tuple[tuple[Any, ...], str]:
    """The layer and the shapes of its inputs, and the name of the weight, which stands after a colon."""
    layer, _, name = weight.partition(": ")
    return eval(layer, dict(names)), name


def hear(module: Any, name: str) -> list[tuple[Any, Any]]:
    """The calls of a function from now on, as pairs of its arguments and what it returned."""
    function, heard = getattr(module, name), []

    def listening(*args: Any, **kwargs: Any) -> Any:
        heard.append((args, function(*args, **kwargs)))
        return heard[-1][1]

    setattr(module, name, listening)
    return heard


if __name__ == "__main__":
    file, framework, *weights = sys.argv[1:]
    counted = {weight: globals()[framework](weight) for weight in weights}
    # By number, because the names of arrays are those of files.
    np.savez(file, **{str(place): np.array([*fans, *shape]) for place, (shape, fans) in enumerate(counted.values())})
