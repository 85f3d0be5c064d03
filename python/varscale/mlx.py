"""MLX: the initializers of `mlx.nn.init` by name, each a function from an array to an array; and modules, by path.

It needs the extra: `pip install 'varscale[mlx]'`. What draws nothing is MLX's own function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np

from ._arguments.checks import integer
from ._arguments.dtypes import float_type
from ._arguments.show import show
from ._engines import check_initializer, missing
from ._initializers.builtin import Builtin
from ._initializers.orthogonal import Orthogonal
from ._initializers.random import RandomNormal, RandomUniform
from ._initializers.sampled import Sampled
from ._initializers.sparse import Sparse
from ._initializers.variance_scaling import Distribution, VarianceScaling
from ._models.model import Model

try:
    import mlx.core as mx
except ModuleNotFoundError as error:
    raise missing("mlx", error) from error

from mlx.nn.init import constant, identity
from mlx.utils import tree_flatten

__all__ = [
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "init_",
    "normal",
    "orthogonal",
    "sparse",
    "uniform",
]
Module = TypeVar("Module")
Mode = Literal["fan_in", "fan_out"]
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
    make = _maker(dtype, seed)

    def initializer(a: mx.array, gain: float = 1.0) -> mx.array:
        return make(_scaling(a, gain, "fan_avg", "untruncated_normal"), a)

    return initializer


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
    make = _maker(dtype, seed)

    def initializer(a: mx.array, gain: float = 1.0) -> mx.array:
        return make(_scaling(a, gain, "fan_avg", "uniform"), a)

    return initializer


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
    make = _maker(dtype, seed)

    def initializer(a: mx.array, mode: Mode = "fan_in", gain: float = 1.0) -> mx.array:
        return make(_scaling(a, gain, mode, "untruncated_normal"), a)

    return initializer


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
    make = _maker(dtype, seed)

    def initializer(a: mx.array, mode: Mode = "fan_in", gain: float = 1.0) -> mx.array:
        return make(_scaling(a, gain, mode, "uniform"), a)

    return initializer


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


def init_(module: Module, init_or_model: Builtin | Model, seed: int | None = None) -> Module:
    """Fills the parameters of a module, each from a stream of its own that its path names.

    Args:
        module: A module of `mlx.nn`.
        init_or_model: An initializer for every parameter of two axes or more, while the others stay as they are; or a
            `varscale.Model` of all parameters. Fans are counted for (out, *kernel, in).
        seed: Any integer or None (see `varscale.set_random_seed`).

    Returns:
        `module`.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The model has other names or shapes than the module.

    Example:
        >>> import mlx.nn as nn
        >>> import varscale as vs
        >>> network = vs.mlx.init_(nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 8)), vs.he_normal(), 7)
        >>> kernel = vs.he_normal(7, layout="mlx").fold_in("layers.2.weight")((8, 128))
        >>> network.layers[2].weight.tolist() == kernel.tolist()
        True
    """
    parameters: Any = module
    arrays = dict(tree_flatten(parameters.parameters()))
    if isinstance(init_or_model, Model):
        told = {name: parameter.shape for name, parameter in init_or_model.items()}
        if (own := {name: array.shape for name, array in arrays.items()}) != told:
            different = sorted(name for name in {**told, **own} if told.get(name) != own.get(name))
            msg = f"`init_or_model` must have the module's names and shapes, but differs at {show(different)}"
            raise ValueError(msg)
        rules = {name: parameter.initializer for name, parameter in init_or_model.items()}
    else:
        rule = check_initializer(init_or_model, "init_or_model", "a model")
        rules = {name: rule for name, array in arrays.items() if array.ndim >= 2}
    entries = {name: (arrays[name].shape, arrays[name].dtype, init) for name, init in rules.items()}
    made = Model(entries, layout="mlx").init(seed)
    parameters.load_weights([(name, mx.array(values)) for name, values in made.items()], strict=False)
    return module


def _maker(dtype: mx.Dtype, seed: int | None) -> Callable[[Sampled, mx.array], mx.array]:
    """What makes an array of another's shape by a rule: from this seed, or from a new one each time."""
    float_type(dtype)
    given = None if seed is None else integer("seed", seed)

    def make(rule: Sampled, a: mx.array) -> mx.array:
        return mx.array(rule._with_seed(_drawn_seed() if given is None else given)(a.shape, dtype))

    return make


def _scaling(a: mx.array, gain: float, mode: Any, law: Distribution) -> Sampled:
    """The rule for an array, which MLX must know the fans of."""
    if a.ndim < 2:
        msg = f"`a` must have two axes at least, got {show(a.shape)}"
        raise ValueError(msg)
    return VarianceScaling(mode=mode, distribution=law, gain=gain, layout="mlx")


def _drawn_seed() -> int:
    """128 bits of MLX's global generator, 16 at a time: the last digits of its larger numbers are zeros."""
    words = np.array(mx.random.randint(0, 2**16, (8,), mx.uint32))
    return int.from_bytes(words.astype(">u2").tobytes(), "big")
