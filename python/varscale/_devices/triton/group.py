"""Groups: many small tensors, filled by one launch over a table of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl

from .kernels import group_kernel
from .launch import Fill, start

_SMALL = 1 << 20
"""Tensors of fewer elements are filled together: a launch takes as long as some million values."""
_TYPES = {torch.float16: tl.float16, torch.bfloat16: tl.bfloat16, torch.float32: tl.float32, torch.float64: tl.float64}


def is_small(fill: Fill) -> bool:
    """Whether it is a short run of neighbours that begins with a block, at a multiple of 16 bytes."""
    axes = fill.lattice.axes
    run = not axes or (len(axes) == 1 and axes[0][1:] == (1, 1) and 0 < axes[0][0] < _SMALL)
    return run and fill.lattice.start % fill.per_block() == 0 and fill.address() % 16 == 0


def launch_group(fills: list[Fill]) -> None:
    """Fills small tensors of one device, law and dtype."""
    first = fills[0]
    blocks = 256 if first.out.itemsize == 8 else 512
    size = blocks * first.per_block()
    counts = [fill.lattice.axes[0][0] if fill.lattice.axes else 1 for fill in fills]
    lines = [
        (fill.address(), fill.lattice.start, count, *fill.crossing.numbers())
        for fill, count in zip(fills, counts, strict=True)
    ]
    tiles = [triton.cdiv(count, size) for count in counts]
    owners = np.empty((sum(tiles), 2), np.int32)
    owners[:, 0] = np.repeat(np.arange(len(fills)), tiles)
    owners[:, 1] = np.concatenate([np.arange(count) for count in tiles])
    table = np.array(lines, np.uint64).view(np.int64)
    constants = (*first.constants(), blocks)
    device = first.out.device
    arguments = (_sent(table, device), _sent(owners, device), _TYPES[first.out.dtype], *constants)
    start(group_kernel, (len(owners),), arguments, blocks // 128, (first.out.dtype, device, constants))


def _sent(array: Any, device: torch.device) -> torch.Tensor:
    """An array on a device, sent without waiting for it."""
    tensor = torch.from_numpy(array)
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)
