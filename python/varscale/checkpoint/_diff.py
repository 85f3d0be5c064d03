"""Differences between two checkpoints, tensor by tensor, bit by bit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._arguments.immutable import Immutable
from .._models.columns import aligned, number, sizes
from .._models.headers import Stored, read_headers
from ._read import Bytes
from ._sweep import Sweep, runs


class Difference(NamedTuple):
    """How a tensor differs."""

    name: str
    what: str
    """ "missing" in the first or the second, "shape", "dtype" or "values"."""
    first: str
    """Its shape, its dtype, or nothing, in the first checkpoint."""
    second: str
    """The same in the second."""
    elements: int
    """How many elements differ in a bit: 0.0 and -0.0 do."""
    largest: float | None
    """The largest distance between two numbers; None where no two are finite."""


class Diff(Immutable):
    """What `diff` returns: true where something differs. It prints as a table.

    Attributes:
        rows: One `Difference` per tensor that differs, in the order of the first checkpoint, then of the second.
        same: How many tensors are the same.
    """

    _fields = ("rows", "same")
    __slots__ = _fields
    rows: tuple[Difference, ...]
    same: int

    def __init__(self, rows: tuple[Difference, ...], same: int) -> None:
        self._set(rows=rows, same=same)

    def __iter__(self) -> Iterator[Difference]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-serializable values."""
        return {"differences": [row._asdict() for row in self.rows], "same": self.same}

    def __repr__(self) -> str:
        cells = [("name", "what", "first", "second", "elements", "largest"), *map(_cells, self.rows)]
        table = [aligned(cells, 4)] if self.rows else []
        return "\n".join([*table, f"{len(self.rows)} tensors differ, {self.same} are the same"])


def _cells(row: Difference) -> tuple[str, ...]:
    count = f"{row.elements:,}" if row.elements else ""
    return row.name, row.what, row.first, row.second, count, number(row.largest)


def diff(first: str | os.PathLike[str], second: str | os.PathLike[str]) -> Diff:
    """Compares two checkpoints, with as many threads as fills may use, in bounded memory.

    Args:
        first: A safetensors file, the index of several, or a folder with one or the other.
        second: Another one.

    Returns:
        The tensors that differ. Where shapes or dtypes do, values are not compared.

    Raises:
        TypeError: An argument is no path.
        ValueError: A file is none of safetensors, or cut short.
        OSError: A file cannot be read.

    Example:
        >>> import tempfile, varscale as vs
        >>> model = vs.Model({"weight": (256, 784), "bias": (256,)}, layout="torch")
        >>> with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        ...     _ = vs.checkpoint.save(model, a, seed=7), vs.checkpoint.save(model, b, seed=8)
        ...     [(row.name, row.what, row.elements) for row in vs.checkpoint.diff(a, b)]
        [('weight', 'values', 200704)]
    """
    ours, theirs = read_headers(first)[0], read_headers(second)[0]
    forms = {name: _form(name, ours.get(name), theirs.get(name)) for name in ours | theirs}
    values = _values({name: (ours[name], theirs[name]) for name, form in forms.items() if form is None})
    found = [values.get(name) if form is None else form for name, form in forms.items()]
    rows = tuple(row for row in found if row is not None)
    return Diff(rows, len(found) - len(rows))


def _form(name: str, ours: Stored | None, theirs: Stored | None) -> Difference | None:
    """What differs before any value is looked at."""
    if ours is None or theirs is None:
        first, second = ("" if held is None else sizes(held.shape) for held in (ours, theirs))
        return Difference(name, "missing", first, second, 0, None)
    if ours.shape != theirs.shape:
        return Difference(name, "shape", sizes(ours.shape), sizes(theirs.shape), 0, None)
    if ours.dtype != theirs.dtype:
        return Difference(name, "dtype", ours.dtype.name, theirs.dtype.name, 0, None)
    return None


def _values(pairs: Mapping[str, tuple[Stored, Stored]]) -> dict[str, Difference]:
    """The tensors whose values differ."""
    sweep = Sweep()
    calls = {name: list(_calls(sweep, *pair)) for name, pair in pairs.items()}
    rows = {}
    with closing(sweep.in_order(chain.from_iterable(calls.values()))) as results:
        for name, made in calls.items():
            found = list(islice(results, len(made)))
            largest = [far for _, far in found if far is not None]
            if count := sum(count for count, _ in found):
                rows[name] = Difference(name, "values", "", "", count, max(largest, default=None))
    return rows


def _calls(sweep: Sweep, ours: Stored, theirs: Stored) -> Iterator[Callable[[], tuple[int, float | None]]]:
    return (partial(_compare, sweep, ours, theirs, run) for run in runs(ours))


def _compare(sweep: Sweep, ours: Stored, theirs: Stored, run: range) -> tuple[int, float | None]:
    """How many elements of a run differ, and by how much at most."""
    count, largest = 0, None
    for first, second in zip(sweep.pieces(ours, run), sweep.pieces(theirs, run), strict=True):
        if np.array_equal(first, second):
            continue
        differ = _bits(first, ours.dtype) != _bits(second, ours.dtype)
        count += int(differ.sum())
        far = _distance(first.view(ours.dtype)[differ], second.view(ours.dtype)[differ])
        if far is not None:
            largest = far if largest is None else max(largest, far)
    return count, largest


def _bits(piece: Bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    return piece.view(f"u{dtype.itemsize}")


def _distance(first: NDArray[Any], second: NDArray[Any]) -> float | None:
    wide = np.complex128 if first.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        far = np.abs(first.astype(wide) - second.astype(wide))
    far = far[np.isfinite(far)]
    return float(far.max()) if far.size else None
