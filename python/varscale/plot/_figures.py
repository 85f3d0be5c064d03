"""Figures of a page: histograms over their laws, standard deviations by layer, and the signal by depth."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from math import inf, isfinite

import numpy as np

from .._sources.plan import Plan
from ..checkpoint._laws import cdf
from ._histogram import Histogram
from ._scales import Scale, fitting, number
from ._survey import Kind, Signal, Tensor
from ._svg import BOTTOM, LEFT, RIGHT, TOP, WIDTH, axis_below, axis_beside, dots, figure, line, path, steps, text

SMALL = 96, 28
"""The width and the height of a histogram in a line of a table."""
OVERLAID = 12
"""The most histograms in one figure."""
LAYERS = 64
"""The most places along an axis of layers; where there are more layers, neighbours share one."""
_POINTS = 24
"""The points of a law in such a histogram."""
_ROOM = 1.2
"""How high a figure is, of the peak of the law, or of the numbers without one."""


@lru_cache(256)
def curve(plan: Plan, low: float, high: float, points: int) -> list[tuple[float, float]]:
    """The density of a law at so many points: its mean over each of so many steps."""
    edges = np.linspace(low, high, points + 1)
    middles, heights = (edges[1:] + edges[:-1]) / 2.0, np.diff(cdf(plan, edges)) / np.diff(edges)
    return [(low, heights[0]), *zip(middles.tolist(), heights.tolist(), strict=True), (high, heights[-1])]


def _top(peak: float, law: list[tuple[float, float]]) -> float:
    """The density at the top: that of the law counts, so that pictures of one law are alike, if the numbers fit in."""
    top = _ROOM * max((height for _, height in law), default=peak)
    while peak > top:
        top *= 1.5
    return top


def small_histogram(tensor: Tensor) -> tuple[str, str]:
    """The paths of a histogram of `SMALL` size, and of its law; both may be empty."""
    held, plan, (width, height) = tensor.histogram, tensor.target.plan, SMALL
    if held is None:
        return "", ""
    low, high = float(held.edges[0]), float(held.edges[-1])
    top = _top(float(held.heights.max()), curve(plan, low, high, _POINTS) if plan else [])
    bars = _bars(held, Scale(low, high, 0, width), Scale(0.0, top, height, 0), 0)
    return bars, _small_law(plan, low, high, top) if plan else ""


@lru_cache(256)
def _small_law(plan: Plan, low: float, high: float, top: float) -> str:
    x, y = Scale(low, high, 0, SMALL[0]), Scale(0.0, top, SMALL[1], 0)
    return line((round(x(point)), round(y(at))) for point, at in curve(plan, low, high, _POINTS))


def _bars(held: Histogram, x: Scale, y: Scale, digits: int) -> str:
    places = [round(x(edge), digits) for edge in held.edges.tolist()]
    return steps(places, [round(y(share), digits) for share in held.heights.tolist()], y(0.0))


def histograms(tensors: tuple[Tensor, ...], label: str) -> str:
    """The histograms of tensors, one over the other, and their laws."""
    drawn = [tensor for tensor in tensors if tensor.histogram is not None]
    # Evenly spaced ones, and those that are suspect first of all.
    drawn = sorted(drawn[:: -(-len(drawn) // OVERLAID)], key=lambda tensor: bool(tensor.row.why))
    held = [tensor.histogram for tensor in drawn if tensor.histogram is not None]
    low, high = min(float(some.edges[0]) for some in held), max(float(some.edges[-1]) for some in held)
    laws = [curve(plan, low, high, 120) for plan in dict.fromkeys(tensor.target.plan for tensor in drawn) if plan]
    tallest = max(float(some.heights.max()) for some in held)
    height = 150
    x = Scale(low, high, RIGHT, WIDTH - RIGHT)
    y = Scale(0.0, _top(tallest, [point for law in laws[:4] for point in law]), height - BOTTOM, TOP)
    kind = "one" if len(drawn) == 1 else "many"
    parts = []
    for tensor, some in zip(drawn, held, strict=True):
        parts.append(path(_bars(some, x, y, 1), f"{kind} bad" if tensor.row.why else kind))
    parts += [path(line((round(x(at), 1), round(y(up), 1)) for at, up in law), "law") for law in laws[:4]]
    return figure(height, label, [*parts, axis_below(x, height)])


def stddevs(kind: Kind, label: str) -> str:
    """The standard deviations of the tensors of a kind by layer: those measured beside those of the laws."""
    known = [tensor for tensor in kind.tensors if tensor.depth is not None and tensor.spread is not None]
    first, last = known[0].depth or 0, known[-1].depth or 0
    each = -(-(last - first + 1) // LAYERS)
    height = 150
    x = Scale(first - 0.5, max(last, first + 1) + 0.5, LEFT, WIDTH - RIGHT)
    found = [value for tensor in known for value in (tensor.row.stddev, tensor.row.target_stddev) if value is not None]
    y = fitting(found, height - BOTTOM, TOP)
    reach = round(min(0.36 * each * (x(1.0) - x(0.0)), 9.0), 1)
    fine: list[tuple[float, float]] = []
    bad: list[tuple[float, float]] = []
    ranges, targets = "", ""
    for layer, group in groupby(known, lambda tensor: (tensor.depth or 0) // each * each):
        held = list(group)
        at = round(x(layer), 1)
        measured = sorted(_place(y, tensor.spread or 0.0) for tensor in held)
        wanted = {_place(y, tensor.row.target_stddev) for tensor in held if tensor.row.target_stddev is not None}
        targets += "".join(f"M{round(at - reach, 1):g} {place:g}h{2 * reach:g}" for place in sorted(wanted))
        if measured[0] != measured[-1]:
            ranges += f"M{at:g} {measured[0]:g}V{measured[-1]:g}"
        suspect = [_place(y, tensor.spread or 0.0) for tensor in held if tensor.row.why]
        # Of many in one layer the least and the greatest are shown, and all that are suspect.
        fine += [(at, place) for place in sorted({measured[0], measured[-1]} - set(suspect))]
        bad += [(at, place) for place in sorted(set(suspect))[:8]]
    parts = [
        axis_beside(y), path(ranges, "range"), path(targets, "target"), path(dots(fine), "dots"),
        path(dots(bad), "dots bad"), axis_below(x, height, whole=True),
    ]  # fmt: skip
    return figure(height, label, (part for part in parts if ' d=""' not in part))


def _place(scale: Scale, value: float) -> float:
    """The place of a number; one that is not finite is beyond all others."""
    return round(scale(value), 1) if isfinite(value) else scale.end


def signals(signal: Signal, label: str) -> str:
    """The root mean square of a chain's outputs by depth, for each activation."""
    height = 190
    depths = len(signal.chain.weights)
    room = 42  # for the names of lines
    x = Scale(0, depths, LEFT, WIDTH - RIGHT - room)
    # What is zero or infinite ends a line: the words below say so.
    lines = {
        name: [(round(x(depth), 1), value) for depth, value in enumerate(values) if 0.0 < value < inf]
        for name, values in signal.by_activation.items()
    }
    y = fitting((value for points in lines.values() for _, value in points), height - BOTTOM, TOP, least=1)
    parts, ends = [axis_beside(y), axis_below(x, height, whole=True)], []
    for name, values in lines.items():
        points = [(at, round(y(value), 1)) for at, value in values]
        parts.append(path(line(points), f"signal {name}"))
        if depths <= LAYERS:
            parts.append(path(dots(points), f"dots {name}"))
        ends += [(point, name) for point in points[-1:]]
    free = height - BOTTOM - 2.0
    for (at, place), name in sorted(ends, reverse=True, key=lambda end: end[0][1]):
        free = min(place + 4, free)
        parts.append(text(at + 8, free, name, "start", f"name {name}"))
        free -= 13
    return figure(height, label, parts)


def words(tensor: Tensor) -> str:
    """What a histogram shows, in words."""
    held = tensor.histogram
    if held is None:
        return ""
    return f"half from {number(held.middle[0])} to {number(held.middle[1])}"
