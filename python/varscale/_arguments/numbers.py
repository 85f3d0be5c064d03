"""Numbers: one, or an array or nested list of them, as an array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .shapes import MOST_DIMENSIONS
from .show import show


def real_numbers(name: str, value: Any) -> NDArray[Any]:
    """A new array of the real numbers or bools that `value` is or holds, in a dtype of at most 64 bits.

    Raises:
        TypeError: `value` holds something else, or lists of different lengths.
        MemoryError: The system refuses the memory.
    """
    try:
        np.empty(_count(value, MOST_DIMENSIONS, {}))  # before they are listed: this memory may be refused
        array = np.asarray(value)
        ours = array.dtype.kind in "biuf" and array.dtype.itemsize <= 8
        if not ours and array.dtype.kind != "f" and array.dtype.type.__module__ != "ml_dtypes":
            raise TypeError
        # Of ml_dtypes, whose numbers no later check would know, or a long double, which JSON would not.
        return array.astype(array.dtype if ours else np.float64)
    except (TypeError, ValueError):  # the latter where lists are ragged
        msg = f"`{name}` must be a real number or bool, or an array or nested list of them, got {show(value)}"
        raise TypeError(msg) from None
    except MemoryError:
        msg = f"no memory for the numbers of `{name}`, got {show(value)}"
        raise MemoryError(msg) from None


def _count(value: Any, depth: int, counts: dict[int, int]) -> int:
    """The number of entries of nested lists, which may hold one list many times.

    Raises:
        TypeError: They hold text, which NumPy would give all numbers the space of, or nest deeper than an array has
            dimensions. So do lists that hold themselves.
    """
    if not isinstance(value, list | tuple):
        return 1
    if id(value) not in counts:
        kinds = {*map(type, value)}
        if depth == 0 or any(issubclass(kind, str | bytes) for kind in kinds):
            raise TypeError
        nested = any(issubclass(kind, list | tuple) for kind in kinds)
        counts[id(value)] = sum(_count(entry, depth - 1, counts) for entry in value) if nested else len(value)
    return counts[id(value)]
