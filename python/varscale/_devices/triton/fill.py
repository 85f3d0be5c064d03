"""Filling: which kernel fills which elements of a tensor, and by how many programs."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import triton

from ..crossing import Lattice
from .group import is_small, launch_group
from .kernels import elements_kernel, rows_kernel, short_rows_kernel
from .launch import Fill

_SHORT = 200
"""Rows of fewer elements share programs, of which a GPU starts some 1.6e9 a second."""
_MOST_PROGRAMS, _MOST_TILES = 2**31 - 1, 65535
"""The most programs along the first axis of a grid, and along the second one."""


def fill(fills: Iterable[Fill]) -> None:
    """Fills tensors of one device, which is the current one. Small ones of one law and dtype share a launch."""
    groups: dict[Any, list[Fill]] = {}
    for each in fills:
        if is_small(each):
            groups.setdefault((each.out.dtype, each.constants()), []).append(each)
        elif prod(count for count, _, _ in each.lattice.axes):
            _fill(each)
    for group in groups.values():
        if len(group) > 1:
            launch_group(group)
        else:
            _fill(group[0])


def _fill(each: Fill) -> None:
    """Fills a tensor by launches of its own."""
    start, offset, axes = each.lattice
    *outer, (run, step, stride) = axes or ((1, 1, 1),)
    if len(outer) <= 2:
        (n0, step0, stride0), (n1, step1, stride1) = ([(1, 0, 0)] * 2 + outer)[-2:]
        step0, step1, step = (each % 2**64 for each in (step0, step1, step))
        if (step, stride) == (1, 1):
            if _fill_rows(each, n0 * n1, len(outer), (start, n1, step0, step1, stride0, stride1, run)):
                return
        elif n0 * n1 * run < _MOST_PROGRAMS:
            count, size = n0 * n1 * run, 512
            numbers = (start, count, n1, run, step0, step1, step, stride0, stride1, stride)
            each.launch(elements_kernel, (triton.cdiv(count, size),), numbers, (size,), 4)
            return
    # More axes, or more programs, than a launch has: one for each index of the first axis.
    (count, step, stride), *inner = axes
    for i in range(count):
        lattice = Lattice((start + i * step) % 2**64, offset + i * stride, tuple(inner))
        _fill(each._replace(lattice=lattice))


def _fill_rows(each: Fill, rows: int, axes: int, geometry: tuple[int, ...]) -> bool:
    """Fills rows of neighbours by one launch; False where these are too many for one."""
    start, _, step0, step1, stride0, stride1, run = geometry
    per, itemsize = each.per_block(), each.out.itemsize
    aligned = all(number % per == 0 for number in (start, step0, step1))
    aligned = aligned and all(place % 16 == 0 for place in (each.address(), stride0 * itemsize, stride1 * itemsize))
    reach = run + (0 if aligned else per - 1)
    sizes = (256, 128, 64) if itemsize == 8 else (512, 256, 128, 64)
    # The largest tile of which rows throw away little.
    blocks = next((n for n in sizes if _padded(reach, n * per) < 1.15 * reach), sizes[-1])
    if axes and (run < _SHORT or _padded(reach, blocks * per) > 1.9 * run):
        per_row, blocks = (run + 2 * (per - 1)) // per, 256
        lanes = rows * per_row
        programs = triton.cdiv(lanes, blocks)
        if max(programs, rows) > _MOST_PROGRAMS:
            return False
        constants = (blocks, lanes >= 2**31 - blocks, axes)
        each.launch(short_rows_kernel, (programs,), (*geometry, rows, per_row), constants, 4)
        return True
    tiles = triton.cdiv(reach, blocks * per)
    if axes and (rows > _MOST_PROGRAMS or tiles > _MOST_TILES):
        return False
    grid = (rows, tiles) if axes else (tiles,)
    each.launch(rows_kernel, grid, geometry, (blocks, aligned, axes), max(1, blocks // 128))
    return True


def _padded(count: int, size: int) -> int:
    """The elements of whole tiles that hold `count` elements."""
    return -(-count // size) * size
