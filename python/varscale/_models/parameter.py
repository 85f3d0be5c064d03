"""Parameters: a model's entries, made from every spelling that users may pass."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .._arguments.parts import Part, check_elements
from .._arguments.shapes import parse_shape
from .._arguments.show import show
from .._initializers.builtin import Builtin
from .._sources.seeds import parse_path
from .rules import Rule, check_unseeded


class Parameter(NamedTuple):
    """A parameter of a model: its shape, its dtype and its initializer."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    initializer: Builtin
    """An initializer without a seed; a model puts its own seed in, and folds the parameter's name in."""

    @property
    def size(self) -> int:
        """The number of its elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes that it takes."""
        return self.size * self.dtype.itemsize


def parse_parameter(name: Any, entry: Any, rules: tuple[Rule, ...], default: Any) -> Parameter:
    """The parameter that a model's entry stands for.

    Raises:
        TypeError: The name or a field is of the wrong kind.
        ValueError: No rule covers the parameter, its initializer has a seed, or its shape or dtype is illegal.
    """
    if not isinstance(name, str):
        msg = f"`parameters` must have names that are strings, got {show(name)}"
        raise TypeError(msg)
    parse_path((name,))  # a name that `fold_in` would refuse is refused here
    try:
        shape, dtype, initializer = _fields(entry)
        full = parse_shape(shape)
        check_elements(full)
        if initializer is None:
            initializer = next((rule.initializer for rule in rules if rule._covers(name, len(full))), None)
            if initializer is None:
                msg = f"`rules` cover no parameter of this name and shape {show(full)}: give an initializer or a rule"
                raise ValueError(msg)
        # What cannot be made is found here, not in the middle of a model.
        source = check_unseeded(initializer)._source(Part(full, full), default if dtype is None else dtype)
    except (TypeError, ValueError) as error:
        raise type(error)(f"parameter {show(name)}: {error}") from error
    return Parameter(full, source.dtype, initializer)


def _fields(entry: Any) -> tuple[Any, Any, Any]:
    """The shape, the dtype and the initializer of an entry, with None for what is not given."""
    if hasattr(entry, "shape") and hasattr(entry, "dtype"):
        return entry.shape, entry.dtype, getattr(entry, "initializer", None)
    # A tuple that begins with a number is a shape.
    if isinstance(entry, tuple) and 2 <= len(entry) <= 3 and not isinstance(entry[0], int | np.integer):
        return (*entry, None, None)[:3]
    return entry, None, None
