"""The objects that JAX's libraries take: `init(key, shape, dtype, out_sharding)`, each of a rule of ours."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial, wraps
from inspect import signature
from typing import Any, ParamSpec

import jax
import jax.numpy as jnp
import numpy as np

from .._arguments.dtypes import numeric_dtype
from .._arguments.immutable import Immutable
from .._arguments.keys import is_key
from .._arguments.shapes import parse_shape
from .._arguments.show import show
from .._initializers.builtin import Builtin
from .._initializers.constant import Fixed
from .._sources.seeds import fields_around
from ._bits import check_bits
from ._fans import with_fans
from ._keys import key_words
from ._placement import filled, placed
from ._primitive import Block

Arguments = ParamSpec("Arguments")


class Initializer(Immutable):
    """What the functions of `varscale.jax` return: `init(key, shape, dtype=None, out_sharding=None)`.

    It never changes, pickles, hashes, and equals another of the same function and arguments.
    """

    _fields = ("_name", "_rule", "_dtype")
    _name: str
    """That of the function which made it."""
    _rule: Builtin
    _dtype: np.dtype[Any] | None
    _given: dict[str, Any] | None
    """The arguments that are not the function's defaults; None where it is itself what has the name."""

    def __init__(self, name: str, rule: Builtin, given: dict[str, Any] | None = None) -> None:
        dtype = _meant((given or {}).get("dtype"))
        held = given if dtype is None or given is None else given | {"dtype": dtype.name}
        self._set(_name=name, _rule=rule, _dtype=dtype, _given=held)

    def __call__(self, key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> jax.Array:
        """The tensor of a key: that of our initializer with the seed `varscale.jax.seed_of(key)`.

        Outside of programs it lies where JAX's own would: on the default device, bound to none, or after `jax.set_mesh`
        on all devices of the mesh.

        Args:
            key: A key of JAX, traced or not. Constants take anything.
            shape: The tensor's shape.
            dtype: As in a call of our initializer; None for that which this one was made with, or else JAX's default:
                float32, or float64 with `jax_enable_x64`.
            out_sharding: A `NamedSharding`, or a `PartitionSpec` on the mesh in context, of which each device makes its
                own shard; None where JAX may choose.

        Raises:
            TypeError: An argument is of the wrong kind.
            ValueError: An argument has a wrong value, the mesh does not cut an axis evenly, or the dtype has 64 bits
                while `jax_enable_x64` is off.
            NotImplementedError: A program needs the host, and its platform has no way to call it.
        """
        sizes, kind = parse_shape(shape), _meant(dtype) or self._dtype or np.dtype(jnp.result_type(float))
        check_bits(kind)
        if isinstance(self._rule, Fixed):
            return filled(self._rule, sizes, kind, out_sharding)
        rule = with_fans(self._rule, sizes)
        rule.lazy(sizes, kind)  # raises what a call would raise
        before, _ = fields_around(())
        return placed(key_words(key), Block(rule, sizes, sizes, kind, before), out_sharding)

    @property
    def _draws(self) -> bool:
        """Whether the values depend on the key."""
        return not isinstance(self._rule, Fixed)

    def __reduce__(self) -> Any:
        # A string names an object of the module that the class says it is of.
        if self._given is None:
            return self._name
        return partial(getattr(sys.modules[type(self).__module__], self._name), **self._given), ()

    def __repr__(self) -> str:
        if self._given is None:
            return self._name
        return f"{self._name}({', '.join(f'{name}={show(value)}' for name, value in self._given.items())})"


def initializer(make: Callable[Arguments, Builtin]) -> Callable[Arguments, Initializer]:
    """The public function of a name: from one that makes the rule of its arguments."""
    described = signature(make)
    defaults = {name: parameter.default for name, parameter in described.parameters.items()}

    @wraps(make)
    def made(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Initializer:
        _check_no_call(make.__name__, *args)
        rule = make(*args, **kwargs)
        bound = described.bind(*args, **kwargs).arguments.items()
        given = {name: _held(value) for name, value in bound if not _equals(value, defaults[name])}
        return Initializer(make.__name__, rule, given)

    made.__signature__ = described.replace(return_annotation=Initializer)  # type: ignore[attr-defined]
    return made


def _check_no_call(name: str, first: Any = None, second: Any = None, *_: Any) -> None:
    """Raises TypeError where a function is called as the initializers that it makes are: with a key and a shape."""
    # A vector of uint32 may be a constant's values, with a dtype after them.
    if is_key(first, raw=isinstance(second, tuple | list)):
        msg = (
            f"`varscale.jax.{name}` makes an initializer and takes no key, got {show(first)}: give "
            f"`varscale.jax.{name}(...)`, called, where an initializer is wanted"
        )
        raise TypeError(msg)


def known(value: Any) -> Any:
    """A number as Python has it: JAX's functions take arrays of JAX too, if they are not traced."""
    is_known = isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer)
    return value.item() if is_known and value.ndim == 0 else value


def _equals(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _held(value: Any) -> Any:
    """An argument that nobody else can change."""
    if isinstance(value, np.ndarray | jax.Array):
        return np.array(value)[()]
    return tuple(map(_held, value)) if isinstance(value, list) else value


def _meant(dtype: Any) -> np.dtype[Any] | None:
    """The dtype that an argument means: Python's types are JAX's defaults."""
    if dtype is None:
        return None
    return numeric_dtype(np.dtype(jnp.result_type(dtype)) if dtype in (float, complex, int) else dtype)
