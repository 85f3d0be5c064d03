"""The kernel of rows in programs of JAX, by the call of jax-triton."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax_triton
from jax import Array

from ..._arguments.dtypes import FloatType
from ..crossing import Crossing
from .kernels import read_rows_kernel
from .quotients import SIZE, WORDS, quotients_kernel
from .rows import MOST_TILES, Rows, tiles

OPTIONS = {"enable_fp_fusion": False}
_MOST_PROGRAMS = 2**31 - 1


class Variant(NamedTuple):
    """What a program is made for."""

    law: str
    kind: str
    """The name of the dtype."""
    shape: tuple[int, ...]
    fma: bool
    minmax: bool
    blocks: int
    aligned: bool
    axes: int
    grid: tuple[int, ...]
    warps: int


def variant(
    crossing: Crossing, kind: FloatType, shape: tuple[int, ...], each: Sequence[Rows], fma: bool
) -> Variant | None:
    """The program that makes any of these rows as an array of `shape`; None where they are short, or too many.

    Arrays of JAX begin at multiples of 16 bytes. `fma` takes the faster quotient, for a law and a device that have it.
    """
    itemsize = kind.dtype.itemsize
    found = [tiles(rows, 0, itemsize) for rows in each]
    rows, tile = each[0], next((tile for tile in found if not tile.aligned), found[0])
    grid = tile.grid(rows)
    if tile.waste or grid[0] > _MOST_PROGRAMS or (rows.axes and tile.per_row > MOST_TILES):
        return None
    minmax = crossing.is_kept_from_zero(itemsize == 8)
    return Variant(
        crossing.law, kind.name, shape, fma, minmax, tile.blocks, tile.aligned, rows.axes, grid, tile.warps()
    )


@partial(jax.jit, static_argnums=0)
def program(variant: Variant, numbers: Array) -> Array:
    """The values of a variant; JAX must have 64 bits."""
    made: Array = jax_triton.triton_call(
        numbers,
        kernel=read_rows_kernel,
        out_type=jax.ShapeDtypeStruct(variant.shape, variant.kind),
        grid=variant.grid,
        num_warps=variant.warps,
        backend_options=OPTIONS,
        LAW=variant.law,
        WIDE=variant.kind == "float64",
        FMA=variant.fma,
        SOFT=False,
        MINMAX=variant.minmax,
        BLOCKS=variant.blocks,
        ALIGNED=variant.aligned,
        AXES=variant.axes,
    )
    return made


def differing_quotients() -> Array:
    """How many of all quotients of the truncated law the faster way gets wrong."""
    counter = jax.new_ref(jnp.zeros(1, jnp.int32))
    jax_triton.triton_call(
        counter,
        kernel=quotients_kernel,
        out_type=(),
        grid=WORDS // SIZE,
        backend_options=OPTIONS,
        SIZE=SIZE,
    )
    found: Array = counter[...]
    return found
