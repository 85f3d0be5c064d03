"""The graph of a package's imports, drawn from its sources: who imports whom, circles, and imports that run upwards.

    python tests/package/imports.py [package]

prints its figures.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

Graph = dict[str, set[str]]
"""By module, dotted and without the package's name: the modules it imports. "" is the package itself."""

FLOORS: dict[str, int] = {
    "_core": 0,  # the extension
    "_arguments": 1,
    "_sources": 2,
    "_filling": 3,
    "replay": 4,
    "_initializers": 5,
    "_models": 6,
    "_engines": 6,
    "torch": 7,
    "jax": 7,
    "dask": 7,
    "": 8,
    "__main__": 9,
}
"""By the first part of a module's name. What stands on one floor does not import its neighbours."""


def draw(package: Path) -> Graph:
    """Every import, wherever it stands: at the top, under TYPE_CHECKING, in a function."""
    modules = {_name(path.relative_to(package)): path for path in package.rglob("*.py")}
    modules |= {_name(path.relative_to(package)): path for path in package.glob("*.pyi")}
    graph: Graph = {}
    for name, path in modules.items():
        folder = name if path.name == "__init__.py" else name.rpartition(".")[0]
        tree = ast.parse(path.read_text(encoding="utf-8"))
        graph[name] = set(_imported(tree, package.name, folder, modules.keys())) - {name}
    return graph


def _name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix("__init__").removesuffix(".")


def _imported(tree: ast.AST, package: str, folder: str, modules: set[str]) -> Iterator[str]:  # type: ignore[type-arg]
    """The package's modules that a file names in its imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root, _, rest = alias.name.partition(".")
                if root == package:
                    yield rest
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                parts = folder.split(".") if folder else []
                start = parts[: len(parts) - (node.level - 1)]
                module = ".".join([*start, *(node.module or "").split(".")]).strip(".")
            elif (node.module or "").partition(".")[0] == package:
                module = (node.module or "").partition(".")[2]
            else:
                continue
            for alias in node.names:
                inner = f"{module}.{alias.name}".strip(".")
                yield inner if inner in modules else module


def circles(graph: Graph) -> list[list[str]]:
    """Modules that reach each other: every group of two and more."""
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


def upward(graph: Graph, floors: dict[str, int] = FLOORS) -> list[tuple[str, str]]:
    """Imports of a higher floor, and of a neighbour on the same one."""

    def runs_up(name: str, other: str) -> bool:
        own, others = name.partition(".")[0], other.partition(".")[0]
        return own != others and floors[others] >= floors[own]

    return sorted((name, other) for name in graph for other in graph[name] if runs_up(name, other))


def height(graph: Graph) -> int:
    """Modules on the longest way down; those of one circle count as one."""
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


def figures(graph: Graph, floors: dict[str, int] = FLOORS) -> dict[str, int]:
    """Files, modules on the longest way down, imports, those that run upwards, circles."""
    return {
        "files": len(graph),
        "height": height(graph),
        "imports": sum(map(len, graph.values())),
        "upward": len(upward(graph, floors)),
        "circles": len(circles(graph)),
    }


if __name__ == "__main__":
    root = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[2] / "python" / "varscale"
    print(figures(draw(root)))
