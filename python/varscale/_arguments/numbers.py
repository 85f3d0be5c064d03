"""Numbers: one, or an array or nested list of them, as an array."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .shapes import MOST_DIMENSIONS
from .show import show


def real_numbers(name: str, value: Any) -> NDArray[Any]:
    """A new array of the real numbers or bools that `value` is or holds, in a dtype of at most 64 bits.

    Raises:
        TypeError: `value` holds something else, or lists of different lengths.
        ValueError: A long double is beyond float64.
        MemoryError: The system refuses the memory.
    """
    try:
        np.empty(_count(value))  # before they are listed: this memory may be refused
        array = np.asarray(value)
        if array.dtype == np.float64 and isinstance(value, list | tuple) and (abs(array) >= 2**63).any():
            array = _unsigned(value, array)
        ours = array.dtype.kind in "biuf" and array.dtype.itemsize <= 8
        if not ours and array.dtype.kind != "f" and array.dtype.type.__module__ != "ml_dtypes":
            raise TypeError
        # Of ml_dtypes, whose numbers no later check would know, or a long double, which JSON would not.
        with np.errstate(over="raise"):
            return array.astype(array.dtype if ours else np.float64)
    except FloatingPointError:
        msg = f"`{name}` must hold numbers that float64 can hold, got {show(value)}"
        raise ValueError(msg) from None
    except (TypeError, ValueError, OverflowError):  # lists are ragged, or hold integers of no common dtype
        msg = f"`{name}` must be a real number or bool, or an array or nested list of them, got {show(value)}"
        raise TypeError(msg) from None
    except MemoryError:
        msg = f"no memory for the numbers of `{name}`, got {show(value)}"
        raise MemoryError(msg) from None


def _count(value: Any) -> int:
    """The number of numbers in nested lists, each of which is looked at once, however often it is held.

    Raises:
        TypeError: They hold something that is no number, such as text, as which NumPy would list all the numbers. Or
            they nest deeper than an array has dimensions, as lists do that hold themselves.
    """
    count, level = 1, [value]
    for _ in range(MOST_DIMENSIONS + 1):
        if not all(map(_may_be_number, {*map(type, level)})):
            break
        lists = {id(entry): entry for entry in level if isinstance(entry, list | tuple)}
        if not lists:
            return count
        count *= max(map(len, lists.values()))
        level = [*chain.from_iterable(lists.values())]
    raise TypeError


def _unsigned(value: Any, array: NDArray[Any]) -> NDArray[Any]:
    """`array`, in uint64 if it was made of integers: where int64 does not hold all of them, NumPy makes floats.

    Raises:
        OverflowError: One of the integers is negative.
    """
    numbers = np.asarray(value, object)
    integers = all(isinstance(number, int | np.integer) for number in numbers.flat)
    return numbers.astype(np.uint64) if integers else array


def _may_be_number(kind: type) -> bool:
    """Whether objects of a class may be numbers, or arrays or lists of them."""
    ways = ("__float__", "__array__", "__getitem__")
    return any(hasattr(kind, way) for way in ways) and not issubclass(kind, str | bytes | dict)
