"""Columns of tables: those of words are aligned to the left, those of numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence

from .._arguments.printable import printable
from .._arguments.show import show

Cells = Sequence[Sequence[str]]
"""The lines of a table, of which the first are its headings."""


def aligned(cells: Cells, words: int) -> str:
    """The lines for a terminal. The first `words` columns are words; one with nothing below its heading is left out."""
    sides, columns = _held(cells, words)
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if side == "left" else cell.rjust(width)
            for cell, width, side in zip(line, widths, sides, strict=True)
        ).rstrip()
        for line in zip(*columns, strict=True)
    )


def marked(cells: Cells, words: int) -> str:
    """The same table in HTML."""
    from html import escape  # here, because importing it takes a tenth of the time that varscale takes

    sides, columns = _held(cells, words)

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>' for cell, side in zip(cells, sides, strict=True)
        )

    head, *body = zip(*columns, strict=True)
    rows = "".join(f"<tr>{line(cells, 'td')}</tr>" for cells in body)
    return f"<table><thead><tr>{line(head, 'th')}</tr></thead><tbody>{rows}</tbody></table>"


def _held(cells: Cells, words: int) -> tuple[list[str], list[tuple[str, ...]]]:
    """The sides and the columns of a table that hold anything."""
    columns = [tuple(map(printable, column)) for column in zip(*cells, strict=True)]
    held = [place for place, column in enumerate(columns) if any(column[1:])]
    return ["left" if place < words else "right" for place in held], [columns[place] for place in held]


def number(value: float | None) -> str:
    """A number in six digits; nothing for None."""
    return "" if value is None else f"{value:.6g}"


def sizes(shape: tuple[int, ...]) -> str:
    """A shape, as `3x4`."""
    return "x".join(map(show, shape)) or "()"
