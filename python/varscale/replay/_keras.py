"""Keras 3's streams, one per backend, and the seeds that its layers get by default."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal

from .._arguments.checks import integer, word
from ._jax import KerasJax
from ._keras_numpy import KerasNumpy
from ._scaling import Keras
from ._tensorflow import KerasTensorFlow
from ._torch import KerasTorch

Backend = Literal["tensorflow", "jax", "torch", "numpy"]
BACKENDS: dict[str, type[Keras]] = {cls.backend: cls for cls in (KerasTensorFlow, KerasJax, KerasTorch, KerasNumpy)}


def keras(seed: int, backend: Backend = "tensorflow", draw: int = 0) -> Keras:
    """The stream of Keras 3's initializers and of its `SeedGenerator` (3.15 on a CPU).

    Args:
        seed: The seed of the initializer or of the generator.
        backend: The framework that Keras runs on; each has numbers of its own.
        draw: The number of the draw from a `SeedGenerator(seed)`, from 0 on. An initializer with an integer seed always
            makes draw 0.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The backend is unknown, `draw` is negative, or Keras refuses the seed.

    Example:
        >>> import varscale as vs
        >>> from varscale import replay
        >>> vs.lecun_normal(seed=replay.keras(42))((2, 2))
        array([[ 0.01271491, -1.278227  ],
               [ 0.08327673,  0.65254015]], dtype=float32)
    """
    return BACKENDS[word("backend", backend, tuple(BACKENDS))](seed, draw)


def keras_defaults(global_seed: int, backend: Backend = "tensorflow") -> Iterator[Keras]:
    """The replays of default seeds after `keras.utils.set_random_seed(global_seed)`, in order of construction.

    Everything that draws a default seed takes its turn. A `Dropout` layer between two `Dense` layers takes one too, for
    which `next` must be called here. tf_keras draws the same seeds: `tf_keras(next(defaults).seed)`.

    Args:
        global_seed: The global seed.
        backend: The framework that Keras runs on.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The backend is unknown.

    Example:
        >>> from varscale import replay
        >>> defaults = replay.keras_defaults(7)
        >>> [next(defaults).seed for layer in range(2)]
        [347712783, 161973070]
    """
    random = Random(integer("global_seed", global_seed))
    # Checked now, because the generator runs only at the first `next`; `iter(int, 1)` never ends.
    word("backend", backend, tuple(BACKENDS))
    return (keras(random.randint(1, 10**9), backend) for _ in iter(int, 1))
