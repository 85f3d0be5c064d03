"""The adapters without their engines; with them, `make test-engines` tests them in tests/engines/."""

from __future__ import annotations

from importlib.metadata import metadata
from pathlib import Path

import pytest

import varscale as vs
from package import document
from process.child import run
from varscale._engines import EXTRAS


def test_every_adapter_has_its_extra() -> None:
    """If this fails the command that an ImportError names installs nothing (extras are read where it is installed)."""
    extras = {extra.replace("-", "_") for extra in metadata("varscale").get_all("Provides-Extra")}  # one name to pip
    assert set(EXTRAS) <= extras, "install anew after a change of extras"


def test_every_adapter_is_tested_with_its_engine() -> None:
    """If this fails an adapter has no environment, no tests or no section."""
    makefile = (document.ROOT / "Makefile").read_text(encoding="utf-8")
    engines = makefile.split("\nENGINES := ")[1].split("\n")[0].split()
    guide = (document.ROOT / "docs" / "guides" / "engines.md").read_text(encoding="utf-8")
    for engine in EXTRAS:
        folder = "engines" if engine in engines else "frameworks/*"
        assert list((document.ROOT / "tests").glob(f"{folder}/test_{engine}_*.py")), engine
        assert f"varscale[{engine}]" in guide


@pytest.mark.parametrize("engine", EXTRAS)
@pytest.mark.parametrize("use", ["import varscale.ENGINE", "import varscale; varscale.ENGINE"])
def test_a_missing_engine_is_named(engine: str, use: str) -> None:
    """If this fails a user without the engine does not learn what to install."""
    code = f"import sys; sys.modules[{EXTRAS[engine]!r}] = None; {use.replace('ENGINE', engine)}"
    errors = run(code).stderr.strip().splitlines()
    assert errors, f"`varscale.{engine}` does not import {EXTRAS[engine]}"
    last = errors[-1]
    assert last.startswith(f"ImportError: `varscale.{engine}` needs a package that is not installed")
    assert last.endswith(f"pip install 'varscale[{engine}]'")


def test_adapters_are_no_other_names() -> None:
    """If this fails a misspelt name of the package imports something, or is no AttributeError."""
    with pytest.raises(AttributeError, match="module 'varscale' has no attribute 'tensorfow'"):
        vs.tensorfow  # noqa: B018
    assert not hasattr(vs, "numpy")


@pytest.mark.parametrize("module", ["torch", "mlx.core"])
def test_dtypes_are_known_by_their_module(module: str) -> None:
    """If this fails a model cannot be described by a module's parameters."""
    kind = type("dtype", (), {"__module__": module, "__str__": lambda self: f"{module}.bfloat16"})
    assert vs.lecun_normal(1)((2, 3), kind()).dtype == vs.lecun_normal(1)((2, 3), "bfloat16").dtype


def test_document_examples_without_an_adapter(tmp_path: Path) -> None:
    """If this fails the documents' way for any other engine does not run."""
    scripts = [script for name in document.DOCUMENTS for script in document.scripts(name, None)]
    assert scripts
    for script in scripts:
        document.run(script, tmp_path)


def test_a_failing_example_is_seen(tmp_path: Path) -> None:
    """If this fails no example is tested."""
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        document.run("1 / 0", tmp_path)
