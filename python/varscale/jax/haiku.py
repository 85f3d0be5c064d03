"""Haiku: the initializers of `varscale.jax` as `w_init(shape, dtype)`, each call with the next key of the module.

It needs `pip install dm-haiku`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec

import jax

from .._arguments.immutable import Immutable
from .._arguments.show import show
from . import _laws, _variance
from ._initializer import Initializer as Keyed

try:
    from haiku import next_rng_key
except ModuleNotFoundError as error:
    msg = f"`varscale.jax.haiku` needs a package that is not installed ({error}): pip install dm-haiku"
    raise ImportError(msg) from error

Arguments = ParamSpec("Arguments")

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]


class Initializer(Immutable):
    """What the functions of `varscale.jax.haiku` return: `w_init(shape, dtype=None)`, for modules of Haiku.

    It never changes, pickles, hashes, and equals another of the same function and arguments.

    Example:
        >>> import haiku as hk, jax, jax.numpy as jnp, varscale as vs
        >>> network = hk.transform(lambda x: hk.Linear(3, w_init=vs.jax.haiku.lecun_normal())(x))
        >>> network.init(jax.random.key(7), jnp.ones((1, 4)))["linear"]["w"].shape
        (4, 3)
    """

    _fields = ("_init",)
    _init: Keyed

    def __init__(self, init: Keyed) -> None:
        self._set(_init=init)

    def __call__(self, shape: Any, dtype: Any = None) -> jax.Array:
        """The tensor of the module's next key; constants take no key.

        Raises:
            TypeError: An argument is of the wrong kind.
            ValueError: An argument has a wrong value, or no function that `hk.transform` has made is running.
        """
        return self._init(next_rng_key() if self._init._draws else None, shape, dtype)

    def __reduce__(self) -> Any:
        return Initializer, (self._init,)

    def __repr__(self) -> str:
        return show(self._init)


def _drawn(factory: Callable[Arguments, Keyed]) -> Callable[Arguments, Initializer]:
    """The function of a name for Haiku, from that for keys."""

    @wraps(factory)
    def made(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Initializer:
        return Initializer(factory(*args, **kwargs))

    made.__signature__ = signature(factory).replace(return_annotation=Initializer)  # type: ignore[attr-defined]
    made.__module__ = __name__
    return made


variance_scaling = _drawn(_variance.variance_scaling)
lecun_normal = _drawn(_variance.lecun_normal)
lecun_uniform = _drawn(_variance.lecun_uniform)
glorot_normal = xavier_normal = _drawn(_variance.glorot_normal)
glorot_uniform = xavier_uniform = _drawn(_variance.glorot_uniform)
he_normal = kaiming_normal = _drawn(_variance.he_normal)
he_uniform = kaiming_uniform = _drawn(_variance.he_uniform)
normal = _drawn(_laws.normal)
truncated_normal = _drawn(_laws.truncated_normal)
uniform = _drawn(_laws.uniform)
orthogonal = _drawn(_laws.orthogonal)
delta_orthogonal = _drawn(_laws.delta_orthogonal)
constant = _drawn(_laws.constant)
zeros = Initializer(_laws.zeros)
ones = Initializer(_laws.ones)
