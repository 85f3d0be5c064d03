"""Values of Keras' variables as NumPy arrays, and those that they are to have."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import varscale as vs


def value(tensor: Any) -> np.ndarray:
    """The array of a variable, or of a tensor of any backend."""
    tensor = getattr(tensor, "value", tensor)
    tensor = tensor() if callable(tensor) else tensor  # TensorFlow's variables have a method of that name
    tensor = tensor.detach().cpu() if hasattr(tensor, "detach") else tensor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of their `__array__`, which takes no `copy`
        return np.array(tensor)


def ours(name: str, path: str, shape: Any, seed: int = 7, **more: Any) -> np.ndarray:
    """NumPy's values of one variable."""
    return getattr(vs, name)(seed=seed, **more).fold_in(path)(tuple(shape))
