"""The table that describes a model, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .._arguments.immutable import Immutable
from .._arguments.show import show
from .._initializers.sampled import Sampled
from .parameter import Parameter


class ModelRow(NamedTuple):
    """A parameter's row of a table; fans and standard deviation are None where an initializer draws nothing."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    initializer: str
    fan_in: int | None
    fan_out: int | None
    stddev: float | None
    nbytes: int


_HEADINGS = ("name", "shape", "dtype", "initializer", "fan_in", "fan_out", "stddev", "bytes")
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
        total = ("total", "", "", "", "", "", "", f"{sum(row.nbytes for row in self.rows):,}")
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
    fan_in = fan_out = stddev = None
    if isinstance(initializer, Sampled):
        found = initializer.describe(shape)
        fan_in, fan_out, stddev = found.fan_in, found.fan_out, found.stddev
    return ModelRow(name, shape, dtype.name, type(initializer).__name__, fan_in, fan_out, stddev, parameter.nbytes)


def _text(row: ModelRow) -> tuple[str, ...]:
    shape = "x".join(map(show, row.shape)) or "()"
    fans = ("" if fan is None else f"{fan:,}" for fan in (row.fan_in, row.fan_out))
    stddev = "" if row.stddev is None else f"{row.stddev:.6g}"
    return row.name, shape, row.dtype, row.initializer, *fans, stddev, f"{row.nbytes:,}"
