"""The variance scalings: TensorFlow's classes, with its arguments and configs, and our values."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import tensorflow as tf

from .._initializers import unit_scaling, variance_scaling
from .._initializers.sampled import Sampled
from ._drawn import Drawn

Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["truncated_normal", "untruncated_normal", "uniform", "normal"]


class VarianceScaling(Drawn, tf.compat.v1.variance_scaling_initializer):  # type: ignore[misc]
    """Draws values whose variance is `scale / n`, as `varscale.VarianceScaling` does.

    Args:
        scale: A positive, finite number.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph, for graphs that run without this Python process.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.

    Example:
        >>> import tensorflow.compat.v1 as tf
        >>> import varscale.tf1 as initializers
        >>> with tf.Graph().as_default(), tf.Session() as session:
        ...     kernel = tf.get_variable("kernel", (784, 256), initializer=initializers.lecun_normal(seed=7))
        ...     session.run(kernel.initializer)
        ...     values = session.run(kernel)
        >>> import varscale as vs
        >>> bool((values == vs.lecun_normal(seed=7)((784, 256))).all())
        True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: Mode = "fan_in",
        distribution: Distribution = "truncated_normal",
        seed: int | None = None,
        dtype: Any = tf.float32,
        *,
        embed: bool = False,
    ) -> None:
        self.scale, self.mode = scale, mode
        self.distribution: Any = distribution
        self._seal(seed, dtype, embed)
        self.distribution = distribution.lower()  # as TensorFlow's configs have it

    def _rule(self) -> Sampled:
        return variance_scaling.VarianceScaling(self.scale, self.mode, self.distribution, self.seed, self.dtype)


class Preset(VarianceScaling):
    """A variance scaling whose class fixes the scale, the mode and the distribution; its config has the seed alone."""

    _row: ClassVar[tuple[float, Mode, Distribution]]

    def __init__(self, seed: int | None = None, *, embed: bool = False) -> None:
        super().__init__(*self._row, seed, embed=embed)

    def get_config(self) -> dict[str, Any]:
        """The seed, and `embed` where it is True."""
        return {key: value for key, value in super().get_config().items() if key in {"seed", "embed"}}


class LecunNormal(Preset):
    """Normal values truncated at two standard deviations, with the variance 1 / fan_in: `varscale.LecunNormal`.

    Args:
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    _row = (1.0, "fan_in", "truncated_normal")


class LecunUniform(Preset):
    """Uniform values with the variance 1 / fan_in: `varscale.LecunUniform`.

    Args:
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    _row = (1.0, "fan_in", "uniform")


class HeNormal(Preset):
    """Normal values truncated at two standard deviations, with the variance 2 / fan_in: `varscale.HeNormal`.

    Args:
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    _row = (2.0, "fan_in", "truncated_normal")


class HeUniform(Preset):
    """Uniform values with the variance 2 / fan_in: `varscale.HeUniform`.

    Args:
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    _row = (2.0, "fan_in", "uniform")


class GlorotNormal(VarianceScaling, tf.compat.v1.glorot_normal_initializer):  # type: ignore[misc]
    """Normal values truncated at two standard deviations, with the variance 2 / (fan_in + fan_out).

    They are those of `varscale.GlorotNormal`.

    Args:
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(self, seed: int | None = None, dtype: Any = tf.float32, *, embed: bool = False) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype, embed=embed)


class GlorotUniform(VarianceScaling, tf.compat.v1.glorot_uniform_initializer):  # type: ignore[misc]
    """Uniform values with the variance 2 / (fan_in + fan_out): `varscale.GlorotUniform`.

    Args:
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(self, seed: int | None = None, dtype: Any = tf.float32, *, embed: bool = False) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype, embed=embed)


class UniformUnitScaling(Drawn, tf.compat.v1.uniform_unit_scaling_initializer):  # type: ignore[misc]
    """Uniform values in [-limit, limit], limit = factor * sqrt(3 / fan_in): `varscale.UniformUnitScaling`.

    Args:
        factor: A positive number.
        seed: Any integer or None (see `tf.compat.v1.set_random_seed`).
        dtype: A floating-point dtype, for calls without one.
        embed: Whether the values become a constant of the graph.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    def __init__(
        self, factor: float = 1.0, seed: int | None = None, dtype: Any = tf.float32, *, embed: bool = False
    ) -> None:
        self.factor = factor
        self._seal(seed, dtype, embed)

    def _rule(self) -> Sampled:
        return unit_scaling.UniformUnitScaling(self.factor, self.seed, self.dtype)
