"""The initializers whose law the shape does not change: TensorFlow's classes, and our values.

Three of them have other defaults in Keras than in TensorFlow. A pair is a class and its subclass.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .._initializers import orthogonal, random
from .._initializers.sampled import Sampled
from ._drawn import Drawn


class RandomNormal(Drawn, tf.compat.v1.random_normal_initializer):  # type: ignore[misc]
    """Normal values: `varscale.RandomNormal`.

    Args:
        mean: A finite number.
        stddev: A finite number that is not negative.
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.05,
        seed: int | None = None,
        dtype: Any = tf.float32,
        *,
        embed: bool = False,
    ) -> None:
        self.mean, self.stddev = mean, stddev
        self._seal(seed, dtype, embed)

    def _rule(self) -> Sampled:
        return random.RandomNormal(self.mean, self.stddev, self.seed, self.dtype)


class TruncatedNormal(Drawn, tf.compat.v1.truncated_normal_initializer):  # type: ignore[misc]
    """Normal values truncated at two standard deviations: `varscale.TruncatedNormal`.

    Args:
        mean: A finite number.
        stddev: The standard deviation before truncation, a finite number that is not negative.
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.05,
        seed: int | None = None,
        dtype: Any = tf.float32,
        *,
        embed: bool = False,
    ) -> None:
        self.mean, self.stddev = mean, stddev
        self._seal(seed, dtype, embed)

    def _rule(self) -> Sampled:
        return random.TruncatedNormal(self.mean, self.stddev, self.seed, self.dtype)


class RandomUniform(Drawn, tf.compat.v1.random_uniform_initializer):  # type: ignore[misc]
    """Uniform values in [minval, maxval): `varscale.RandomUniform`. There are no integers.

    Args:
        minval: The least value, a finite number.
        maxval: The bound that no value reaches, a finite number not less than `minval`; None for 1.
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(
        self,
        minval: float = -0.05,
        maxval: float | None = 0.05,
        seed: int | None = None,
        dtype: Any = tf.float32,
        *,
        embed: bool = False,
    ) -> None:
        self.minval, self.maxval = minval, maxval
        self._seal(seed, dtype, embed)

    def _rule(self) -> Sampled:
        return random.RandomUniform(self.minval, 1.0 if self.maxval is None else self.maxval, self.seed, self.dtype)


class random_normal_initializer(RandomNormal):
    """`RandomNormal` with the defaults of TensorFlow: the standard deviation is 1.

    Args:
        mean: A finite number.
        stddev: A finite number that is not negative.
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 1.0,
        seed: int | None = None,
        dtype: Any = tf.float32,
        *,
        embed: bool = False,
    ) -> None:
        super().__init__(mean, stddev, seed, dtype, embed=embed)


class truncated_normal_initializer(TruncatedNormal):
    """`TruncatedNormal` with the defaults of TensorFlow: the standard deviation is 1 before truncation.

    Args:
        mean: A finite number.
        stddev: The standard deviation before truncation, a finite number that is not negative.
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 1.0,
        seed: int | None = None,
        dtype: Any = tf.float32,
        *,
        embed: bool = False,
    ) -> None:
        super().__init__(mean, stddev, seed, dtype, embed=embed)


class random_uniform_initializer(RandomUniform):
    """`RandomUniform` with the defaults of TensorFlow: values in [0, 1).

    Args:
        minval: The least value, a finite number.
        maxval: The bound that no value reaches, a finite number not less than `minval`; None for 1.
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(
        self,
        minval: float = 0.0,
        maxval: float | None = None,
        seed: int | None = None,
        dtype: Any = tf.float32,
        *,
        embed: bool = False,
    ) -> None:
        super().__init__(minval, maxval, seed, dtype, embed=embed)


class Orthogonal(Drawn, tf.compat.v1.orthogonal_initializer):  # type: ignore[misc]
    """Orthogonal matrices times `gain`, each as likely as any other: `varscale.Orthogonal`.

    Args:
        gain: A finite number.
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(
        self, gain: float = 1.0, seed: int | None = None, dtype: Any = tf.float32, *, embed: bool = False
    ) -> None:
        self.gain = gain
        self._seal(seed, dtype, embed)

    def _rule(self) -> Sampled:
        return orthogonal.Orthogonal(self.gain, self.seed, self.dtype)
