"""SVG: paths in few letters, axes, and pictures that say in words what they show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ._scales import Scale, number

WIDTH = 340
"""The width of a figure: that of a phone."""
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 22
"""The room around what is plotted."""


def figure(height: int, label: str, parts: Iterable[str]) -> str:
    """A figure, with what a reader who does not see it is told."""
    return (
        f'<svg class="figure" viewBox="0 0 {WIDTH} {height:d}" width="{WIDTH}" height="{height:d}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def text(x: float, y: float, words: str, anchor: str = "middle", kind: str = "axis") -> str:
    """Words at a place."""
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'


def path(d: str, kind: str) -> str:
    """A path of a kind, which the style sheet draws."""
    return f'<path class="{kind}" d="{d}"/>'


def steps(places: Sequence[float], heights: Sequence[float], base: float) -> str:
    """The outline of bars between places. It moves from where it is, and only where a bar ends at another height."""
    x, y, found = places[0], base, [f"M{places[0]:g} {base:g}"]
    for start, height in zip(places, [*heights, base], strict=True):
        if height != y:
            found += [f"h{round(start - x, 1):g}" if start != x else "", f"v{round(height - y, 1):g}"]
            x, y = start, height
    if x != places[-1]:
        found.append(f"H{places[-1]:g}")
    return "".join(found)


def line(points: Iterable[tuple[float, float]]) -> str:
    """A line through points."""
    found: list[str] = []
    x = y = 0.0
    for right, down in points:
        found.append(f"l{round(right - x, 1):g} {round(down - y, 1):g}" if found else f"M{right:g} {down:g}")
        x, y = right, down
    return "".join(found).replace(" -", "-")


def dots(points: Iterable[tuple[float, float]]) -> str:
    """Dots, as lines of no length whose ends are round."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in points)


def axis_below(x: Scale, height: int, *, whole: bool = False) -> str:
    """The axis at the bottom of a figure; its ticks are whole numbers where only these mean something."""
    base = height - BOTTOM
    ticks = [tick for tick in x.ticks(5) if not whole or tick == int(tick)]
    marks = "".join(f"M{round(x(tick), 1):g} {base}v4" for tick in ticks)
    words = (text(x(tick), base + 16, f"{tick:.0f}" if whole else number(tick)) for tick in ticks)
    return path(f"M{x.start:g} {base}H{x.end:g}{marks}", "line") + "".join(words)


def axis_beside(y: Scale) -> str:
    """The axis at the left of a figure, with lines across it."""
    ticks = y.ticks(5)
    lines = "".join(f"M{LEFT} {round(y(tick), 1):g}H{WIDTH - RIGHT}" for tick in ticks)
    return path(lines, "grid") + "".join(text(LEFT - 6, y(tick) + 4, number(tick), "end") for tick in ticks)
