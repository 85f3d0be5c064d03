"""Blocks: an array in pieces, between which Python answers Ctrl-C."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST = 1 << 24
"""Bytes of a block: some milliseconds."""


def assign(array: NDArray[Any], values: ArrayLike) -> None:
    """`array[...] = values` in halves of halves, each cut along the axis whose steps in memory are the widest."""
    if array.nbytes <= _MOST:
        array[...] = values
        return
    spread = np.broadcast_to(values, array.shape)
    widest = max(range(array.ndim), key=lambda axis: (array.shape[axis] > 1, abs(array.strides[axis])))
    middle = array.shape[widest] // 2
    for half in (slice(middle), slice(middle, None)):
        place = (*(slice(None),) * widest, half)
        assign(array[place], spread[place])
