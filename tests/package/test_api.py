"""The public names are those of `api.txt`, and each has its place in the reference."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from package import api

ROOT = Path(__file__).parents[2]
REFERENCE = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").rglob("*.md"))
CODE = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`|```.*?```", REFERENCE, re.DOTALL))))
NAMES = {module: [line for line in lines if not line.startswith(" ")] for module, lines in api.kept().items()}


def name_of(line: str) -> str:
    found = re.match(r" *\.?(\w+)", line)
    assert found
    return found[1]


@pytest.mark.parametrize("module", api.PLAIN)
def test_the_api_is_the_listed_one(module: str) -> None:
    """If this fails a name, an argument or a default has changed that users may have written down."""
    api.check(module)


def test_every_public_module_is_listed() -> None:
    """If this fails the names of a module are promised by nobody."""
    package = ROOT / "python" / "varscale"
    parts = [path.relative_to(package).with_suffix("").parts for path in package.rglob("*.py")]
    places = [part[:-1] if part[-1] == "__init__" else part for part in parts]
    public = {".".join(("varscale", *place)) for place in places if not any(name.startswith("_") for name in place)}
    assert set(api.MODULES) == set(api.kept()) == public


@pytest.mark.parametrize("module", set(api.MODULES) - set(api.PLAIN))
def test_adapters_have_the_listed_names(module: str) -> None:
    """If this fails a name of an adapter is new or gone; with the frameworks, its arguments are compared too."""
    path = ROOT.joinpath("python", *module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    (found,) = (
        node.value
        for node in ast.parse(source.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert sorted(ast.literal_eval(found)) == [name_of(line) for line in NAMES[module]]


@pytest.mark.parametrize("module", set(api.MODULES) - set(api.PLAIN))
def test_adapters_are_compared_where_their_frameworks_are(module: str) -> None:
    """If this fails nobody sees that an argument of an adapter has changed."""
    tests = (ROOT / "tests").glob("*/**/test_*_api.py")
    assert any(f'"{module}"' in path.read_text(encoding="utf-8") for path in tests)


@pytest.mark.parametrize("module", api.MODULES)
def test_every_name_is_in_the_reference(module: str) -> None:
    """If this fails a user can call what no page explains."""
    lines = api.kept()[module]
    assert [line for line in lines if name_of(line) not in CODE | {"__call__", "__version__"}] == []
    assert module == "varscale" or f"`{module}`" in REFERENCE or f"`{module.replace('varscale', 'vs')}" in REFERENCE


def test_a_change_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails the tests above pass whatever has changed, or do not say how to write the file anew."""
    lines = api.kept()
    lines["varscale"] = [line.replace("seed=None", "seed=0") for line in lines["varscale"]]
    monkeypatch.setattr(api, "kept", lambda: lines)
    with pytest.raises(AssertionError, match=r"(?s)-HeNormal\(seed=0, .*\+HeNormal\(seed=None, .*-m package\.api"):
        api.check("varscale")
