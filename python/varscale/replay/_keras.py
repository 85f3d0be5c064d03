"""Keras 3's streams, one a backend, and the seeds that its layers get by default."""

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
        seed: The initializer's or the generator's seed.
        backend: What Keras runs on; each backend has numbers of its own.
        draw: Which draw of a `SeedGenerator(seed)` it is, from 0 on. An initializer with an integer seed always makes
            draw 0.

    Raises:
        TypeError: An argument of the wrong kind.
        ValueError: An unknown backend, a negative `draw`, or a seed that Keras refuses.

    Example:
        >>> import varscale as vs
        >>> from varscale import replay
        >>> vs.lecun_normal(seed=replay.keras(42))((2, 2))
        array([[ 0.01271491, -1.278227  ],
               [ 0.08327673,  0.65254015]], dtype=float32)
    """
    return BACKENDS[word("backend", backend, tuple(BACKENDS))](seed, draw)


def keras_defaults(global_seed: int, backend: Backend = "tensorflow") -> Iterator[Keras]:
    """What initializers without a seed get after `keras.utils.set_random_seed(global_seed)`, in order of construction.

    All that draws a default seed takes its turn: a `Dropout` layer between two `Dense` layers, say, takes one, which is
    left out here by `next`. In tf_keras the numbers are the same: `tf_keras(next(defaults).seed)`.

    Args:
        global_seed: The global seed.
        backend: What Keras runs on.

    Raises:
        TypeError: An argument of the wrong kind.
        ValueError: An unknown backend.

    Example:
        >>> from varscale import replay
        >>> defaults = replay.keras_defaults(7)
        >>> [next(defaults).seed for layer in range(2)]
        [347712783, 161973070]
    """
    random = Random(integer("global_seed", global_seed))
    word("backend", backend, tuple(BACKENDS))
    return (keras(random.randint(1, 10**9), backend) for _ in iter(int, 1))
