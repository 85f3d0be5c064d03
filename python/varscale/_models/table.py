"""The table that describes a model, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .._arguments.immutable import Immutable
from .._arguments.show import show
from .._initializers.constant import Fixed
from .._initializers.sampled import Sampled
from .._initializers.variance_scaling import VarianceScaling
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
_LEFT = 4
"""The number of columns that are aligned to the left: these hold words, the others numbers."""


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
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if column < _LEFT else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        )

    def _repr_html_(self) -> str:
        from html import escape  # here, because importing it takes a tenth of the time that varscale takes

        def line(cells: tuple[str, ...], tag: str) -> str:
            sides = ("left" if column < _LEFT else "right" for column in range(len(cells)))
            return "".join(
                f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>'
                for cell, side in zip(cells, sides, strict=True)
            )

        head, *body = self._cells()
        rows = "".join(f"<tr>{line(cells, 'td')}</tr>" for cells in body)
        return f"<table><thead><tr>{line(head, 'th')}</tr></thead><tbody>{rows}</tbody></table>"


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
    shape = "x".join(map(show, row.shape)) or "()"
    fans = ("" if fan is None else f"{fan:,}" for fan in (row.fan_in, row.fan_out))
    moments = ("" if moment is None else f"{moment:.6g}" for moment in (row.mean, row.stddev))
    return row.name, shape, row.dtype, row.initializer, *fans, *moments, f"{row.nbytes:,}"
