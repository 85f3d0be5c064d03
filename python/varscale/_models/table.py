"""The table that describes a model, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .._arguments.immutable import Immutable
from .._initializers.constant import Fixed
from .._initializers.sampled import Sampled
from .._initializers.variance_scaling import VarianceScaling
from .columns import aligned, marked, number, sizes
from .own import maker
from .parameter import Parameter


class ModelRow(NamedTuple):
    """A parameter's row of a table.

    Fans are None where the law does not depend on them, and moments where the initializer is of a user's own class.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    initializer: str
    fan_in: float | None
    fan_out: float | None
    mean: float | None
    stddev: float | None
    nbytes: int


_HEADINGS = ("name", "shape", "dtype", "initializer", "fan_in", "fan_out", "mean", "stddev", "bytes")
_WORDS = 4
"""The number of columns that hold words, before those that hold numbers."""


class ModelTable(Immutable):
    """The table that `Model.describe` returns.

    Attributes:
        rows: One `ModelRow` per parameter, in the model's order.
    """

    _fields = ("rows",)
    __slots__ = _fields
    rows: tuple[ModelRow, ...]

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self._set(rows=tuple(_row(name, parameter) for name, parameter in parameters.items()))

    def __iter__(self) -> Iterator[ModelRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _cells(self) -> list[tuple[str, ...]]:
        total = ("total", *[""] * (len(_HEADINGS) - 2), f"{sum(row.nbytes for row in self.rows):,}")
        return [_HEADINGS, *map(_text, self.rows), total]

    def __repr__(self) -> str:
        return aligned(self._cells(), _WORDS)

    def _repr_html_(self) -> str:
        return marked(self._cells(), _WORDS)


def _row(name: str, parameter: Parameter) -> ModelRow:
    shape, dtype, initializer = parameter
    row = ModelRow(name, shape, dtype.name, type(initializer).__name__, None, None, None, None, parameter.nbytes)
    if not isinstance(initializer, Sampled | Fixed) or maker(initializer) is not initializer:
        return row
    found = initializer.describe(shape)
    row = row._replace(mean=found.mean, stddev=found.stddev)
    # Any other law has the same values for all axes: nobody says which of them are inputs.
    return row._replace(fan_in=found.fan_in, fan_out=found.fan_out) if isinstance(initializer, VarianceScaling) else row


def _text(row: ModelRow) -> tuple[str, ...]:
    fans = ("" if fan is None else f"{fan:,}" for fan in (row.fan_in, row.fan_out))
    moments = map(number, (row.mean, row.stddev))
    return row.name, sizes(row.shape), row.dtype, row.initializer, *fans, *moments, f"{row.nbytes:,}"
