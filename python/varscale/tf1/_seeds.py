"""Seeds: the stream that an operation draws from, by its own seed and by TensorFlow's global one."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.eager.context import global_seed

from .._core import identity
from .._initializers.sampled import Sampled
from .._sources.identity import call_field, seed_field
from .._sources.seeds import draws_entropy

_MODULUS = 2**31 - 1
"""TensorFlow counts modulo this number, and says it where it means 0 under the global seed 0."""


def stream_of(init: Sampled) -> bytes | None:
    """The name of the stream that every run of an operation draws from; None where each run draws fresh entropy.

    It is the one that `varscale.set_random_seed` would give, had it been told TensorFlow's seed: for an unseeded
    operation, as the call of the same number. Where TensorFlow has no global seed, varscale's counts.
    """
    # In this order: asking for the number of an unseeded operation takes it.
    own: Any = init.seed
    number = tf.compat.v1.get_seed(None)[1] if own is None else None
    seed = global_seed() if tf.executing_eagerly() else tf.compat.v1.get_default_graph().seed
    if seed is None:
        return None if draws_entropy(own) else init._stream()
    return identity(seed_field(seed) + (seed_field(own) if number is None else call_field(number % _MODULUS)))
