"""The package's imports run down its floors and in no circle, and one file fills the core."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from pathlib import Path

import pytest

from package.graph import Graph, circles, figures, folder, upward

pytestmark = pytest.mark.thread_unsafe(reason="CPython 3.11 parses in one thread at a time only")

PACKAGE = Path(__file__).parents[2] / "python" / "varscale"
FLOORS: dict[str, int] = {
    "_core": 0,  # the extension
    "_arguments": 1,
    "_sources": 2,
    "_filling": 3,
    "_devices": 3,
    "replay": 4,
    "_initializers": 5,
    "_models": 6,
    "_engines": 7,
    "_keras": 8,
    "checkpoint": 9,
    "torch": 9,
    "tf1": 9,
    "mlx": 9,
    "jax": 9,
    "dask": 9,
    "keras": 9,
    "tf_keras": 9,
    "plot": 10,
    "__init__": 11,
    "_command": 12,
    "__main__": 13,
}
"""From the ground up: folders, and files beside them. Who stands on one floor does not import the neighbours."""


def draw(package: Path) -> Graph:
    """Which file imports which, wherever that stands: at the top, under TYPE_CHECKING, in a function."""
    files = {
        _dotted(file): file
        for pattern in ("**/*.py", "*.pyi")
        for path in package.glob(pattern)
        if (file := path.relative_to(package))
    }
    graph: Graph = {}
    for module, file in files.items():
        inside = module if file.name == "__init__.py" else module.rpartition(".")[0]
        tree = ast.parse((package / file).read_text(encoding="utf-8"))
        imported = {files[name].as_posix() for name in _imported(tree, package.name, inside, files.keys())}
        graph[file.as_posix()] = imported - {file.as_posix()}
    return graph


def _dotted(file: Path) -> str:
    """A module's name below the package; "" for the package itself."""
    return ".".join(file.with_suffix("").parts).removesuffix("__init__").removesuffix(".")


def _imported(tree: ast.AST, package: str, folder: str, modules: Set[str]) -> Iterator[str]:
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


def test_imports_run_down_and_in_no_circle() -> None:
    """If this fails a file depends on what is built upon it, and neither can be understood or moved alone."""
    graph = draw(PACKAGE)
    assert len(graph) > 40
    assert {folder(file) for file in graph} == FLOORS.keys(), "a new folder or file of the package has its floor"
    assert circles(graph) == []
    assert upward(graph, FLOORS) == []


@pytest.mark.parametrize(
    "line",
    [
        "from .._models.rules import Rule",
        "if TYPE_CHECKING:\n    from .._models.rules import Rule",
        "def later():\n    from varscale._models import rules",
        "import varscale._models.rules",
    ],
)
def test_a_planted_import_is_seen(tmp_path: Path, line: str) -> None:
    """If this fails the test above sees no import that stands elsewhere than at the top, or none at all."""
    package = tmp_path / "varscale"
    for name in ("_arguments", "_models"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text("")
    (package / "__init__.py").write_text("from ._models.rules import Rule\n")
    (package / "_models" / "rules.py").write_text("from .._arguments.checks import real\n")
    (package / "_arguments" / "checks.py").write_text("real = float\n")
    graph = draw(package)
    assert (circles(graph), upward(graph, FLOORS)) == ([], [])
    assert figures(graph, FLOORS) == {"files": 5, "height": 3, "imports": 2, "upward": 0, "circles": 0}
    (package / "_arguments" / "checks.py").write_text(line)
    graph = draw(package)
    assert circles(graph) == [["_arguments/checks.py", "_models/rules.py"]]
    assert upward(graph, FLOORS) == [("_arguments/checks.py", "_models/rules.py")]
    assert figures(graph, FLOORS)["circles"] == figures(graph, FLOORS)["upward"] == 1


def test_a_planted_neighbour_is_seen(tmp_path: Path) -> None:
    """If this fails one adapter may need another's framework."""
    for name, line in (("__init__", ""), ("dask", "from .jax import make_array"), ("jax", "make_array = None")):
        (tmp_path / f"{name}.py").write_text(line)
    assert upward(draw(tmp_path), FLOORS) == [("dask.py", "jax.py")]


def core_names(path: Path) -> set[str]:
    """What a file takes of the core; "*" for the core itself."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            found |= names if node.module == "_core" else {"*"} & {"*" if name == "_core" else "" for name in names}
    return found


def test_the_core_is_filled_in_one_place() -> None:
    """If this fails there is a second way into the core, which no device could take over."""
    taken = {path.relative_to(PACKAGE).as_posix(): core_names(path) for path in PACKAGE.rglob("*.py")}
    assert [name for name, names in taken.items() if "fill" in names] == ["_filling/fill.py"]
    assert [name for name, names in taken.items() if "*" in names] == [], "a line says what it takes of the core"
    assert sum(map(bool, taken.values())) > 5, "or this test sees nothing"
