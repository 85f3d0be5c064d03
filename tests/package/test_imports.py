"""The house's rules of imports: one way down, no circles, one way into the core."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from package.imports import circles, draw, figures, upward

PACKAGE = Path(__file__).parents[2] / "python" / "varscale"


def test_imports_run_down_and_in_no_circle() -> None:
    """If this fails a file depends on what is built upon it, and neither can be understood or moved alone."""
    graph = draw(PACKAGE)
    assert len(graph) > 40
    assert circles(graph) == []
    assert upward(graph) == []


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
    for folder in ("_arguments", "_models"):
        (package / folder).mkdir(parents=True)
        (package / folder / "__init__.py").write_text("")
    (package / "__init__.py").write_text("from ._models.rules import Rule\n")
    (package / "_models" / "rules.py").write_text("from .._arguments.checks import real\n")
    (package / "_arguments" / "checks.py").write_text("real = float\n")
    graph = draw(package)
    assert (circles(graph), upward(graph)) == ([], [])
    assert figures(graph) == {"files": 5, "height": 3, "imports": 2, "upward": 0, "circles": 0}
    (package / "_arguments" / "checks.py").write_text(line)
    graph = draw(package)
    assert circles(graph) == [["_arguments.checks", "_models.rules"]]
    assert upward(graph) == [("_arguments.checks", "_models.rules")]
    assert figures(graph)["circles"] == figures(graph)["upward"] == 1


def test_a_planted_neighbour_is_seen(tmp_path: Path) -> None:
    """If this fails one adapter may need another's framework."""
    for name, line in (("__init__", ""), ("dask", "from .jax import make_array"), ("jax", "make_array = None")):
        (tmp_path / f"{name}.py").write_text(line)
    assert upward(draw(tmp_path)) == [("dask", "jax")]


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
