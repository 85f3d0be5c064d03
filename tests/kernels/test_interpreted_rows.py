"""The kernel that reads its numbers from memory, which programs of JAX call, by Triton's interpreter."""

from __future__ import annotations

import pytest
import torch
from test_interpreted_matrix import TYPES, by_law, differing

from oracle.matrix import DTYPES, LAWS, Case, boxes, lines, places
from varscale._arguments.parts import indexed_part
from varscale._devices.crossing import crossing, lattices
from varscale._devices.triton.kernels import read_rows_kernel
from varscale._devices.triton.rows import numbers, rows_of, tiles

SHARDS = {
    "columns": ((64, 1024), (slice(None), slice(256, 512))),
    "odd columns": ((7, 999), (slice(None), slice(333, 666))),
    "of three axes": ((4, 6, 900), (slice(2, 4), slice(3, 6), slice(450, 900))),
    "far": ((2**33, 768), (slice(2**32 + 1, 2**32 + 4), slice(256, 512))),
}


def made(case: Case) -> torch.Tensor | None:
    """What the kernel makes of a case in an array without gaps; None where the case has no rows."""
    part = indexed_part(case.shape, case.index)
    out = torch.full(part.shape, 7.0, dtype=TYPES[case.dtype])
    found = [rows_of(lattice) for lattice in lattices(part, out.stride())]
    if len(found) != 1 or found[0] is None:
        return None
    rows, wide = found[0], case.dtype == "float64"
    crossed = crossing(case.init._source(part, case.dtype))
    tile = tiles(rows, 0, out.itemsize)
    # JAX's arrays begin at a multiple of 16 bytes, and what is not aligned needs no address.
    memory = torch.from_numpy(numbers(crossed, rows))
    constants = (crossed.law, wide, False, True, crossed.is_kept_from_zero(wide), tile.blocks, tile.aligned, rows.axes)
    read_rows_kernel[tile.grid(rows)](memory, out, *constants, num_warps=tile.warps(), enable_fp_fusion=False)
    return out


def wrong(cases: list[Case]) -> tuple[dict[str, int], int]:
    """The cases that differ from the core and how many of their values do, and how many cases were made."""
    found = {case.name: differing(case, out) for case in cases if (out := made(case)) is not None}
    return {name: count for name, count in found.items() if count}, len(found)


@pytest.mark.parametrize("cases", by_law(lines((1, 5, 512, 513))), ids=lambda cases: cases[0].name)
def test_lines(cases: list[Case]) -> None:
    """An array of JAX on a GPU begins with other words than its own, or ends with some."""
    assert wrong(cases) == ({}, len(cases))


@pytest.mark.parametrize("cases", by_law(places()), ids=lambda cases: cases[0].name)
def test_places(cases: list[Case]) -> None:
    """A mean, a scale or a bound reaches the kernel of JAX as another number."""
    assert wrong(cases) == ({}, len(cases))


def test_boxes() -> None:
    """A shard of an array of JAX on a GPU is not the shard of the whole."""
    found, count = wrong([case for case in boxes() if case.dtype == "float32"])
    assert not found
    assert count >= 30


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shard", SHARDS)
def test_shards(shard: str, dtype: str) -> None:
    """A shard of many tiles has other values than the whole."""
    cases = [Case(law, init, dtype, *SHARDS[shard]) for law, init in LAWS.items()]
    assert wrong(cases) == ({}, len(cases))
