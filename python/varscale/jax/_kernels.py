"""Shards that Triton's kernels make on NVIDIA's GPUs, where jax-triton is installed: the same bits, sooner."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from itertools import accumulate
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from .._arguments.parts import Part, indexed_part
from .._devices.check import makes_right
from .._devices.crossing import crossing, lattices, obstacle
from .._devices.jnp.x64 import enable_x64
from .._devices.triton.rows import Rows, numbers, rows_of
from .._filling.fill import make
from .._sources.source import Drawn
from ._context import telling_memory

_INSTEAD = "XLA makes them by itself, which takes two to three times as long"
_CACHE = "TRITON_CACHE_DIR"
"""Where Triton keeps what it has compiled, for torch as well."""
_log = logging.getLogger("varscale")


def prepared(
    source: Drawn, parts: Sequence[Part], devices: Sequence[jax.Device]
) -> tuple[Any, NDArray[np.int64]] | None:
    """The kernel's variant for parts of one shape, and the numbers of each; None where another way is right.

    The devices are one of each kind that is to make them.
    """
    if obstacle(source) is not None or not all(is_nvidia(device) for device in devices) or not _is_installed():
        return None
    found = _prepared(source, parts, devices)
    return found if found is not None and all(_is_right(source, device) for device in devices) else None


def is_nvidia(device: jax.Device) -> bool:
    """Whether a device is a GPU of NVIDIA's."""
    return device.platform == "gpu" and "cuda" in device.client.platform_version


def calls() -> Any:
    """The module of the calls, which imports jax-triton and Triton."""
    return import_module("varscale._devices.triton.in_jax")


@cache
def _is_installed() -> bool:
    """Whether the calls can be made; that they cannot is told once."""
    before = os.environ.get(_CACHE)
    try:
        calls()
    except Exception as error:  # jax-triton reaches into JAX, so other versions fail in other ways
        _log.info("jax-triton cannot be imported (%s: %s): %s", type(error).__name__, error, _INSTEAD)
        return False
    finally:
        if before is not None:  # jax-triton takes it away when it is imported
            os.environ[_CACHE] = before
    return True


@cache
def _is_fast(device: jax.Device) -> bool:
    """Whether all quotients of the truncated normal law are right in the faster way."""
    try:
        with jax.default_device(device):
            return not int(calls().differing_quotients()[0])
    except Exception as error:  # the slower way may work all the same
        _log.info("the faster quotient is not used on %s: %s: %s", device, type(error).__name__, error)
        return False


def _is_right(source: Drawn, device: jax.Device) -> bool:
    """Whether a device's kernels make values like these with the core's bits."""

    def made(source: Drawn, part: Part) -> NDArray[Any]:
        whole = run(source, part.shape, _rows(part))
        if len(part.shape) == 2:  # rows of one axis and of two are made by other kernels
            columns = part.shape[1]
            box = indexed_part(part.shape, (slice(100, None), slice(3, columns - 4)))
            whole[100:, 3:-4] = run(source, box.shape, _rows(box))
            tens = Rows(0, 10, 10 * columns, columns, 10 * columns, columns, columns, 100, 2)
            whole[:100] = run(source, (100, columns), tens)
        return whole

    def run(source: Drawn, shape: tuple[int, ...], rows: Rows | None) -> NDArray[Any]:
        found = _of_rows(source, shape, [rows], [device])
        assert found is not None, "the check has long rows"
        variant, [line] = found
        with telling_memory(), enable_x64(True):
            return np.array(calls().program(variant, jax.device_put(line, device)))

    return makes_right(f"{device.device_kind} by jax-triton", source, made, make, (MemoryError,), _INSTEAD)


def _prepared(
    source: Drawn, parts: Sequence[Part], devices: Sequence[jax.Device]
) -> tuple[Any, NDArray[np.int64]] | None:
    return _of_rows(source, parts[0].shape, [_rows(part) for part in parts], devices)


def _of_rows(
    source: Drawn, shape: tuple[int, ...], found: Sequence[Rows | None], devices: Sequence[jax.Device]
) -> tuple[Any, NDArray[np.int64]] | None:
    rows = [each for each in found if each is not None]
    if len(rows) < len(found):
        return None
    crossed = crossing(source)
    fma = crossed.is_a_quotient(source.kind.dtype.itemsize == 8) and all(_is_fast(device) for device in devices)
    variant = calls().variant(crossed, source.kind, shape, rows, fma)
    return None if variant is None else (variant, np.stack([numbers(crossed, each) for each in rows]))


def _rows(part: Part) -> Rows | None:
    """The rows of a part, which becomes an array without gaps; None where it has none, or several sets of them."""
    strides = [1, *accumulate(part.shape[:0:-1], lambda size, more: size * more)][::-1]
    found = list(lattices(part, strides))
    return rows_of(found[0]) if len(found) == 1 else None
