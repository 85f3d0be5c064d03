"""Checks of arguments: TypeError for the wrong kind, ValueError for the wrong value, always before allocation."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from operator import index
from typing import Any

import numpy as np

from .show import show


def real(name: str, value: Any) -> float:
    """`value` as a float: any real number but a bool; a 0-d array of one will do."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    # Python counts True as a number: whoever passes it meant another argument. A time is no number either.
    if isinstance(value, bool | np.bool_ | np.timedelta64) or not isinstance(
        value, numbers.Real | np.floating | np.integer
    ):
        msg = f"`{name}` must be a real number, got {show(value)}"
        raise TypeError(msg)
    try:
        return float(value)
    except OverflowError:  # an integer beyond float64's range; who needs a finite number refuses the infinity
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def finite(name: str, value: Any) -> float:
    """`value` as a finite float."""
    number = real(name, value)
    if not math.isfinite(number):
        msg = f"`{name}` must be a finite number, got {show(value)}"
        raise ValueError(msg)
    return number


def positive(name: str, value: Any) -> float:
    """`value` as a positive, finite float."""
    number = real(name, value)
    if not 0 < number < math.inf:
        msg = f"`{name}` must be a positive, finite number, got {show(value)}"
        raise ValueError(msg)
    return number


def not_negative(name: str, value: Any) -> float:
    """`value` as a finite float that is not negative."""
    number = real(name, value)
    if not 0 <= number < math.inf:
        msg = f"`{name}` must be a finite number that is not negative, got {show(value)}"
        raise ValueError(msg)
    return number


def as_integer(value: Any) -> int | None:
    """The int that `value` stands for, or None: whatever has `__index__`, but no bool, no time and nothing with axes.

    So NumPy's, JAX's, torch's and TensorFlow's integers count, and their arrays of one integer without axes.
    """
    if type(value) is int:  # most are
        return value
    if isinstance(value, np.integer) and not isinstance(value, np.timedelta64):
        return int(value)
    try:
        number = index(value)
    except (TypeError, RuntimeError):  # the latter from a tensor of torch that has no memory
        return None
    # Python counts True among its indices, and torch a vector of one element too.
    is_bool = isinstance(value, bool) or show(getattr(value, "dtype", None)) == "torch.bool"
    ndim = getattr(value, "ndim", 0)
    return None if is_bool or (isinstance(ndim, int) and ndim) else number


def integer(name: str, value: Any) -> int:
    """`value` as an int: any integer but a bool."""
    number = as_integer(value)
    if number is None:
        msg = f"`{name}` must be an integer, got {show(value)}"
        raise TypeError(msg)
    return number


def not_negative_integer(name: str, value: Any) -> int:
    """`value` as an int that is not negative."""
    number = integer(name, value)
    if number < 0:
        msg = f"`{name}` must be an integer that is not negative, got {show(value)}"
        raise ValueError(msg)
    return number


def positive_integer(name: str, value: Any) -> int:
    """`value` as an int of at least 1."""
    number = integer(name, value)
    if number < 1:
        msg = f"`{name}` must be a positive integer, got {show(value)}"
        raise ValueError(msg)
    return number


def boolean(name: str, value: Any) -> bool:
    """`value` as a bool."""
    if not isinstance(value, bool | np.bool_):
        msg = f"`{name}` must be True or False, got {show(value)}"
        raise TypeError(msg)
    return bool(value)


def int64(name: str, value: Any) -> int:
    """`value` as an int that fits in 64 bits, its sign included."""
    number = integer(name, value)
    if not -(2**63) <= number < 2**63:
        msg = f"`{name}` must be an integer of 64 bits, got {show(value)}"
        raise ValueError(msg)
    return number


def word(name: str, value: Any, legal: tuple[str, ...]) -> str:
    """`value`, which must be one of the legal words."""
    if not isinstance(value, str):
        msg = f"`{name}` must be a string, got {show(value)}"
        raise TypeError(msg)
    if value not in legal:
        msg = f"`{name}` must be one of {', '.join(map(show, legal))}, got {show(value)}"
        raise ValueError(msg)
    return value


def entries(name: str, value: Any, what: str) -> Iterator[Any]:
    """An iterator over `value`, any collection but a string."""
    try:
        # A 0-d array is an Iterable of Python's, but cannot be iterated.
        if not isinstance(value, str | bytes) and isinstance(value, Iterable):
            return iter(value)
    except TypeError:
        pass
    msg = f"`{name}` must be {what}, got {show(value)}"
    raise TypeError(msg)


def check_config(name: str, config: Any, legal: tuple[str, ...] | None = None) -> dict[str, Any]:
    """A copy of `config`, which must be a mapping; its keys must be in `legal`, unless that is None."""
    if not isinstance(config, Mapping):
        msg = f"`config` of {name} must be a mapping, got {show(config)}"
        raise TypeError(msg)
    # At most a few: a config of a million keys is refused by the first ones.
    unknown = list(islice((key for key in config if not _is_known(key, legal)), 5))
    if unknown:
        known = "strings" if legal is None else list(legal)
        msg = f"`config` of {name} has unknown keys {show(unknown)}; known are {known}"
        raise TypeError(msg)
    return dict(config)


def _is_known(key: Any, legal: tuple[str, ...] | None) -> bool:
    return isinstance(key, str) if legal is None else key in legal
