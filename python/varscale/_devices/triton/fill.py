"""Filling: which kernel fills which elements of a tensor, and by how many programs."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import torch
import triton

from ..crossing import Lattice
from .group import is_small, launch_group
from .kernels import elements_kernel, rows_kernel, short_rows_kernel
from .launch import Fill
from .rows import MOST_TILES, Rows, rows_of, tiles

_MOST_PROGRAMS = 2**24 - 1 if torch.version.hip else 2**31 - 1
"""The most programs along the first axis of a grid; on AMD 2^32 threads, of which a program has 256."""


def fill(fills: Iterable[Fill]) -> None:
    """Fills tensors of one device, which is the current one. Small ones of one law and dtype share a launch."""
    groups: dict[Any, list[Fill]] = {}
    # A captured launch is repeated, when the table that it reads has long been another one's memory.
    alone = torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()
    for each in fills:
        if is_small(each) and not alone:
            groups.setdefault((each.out.dtype, each.constants()), []).append(each)
        elif prod(count for count, _, _ in each.lattice.axes):
            _fill(each)
    for group in groups.values():
        if len(group) > 1:
            launch_group(group)
        else:
            _fill(group[0])


def _fill(fill: Fill) -> None:
    """Fills a tensor by launches of its own."""
    first, offset, axes = fill.lattice
    *outer, (run, step, stride) = axes or ((1, 1, 1),)
    if len(outer) > 2:  # more axes than a kernel has: launches for each index of the first
        pieces = [(place, 1) for place in range(axes[0][0])]
    elif _launched(fill, outer, (run, step, stride)):
        return
    else:  # more programs than a launch has: both halves of the first axis
        middle = axes[0][0] // 2
        pieces = [(0, middle), (middle, axes[0][0] - middle)]
    (_, step, stride), *inner = axes
    for place, count in pieces:
        rest = (*(((count, step, stride),) if count > 1 else ()), *inner)
        _fill(fill._replace(lattice=Lattice((first + place * step) % 2**64, offset + place * stride, rest)))


def _launched(fill: Fill, outer: list[tuple[int, int, int]], last: tuple[int, int, int]) -> bool:
    """Fills a tensor of at most three axes by one launch; False where that would be too large."""
    rows = rows_of(fill.lattice)
    if rows is not None:
        return _fill_rows(fill, rows)
    (n0, step0, stride0), (n1, step1, stride1) = ([(1, 0, 0)] * 2 + outer)[-2:]
    run, step, stride = last
    step0, step1, step = (number % 2**64 for number in (step0, step1, step))
    count, size = n0 * n1 * run, 512
    programs = triton.cdiv(count, size)
    if programs > _MOST_PROGRAMS:
        return False
    numbers = (fill.lattice.start, count, n1, run, step0, step1, step, stride0, stride1, stride)
    fill.launch(elements_kernel, (programs,), numbers, (size,), 4)
    return True


def _fill_rows(each: Fill, rows: Rows) -> bool:
    """Fills rows of neighbours by one launch; False where these are too many for one."""
    found = tiles(rows, each.address(), each.out.itemsize)
    *geometry, total, axes = rows
    if found.waste:
        per = each.per_block()
        per_row, blocks = (rows.run + 2 * (per - 1)) // per, 256
        lanes = total * per_row
        programs = triton.cdiv(lanes, blocks)
        if max(programs, total) > _MOST_PROGRAMS:
            return False
        constants = (blocks, lanes >= 2**31 - blocks, axes)
        each.launch(short_rows_kernel, (programs,), (*geometry, total, per_row), constants, 4)
        return True
    if axes and (total > _MOST_PROGRAMS or found.per_row > MOST_TILES):
        return False
    constants = (found.blocks, found.aligned, axes)
    each.launch(rows_kernel, found.grid(rows), tuple(geometry), constants, found.warps())
    return True
