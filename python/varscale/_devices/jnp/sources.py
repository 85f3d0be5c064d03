"""Sources as traced arrays: drawn values, known ones, and those that are joined of pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..._arguments.parts import Part
from ..._sources.source import Drawn, Joined, Known, Source
from ..crossing import crossing, obstacle
from .limits import limit
from .values import Axis, sampled


def refusal(source: Source, platform: str) -> str | None:
    """Why `traced` makes no array of a source; None where it does. Its stream has a name."""
    if isinstance(source, Known):
        return None
    if isinstance(source, Joined):
        return next(filter(None, (refusal(piece, platform) for _, _, piece in source.pieces)), None)
    if not isinstance(source, Drawn):
        return "Python computes its values"
    if found := obstacle(source):
        return f"it is {found}"
    return limit(crossing(source), source.kind, platform)


def traced(source: Source, part: Part, axes: Sequence[Axis], identity: Any = None) -> Array:
    """The array of a part at these indices of each axis: with the source's own identity, or one that is traced."""
    if isinstance(source, Known):
        return _known(source, part, axes)
    if isinstance(source, Joined):
        mesh = jnp.zeros([count(axis) for axis in axes], source.dtype)
        for place, inner, piece in source.pieces:
            mesh = mesh.at[place].set(traced(piece, inner, inner.axes(), identity))
        return mesh.reshape(part.shape)
    assert isinstance(source, Drawn)
    found = crossing(source)
    words = np.frombuffer(found.identity, "<u4") if identity is None else identity
    return sampled(found, source.kind, part.full_shape, axes, part.shape, words)


def count(axis: Axis) -> int:
    """How many indices are chosen."""
    return axis[2] if isinstance(axis, tuple) else int(axis.shape[0])


def _known(source: Known, part: Part, axes: Sequence[Axis]) -> Array:
    value = _held(source.value, source.dtype)
    if source.diagonal is None:
        return jnp.full(part.shape, value)
    rows, columns = map(_indices, axes)
    mesh = jnp.where(rows[:, None] == columns[None, :], _held(source.diagonal, source.dtype), value)
    return mesh.reshape(part.shape)


def _held(value: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A number in a dtype, as NumPy assigns it."""
    held = np.empty((), dtype)
    held[...] = value
    return held


def _indices(axis: Axis) -> Array:
    """The indices of an axis, below 2^31: no matrix in memory has more rows."""
    return jnp.asarray(axis[0] + axis[1] * np.arange(axis[2]) if isinstance(axis, tuple) else axis)
