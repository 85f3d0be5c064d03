"""Tables in a terminal: columns of words are aligned to the left, those of numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(cells: Sequence[Sequence[str]], words: int) -> str:
    """Lines of cells, of which the first `words` are words. A column with nothing below its heading is left out."""
    held = [(place < words, column) for place, column in enumerate(zip(*cells, strict=True)) if any(column[1:])]
    sides, columns = [side for side, _ in held], [column for _, column in held]
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, sides, strict=True)
        ).rstrip()
        for line in zip(*columns, strict=True)
    )


def number(value: float | None) -> str:
    """A number in six digits; nothing for None."""
    return "" if value is None else f"{value:.6g}"


def sizes(shape: tuple[int, ...]) -> str:
    """A shape, as `3x4`."""
    return "x".join(map(str, shape)) or "()"
