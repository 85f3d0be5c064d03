"""The primitive: a tensor of a key, made by the host where it can be, and traced where the host would be in the way.

Outside of programs the core makes the values and JAX takes them without a copy. A program for one CPU, or for the shard
of each one, calls back to it. Other programs hold the native stream as operations, which XLA cuts into shards.
"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from numpy.typing import NDArray

from .._arguments.parts import Part
from .._core import identity
from .._devices.jnp.hashing import identity as hashed
from .._devices.jnp.sources import refusal, traced
from .._devices.jnp.x64 import enable_x64
from .._devices.setting import on_the_host
from .._filling.arrays import new_array
from .._filling.fill import Pass
from .._initializers.builtin import Builtin
from .._sources.identity import seed_field
from .._sources.source import Drawn, Source
from ._context import context_mesh, has_64_bits
from ._keys import seed_of_words
from ._shards import makes


class Block(NamedTuple):
    """One block of a tensor that is cut evenly; where it lies is an operand of the primitive."""

    rule: Builtin
    """Its seed counts for nothing: the key's takes its place."""
    full: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    before: bytes
    """What is hashed before the field of a seed: the global seed as it was when the program was traced."""

    def part(self, place: NDArray[Any]) -> Part:
        """The block with these numbers, one for each axis."""
        picks: Any = [(int(number) * size, 1, size) for number, size in zip(place, self.shape, strict=True)]
        return Part(self.shape, self.full, None if self.shape == self.full else picks)

    def source(self, part: Part, seed: int = 0) -> Source:
        """The source of a part under a seed."""
        return self.rule._source(part, self.dtype, identity(self.before + seed_field(seed)))


_hashed = jax.jit(hashed, static_argnums=(1, 2))
"""One function of a program, for all its tensors."""


def made(words: Any, place: Any, block: Block) -> Any:
    """The block at a place in the tensor of the key that has these words."""
    return _block.bind(words, place, block=block)


def _values(words: Any, places: Any, *, block: Block) -> NDArray[Any]:
    """The values of a batch of keys and places, made by the core in one pass."""
    words, places, batch = np.asarray(words), np.asarray(places), words.shape[:-1]
    array, together = new_array((*batch, *block.shape), block.dtype), Pass()
    blocks, names = array.reshape(prod(batch), *block.shape), words.reshape(prod(batch), words.shape[-1])
    for number, place in enumerate(places.reshape(prod(batch), len(block.shape))):
        part = block.part(place)
        together.add(block.source(part, seed_of_words(names[number])), part, blocks[number, ...])
    together.run()
    return array


def _put(array: NDArray[Any]) -> Any:
    """The array where JAX's own would be, which CPUs take without a copy."""
    mesh = context_mesh()
    if mesh is None:
        return jax.device_put(array)  # bound to no device
    return jax.make_array_from_callback(array.shape, NamedSharding(mesh, P()), lambda _: array)


def _called(words: Any, places: Any, *, block: Block) -> Any:
    """A call back to the host, one for a batch."""
    result = jax.ShapeDtypeStruct((*words.shape[:-1], *block.shape), block.dtype)
    return jax.pure_callback(partial(_values, block=block), result, words, places, vmap_method="expand_dims")


def _traced(words: Any, places: Any, *, block: Block) -> Any:
    """The same values as operations."""

    def one(words: Any, place: Any) -> Any:
        axes: list[Any] = [
            (0, 1, size) if size == full else place[axis].astype(np.int64) * size + np.arange(size)
            for axis, (size, full) in enumerate(zip(block.shape, block.full, strict=True))
        ]
        part = block.part(np.zeros(len(axes)))
        return traced(block.source(part), part, axes, _hashed(words, block.before, b""))

    with enable_x64(True):
        batch = words.shape[:-1]
        flat = words.reshape(prod(batch), words.shape[-1]), places.reshape(prod(batch), len(block.full))
        return (jax.vmap(one)(*flat) if batch else one(words, places)).reshape(*batch, *block.shape)


def _is_traced_on(platform: str, block: Block) -> bool:
    """Whether operations make the core's values on a platform."""
    source = block.source(block.part(np.zeros(len(block.full))))
    if on_the_host() or not has_64_bits() or not isinstance(source, Drawn) or refusal(source, platform) is not None:
        return False
    try:
        devices = jax.local_devices(backend=platform)
    except RuntimeError:  # the program is for another machine
        return True
    return platform == "cpu" or makes(source, devices[0])


def _is_cut(context: Any) -> bool:
    """Whether XLA cuts a program into shards itself, in which a callback would make the whole on one device."""
    manual = getattr(context, "manual_axes", None)
    return getattr(context, "num_devices", 1) > 1 if manual is None else {*manual} != {*context.mesh.axis_names}


def _lowered(ctx: Any, words: Any, places: Any, *, block: Block) -> Any:
    platforms = ctx.module_context.platforms
    is_called = tuple(platforms) == ("cpu",) and not _is_cut(ctx.module_context.axis_context)
    is_traced = not is_called and all(_is_traced_on(platform, block) for platform in platforms)
    lower = mlir.lower_fun(partial(_traced if is_traced else _called, block=block), multiple_results=False)
    try:
        return lower(ctx, words, places)
    except (NotImplementedError, RuntimeError, ValueError) as error:
        if is_traced:
            raise
        name, where = type(block.rule).__name__, " and ".join(platforms)
        msg = f"{name} is made by the host, which this program for {where} cannot call: {error}"
        raise NotImplementedError(msg) from error


def _batched(operands: Any, axes: Any, *, block: Block) -> Any:
    size = next(x.shape[axis] for x, axis in zip(operands, axes, strict=True) if axis is not None)
    words, places = (
        jnp.broadcast_to(x, (size, *x.shape)) if axis is None else jnp.moveaxis(x, axis, 0)
        for x, axis in zip(operands, axes, strict=True)
    )
    return made(words, places, block), 0


def _abstract(words: Any, places: Any, *, block: Block) -> Any:
    # Batches stay on the mesh axes that the words lie on.
    spec = P(*words.sharding.spec[:-1], *[None] * len(block.shape))
    return words.update(
        shape=(*words.shape[:-1], *block.shape), dtype=block.dtype, sharding=NamedSharding(words.sharding.mesh, spec)
    )


_block = Primitive("varscale")
_block.def_impl(lambda words, places, *, block: _put(_values(words, places, block=block)))
_block.def_abstract_eval(_abstract)
batching.primitive_batchers[_block] = _batched
mlir.register_lowering(_block, _lowered)
# There each callback has a channel of its own. JAX before 0.7 lowers every call by itself.
mlir.register_lowering(
    _block, _lowered, platform="tpu", **({"cacheable": False} if jax.__version_info__ >= (0, 7) else {})
)
