"""The initializers of `mlx.nn.init` by name, each a function from an array to an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from .._arguments.checks import integer
from .._arguments.dtypes import float_type
from .._arguments.show import show
from .._initializers.orthogonal import Orthogonal
from .._initializers.random import RandomNormal, RandomUniform
from .._initializers.sampled import Sampled
from .._initializers.sparse import Sparse
from .._initializers.variance_scaling import Distribution, VarianceScaling

Filler = Callable[[mx.array], mx.array]


def normal(mean: float = 0.0, std: float = 1.0, dtype: mx.Dtype = mx.float32, *, seed: int | None = None) -> Filler:
    """Normal values: those of `varscale.RandomNormal(mean, std, seed)`.

    Args:
        mean: A finite number.
        std: A finite number that is not negative.
        dtype: The dtype of what the function returns, whatever that of its argument.
        seed: An integer, with which every call makes the same values, also for two layers; or None, where each call
            draws a seed from `mx.random`, so that `mx.random.seed` repeats all of them.

    Returns:
        A function from an array to a new one of its shape.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.

    Example:
        >>> import mlx.core as mx
        >>> import varscale as vs
        >>> kernel = vs.mlx.normal(std=0.02, dtype=mx.bfloat16, seed=7)(mx.zeros((64, 32)))
        >>> kernel.shape, kernel.dtype
        ((64, 32), mlx.core.bfloat16)
    """
    make, rule = _maker(dtype, seed), RandomNormal(mean, std)
    return lambda a: make(rule, a)


def uniform(low: float = 0.0, high: float = 1.0, dtype: mx.Dtype = mx.float32, *, seed: int | None = None) -> Filler:
    """Uniform values in [low, high): those of `varscale.RandomUniform(low, high, seed)`.

    Args:
        low: The least value, a finite number.
        high: The bound that no value reaches.
        dtype: The dtype of what the function returns.
        seed: An integer or None, as for `normal`.

    Returns:
        A function from an array to a new one of its shape.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    make, rule = _maker(dtype, seed), RandomUniform(low, high)
    return lambda a: make(rule, a)


def glorot_normal(dtype: mx.Dtype = mx.float32, *, seed: int | None = None) -> Callable[..., mx.array]:
    """Normal values of the standard deviation gain * sqrt(2 / (fan_in + fan_out)), not truncated, as MLX has them.

    Args:
        dtype: The dtype of what the function returns.
        seed: An integer or None, as for `normal`.

    Returns:
        A function `f(a, gain=1.0)` from an array to a new one of its shape.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    scaled = _scaled("untruncated_normal", dtype, seed)
    return lambda a, gain=1.0: scaled(a, "fan_avg", gain)


def glorot_uniform(dtype: mx.Dtype = mx.float32, *, seed: int | None = None) -> Callable[..., mx.array]:
    """Uniform values of the standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    Args:
        dtype: The dtype of what the function returns.
        seed: An integer or None, as for `normal`.

    Returns:
        A function `f(a, gain=1.0)` from an array to a new one of its shape.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    scaled = _scaled("uniform", dtype, seed)
    return lambda a, gain=1.0: scaled(a, "fan_avg", gain)


def he_normal(dtype: mx.Dtype = mx.float32, *, seed: int | None = None) -> Callable[..., mx.array]:
    """Normal values of the standard deviation gain / sqrt(fan), not truncated.

    He's own gain for ReLU is sqrt(2), which MLX does not put in: pass `gain=2**0.5`.

    Args:
        dtype: The dtype of what the function returns.
        seed: An integer or None, as for `normal`.

    Returns:
        A function `f(a, mode="fan_in", gain=1.0)` from an array to a new one of its shape.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    scaled = _scaled("untruncated_normal", dtype, seed)
    return lambda a, mode="fan_in", gain=1.0: scaled(a, mode, gain)


def he_uniform(dtype: mx.Dtype = mx.float32, *, seed: int | None = None) -> Callable[..., mx.array]:
    """Uniform values of the standard deviation gain / sqrt(fan), with a gain as for `he_normal`.

    Args:
        dtype: The dtype of what the function returns.
        seed: An integer or None, as for `normal`.

    Returns:
        A function `f(a, mode="fan_in", gain=1.0)` from an array to a new one of its shape.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    scaled = _scaled("uniform", dtype, seed)
    return lambda a, mode="fan_in", gain=1.0: scaled(a, mode, gain)


def sparse(
    sparsity: float, mean: float = 0.0, std: float = 1.0, dtype: mx.Dtype = mx.float32, *, seed: int | None = None
) -> Filler:
    """Normal values, of which in each row exactly ceil(sparsity * columns) are zeros: the inputs of one unit.

    They are those of `varscale.Sparse(sparsity, std, seed)` for the transposed matrix.

    Args:
        sparsity: The fraction of zeros, a number from 0 to 1.
        mean: 0.
        std: The standard deviation of the other values.
        dtype: The dtype of what the function returns.
        seed: An integer or None, as for `normal`.

    Returns:
        A function from a matrix to a new one of its shape.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    if mean != 0:
        msg = f"`mean` must be 0, got {show(mean)}"
        raise ValueError(msg)
    make, rule = _maker(dtype, seed), Sparse(sparsity, std)
    return lambda a: make(rule, a.T).T


def orthogonal(gain: float = 1.0, dtype: mx.Dtype = mx.float32, *, seed: int | None = None) -> Filler:
    """Orthogonal matrices times `gain`: those of `varscale.Orthogonal(gain, seed, axis=0)`.

    Args:
        gain: A finite number.
        dtype: The dtype of what the function returns.
        seed: An integer or None, as for `normal`.

    Returns:
        A function from an array of two axes or more to a new one of its shape.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    make, rule = _maker(dtype, seed), Orthogonal(gain, axis=0)
    return lambda a: make(rule, a)


def _maker(dtype: mx.Dtype, seed: int | None) -> Callable[[Sampled, mx.array], mx.array]:
    """What makes an array of another's shape by a rule: from this seed, or from a new one each time."""
    float_type(dtype)
    given = None if seed is None else integer("seed", seed)

    def make(rule: Sampled, a: mx.array) -> mx.array:
        return mx.array(rule._with_seed(_drawn_seed() if given is None else given)(a.shape, dtype))

    return make


def _scaled(law: Distribution, dtype: mx.Dtype, seed: int | None) -> Callable[[mx.array, Any, float], mx.array]:
    """What makes an array of another's shape by a law that is scaled with its fans, a mode and a gain."""
    make = _maker(dtype, seed)

    def scaled(a: mx.array, mode: Any, gain: float) -> mx.array:
        if a.ndim < 2:  # MLX knows no fans
            msg = f"`a` must have two axes at least, got {show(a.shape)}"
            raise ValueError(msg)
        return make(VarianceScaling(mode=mode, distribution=law, gain=gain, layout="mlx"), a)

    return scaled


def _drawn_seed() -> int:
    """128 bits of MLX's global generator, 16 at a time: the last digits of its larger numbers are zeros."""
    words = np.array(mx.random.randint(0, 2**16, (8,), mx.uint32))
    return int.from_bytes(words.astype(">u2").tobytes(), "big")
