"""The names of `tf.initializers` in TensorFlow 1, three of which have other defaults there than in Keras."""

from . import (
    constant,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    identity,
    lecun_normal,
    lecun_uniform,
    ones,
    orthogonal,
    uniform_unit_scaling,
    variance_scaling,
    zeros,
)
from . import random_normal_initializer as random_normal
from . import random_uniform_initializer as random_uniform
from . import truncated_normal_initializer as truncated_normal

__all__ = [
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "uniform_unit_scaling",
    "variance_scaling",
    "zeros",
]
