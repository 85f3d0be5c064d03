"""Graphs of imports: who imports whom, circles, and imports that run upwards."""

from __future__ import annotations

Graph = dict[str, set[str]]
"""By file: the files it imports."""


def circles(graph: Graph) -> list[list[str]]:
    """Files that reach each other, directly or by way of others: a sorted list for each knot of them."""
    reached = {name: _reach(graph, name) for name in graph}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) | {name} for name in graph}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def _reach(graph: Graph, start: str) -> set[str]:
    found: set[str] = set()
    left = [start]
    while left:
        for name in graph.get(left.pop(), set()) - found:
            found.add(name)
            left.append(name)
    return found


def upward(graph: Graph, floors: dict[str, int]) -> list[tuple[str, str]]:
    """Imports of a higher floor, and of a neighbour on the same one; `floors` are those of folders."""

    def runs_up(importer: str, imported: str) -> bool:
        own, other = folder(importer), folder(imported)
        return own != other and floors[other] >= floors[own]

    return sorted(
        (importer, imported) for importer in graph for imported in graph[importer] if runs_up(importer, imported)
    )


def folder(file: str) -> str:
    """The first part of a path, without the ending."""
    return file.partition("/")[0].partition(".")[0]


def height(graph: Graph) -> int:
    """Files on the longest way down; those of one circle count as one."""
    group = {name: next((i for i, circle in enumerate(circles(graph)) if name in circle), name) for name in graph}
    below = {
        key: {group.get(o, o) for name in graph if group[name] == key for o in graph[name]} - {key}
        for key in group.values()
    }
    heights: dict[object, int] = {}

    def of(key: object) -> int:
        if key not in heights:
            heights[key] = 1 + max(map(of, below.get(key, ())), default=0)
        return heights[key]

    return max(map(of, below), default=0)


def figures(graph: Graph, floors: dict[str, int]) -> dict[str, int]:
    """Files, files on the longest way down, imports, those that run upwards, circles."""
    return {
        "files": len(graph),
        "height": height(graph),
        "imports": sum(map(len, graph.values())),
        "upward": len(upward(graph, floors)),
        "circles": len(circles(graph)),
    }
