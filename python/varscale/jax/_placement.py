"""Placement: a tensor where JAX puts it, or in the shards of a sharding that was asked for."""

from __future__ import annotations

from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from .._arguments.show import show
from .._core import identity
from .._filling.lazy import Lazy
from .._initializers.constant import Constant, Fixed
from .._sources.identity import seed_field
from ._arrays import make_array
from ._context import context_mesh, is_traced
from ._keys import seed_of_words
from ._primitive import Block, made
from ._shards import shard_map


def placed(words: Any, block: Block, out_sharding: Any) -> jax.Array:
    """The whole tensor of the key that has these words."""
    if out_sharding is None:
        return made(words, np.zeros(len(block.full), np.int32), block)
    sharding = named_sharding(out_sharding)
    if not is_traced() and not isinstance(words, jax.core.Tracer):
        stream = identity(block.before + seed_field(seed_of_words(np.asarray(words))))
        return make_array(Lazy(block.rule, block.full, block.dtype, stream), None, sharding)
    names = [*sharding.spec, *[None] * (len(block.full) - len(sharding.spec))]
    if P.UNCONSTRAINED in names:
        msg = f"`out_sharding` must say of each axis how it is cut, got {show(sharding)}"
        raise ValueError(msg)
    counts = [_count(sharding.mesh, name) for name in names]
    if any(size % count for size, count in zip(block.full, counts, strict=True)):
        msg = f"`out_sharding` must cut the shape {show(block.full)} evenly, got {show(sharding)}"
        raise ValueError(msg)
    cut = block._replace(shape=tuple(size // count for size, count in zip(block.full, counts, strict=True)))

    def shard(words: Any) -> Any:
        place = [0 if count == 1 else jax.lax.axis_index(name) for name, count in zip(names, counts, strict=True)]
        return made(words, jnp.array(place, np.int32), cut)

    return shard_map(shard, mesh=sharding.mesh, in_specs=P(), out_specs=P(*names))(words)


def filled(rule: Fixed, shape: tuple[int, ...], dtype: np.dtype[Any], out_sharding: Any) -> jax.Array:
    """A constant, whose values JAX repeats as NumPy does."""
    value = rule._values if isinstance(rule, Constant) else np.zeros(())
    held = rule(value.shape, dtype)  # raises where the dtype cannot hold them
    if out_sharding is None:
        return jnp.full(shape, held)
    sharding = named_sharding(out_sharding)
    if not is_traced():
        return jax.make_array_from_callback(shape, sharding, np.broadcast_to(held, shape).__getitem__)
    if AxisType.Explicit in sharding.mesh.axis_types:
        return jnp.full(shape, held, device=sharding)
    return jax.lax.with_sharding_constraint(jnp.full(shape, held), sharding)


def named_sharding(sharding: Any) -> NamedSharding:
    """What `out_sharding` means: a spec lies on the mesh in context.

    Raises:
        TypeError: It is neither a `NamedSharding` nor a `PartitionSpec`.
        ValueError: There is no mesh in context.
    """
    if isinstance(sharding, NamedSharding):
        return sharding
    if not isinstance(sharding, P):
        msg = f"`out_sharding` must be a NamedSharding, a PartitionSpec or None, got {show(sharding)}"
        raise TypeError(msg)
    mesh = context_mesh()
    if mesh is None:
        msg = f"`out_sharding` must be a NamedSharding where `jax.set_mesh` has set no mesh, got {show(sharding)}"
        raise ValueError(msg)
    return NamedSharding(mesh, sharding)


def _count(mesh: Any, names: Any) -> int:
    """Into how many parts the axes of a mesh cut."""
    return prod(mesh.shape[name] for name in (names if isinstance(names, tuple) else (names,)) if name is not None)
