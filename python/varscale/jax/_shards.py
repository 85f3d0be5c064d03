"""Shards that are made where they lie: one program for all devices of a process, and no device talks to another."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from numpy.typing import NDArray

from .._arguments.parts import Part, indexed_part
from .._devices.check import makes_right
from .._devices.crossing import crossing
from .._devices.jnp.sources import refusal, traced
from .._devices.jnp.values import Start, Variant, arguments, program
from .._devices.jnp.x64 import enable_x64
from .._devices.setting import on_the_host
from .._filling.fill import make
from .._filling.lazy import Lazy
from .._sources.source import Drawn
from ._context import telling_memory
from ._kernels import calls, prepared

try:
    from jax import shard_map as shard_map
except ImportError:  # before JAX 0.7
    from jax.experimental.shard_map import shard_map as shard_map


def are_accelerators(sharding: Any) -> bool:
    """Whether a sharding has only devices that make values of their own, and keeps them in their usual memory."""
    if on_the_host() or not isinstance(sharding, jax.sharding.Sharding):
        return False
    usual = {None, *(device.default_memory().kind for device in sharding.addressable_devices)}
    return sharding.memory_kind in usual and all(device.platform != "cpu" for device in sharding.device_set)


def made_there(tensor: Lazy, sharding: jax.sharding.Sharding) -> jax.Array | None:
    """The array whose shards their devices have made; None where they cannot, or make other values than the core.

    Raises:
        ValueError: JAX cannot cut an axis evenly.
    """
    cut = sharding.addressable_devices_indices_map(tensor.shape)
    parts = {device: indexed_part(tensor.shape, index) for device, index in cut.items()}
    # JAX cuts evenly: all parts have one shape.
    first = next(iter(parts.values()), None)
    if first is None or not first.shape or not prod(first.shape):
        return None
    source = tensor._source(first)
    if not isinstance(source, Drawn):
        return None
    kinds = list({device.device_kind: device for device in parts}.values())
    devices, boxes = tuple(parts), list(parts.values())
    ready = prepared(source, boxes, kinds)
    with enable_x64(True):
        if ready is not None:
            variant, lines = ready
            made = _program(devices, calls().program, variant)(lines, ())
        elif all(makes(source, device) for device in kinds):
            found = crossing(source)
            each = [arguments(found, source.kind, tensor.shape, part.axes(), part.shape) for part in boxes]
            variant, _, place, bounds = each[0]
            starts = np.array([start.number for _, start, _, _ in each])
            made = _program(devices, _started, variant)(starts, (np.frombuffer(found.identity, "<u4"), place, bounds))
        else:
            return None
    shards = {shard.device: shard.data for shard in made.addressable_shards}
    return jax.make_array_from_single_device_arrays(tensor.shape, sharding, [shards[device] for device in parts])


def makes(source: Drawn, device: jax.Device) -> bool:
    """Whether a device makes values like these, with the core's bits."""

    def made(source: Drawn, part: Part) -> NDArray[Any]:
        with telling_memory(), jax.default_device(device), enable_x64(True):
            return np.asarray(traced(source, part, part.axes()))

    if refusal(source, device.platform) is not None:
        return False
    return makes_right(device.device_kind, source, made, make, (MemoryError,))


@lru_cache(maxsize=256)
def _program(
    devices: tuple[jax.Device, ...], inner: Callable[..., jax.Array], variant: Any
) -> Callable[..., jax.Array]:
    """The program that makes one part on each device, each by its own line: they lie one behind another."""

    def shard(lines: Any, common: Any) -> jax.Array:
        return inner(variant, lines[0], *common)

    each = P("devices")
    mesh = Mesh(np.array(devices), ("devices",))
    spread: Callable[..., jax.Array] = jax.jit(shard_map(shard, mesh=mesh, in_specs=(each, P()), out_specs=each))
    return spread


def _started(variant: Variant, number: Any, identity: Any, place: Any, bounds: Any) -> jax.Array:
    """The values of a part that begins with an element."""
    return program(variant, identity, Start(number, ()), place, bounds)
