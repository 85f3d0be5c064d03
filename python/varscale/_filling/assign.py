"""Assignment: a large array is written slab by slab, and between two slabs Python answers Ctrl-C."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST = 1 << 24
"""The most bytes of a slab, which take some milliseconds."""


def assign(array: NDArray[Any], values: ArrayLike) -> None:
    """Does `array[...] = values` slab by slab: it halves the array until a half is small enough."""
    if array.nbytes <= _MOST:
        array[...] = values
        return
    # Broadcast first, so that both can be cut alike. A cut across the widest steps in memory keeps each half compact.
    spread = np.broadcast_to(values, array.shape)
    widest = max(range(array.ndim), key=lambda axis: (array.shape[axis] > 1, abs(array.strides[axis])))
    middle = array.shape[widest] // 2
    for half in (slice(middle), slice(middle, None)):
        place = (*(slice(None),) * widest, half)
        assign(array[place], spread[place])
