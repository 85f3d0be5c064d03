"""Parameters: what a model knows of each, from every way of writing it."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .._arguments.parts import Part, check_elements
from .._arguments.shapes import parse_shape
from .._initializers.builtin import Builtin
from .._sources.seeds import parse_path
from .rules import Rule, check_unseeded


class Parameter(NamedTuple):
    """What a model knows of one parameter."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    initializer: Builtin
    """Without a seed: the model's is put in, and the parameter's name folded in."""

    @property
    def size(self) -> int:
        """How many elements it has."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return self.size * self.dtype.itemsize


def parse_parameter(name: Any, entry: Any, rules: tuple[Rule, ...], default: Any) -> Parameter:
    """One parameter from every way of writing it."""
    if not isinstance(name, str):
        msg = f"`parameters` must have names that are strings, got {name!r}"
        raise TypeError(msg)
    parse_path((name,))  # as `fold_in` will
    try:
        shape, dtype, initializer = _fields(entry)
        full = parse_shape(shape)
        check_elements(full)
        if initializer is None:
            initializer = next((rule.initializer for rule in rules if rule.matches(name, full)), None)
            if initializer is None:
                msg = f"no rule covers a parameter of this name and the shape {full}: give it an initializer or a rule"
                raise ValueError(msg)
        # What cannot be made is found here, not in the middle of a model.
        source = check_unseeded(initializer)._source(Part(full, full), default if dtype is None else dtype)
    except (TypeError, ValueError) as error:
        raise type(error)(f"parameter {name!r}: {error}") from error
    return Parameter(full, source.dtype, initializer)


def _fields(entry: Any) -> tuple[Any, Any, Any]:
    """(shape, dtype, initializer); None for what is not given."""
    if hasattr(entry, "shape") and hasattr(entry, "dtype"):
        return entry.shape, entry.dtype, getattr(entry, "initializer", None)
    if isinstance(entry, tuple) and 2 <= len(entry) <= 3 and not isinstance(entry[0], int | np.integer):
        return (*entry, None, None)[:3]
    return entry, None, None
