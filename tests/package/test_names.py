"""The package as a whole: its names, its documents' examples, its files, and what importing it costs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import varscale as vs
from varscale._engines import EXTRAS

ROOT = Path(__file__).parents[2]
MODULES = [module.name.removeprefix("varscale.") for module in pkgutil.walk_packages(vs.__path__, "varscale.")]
WITHOUT_ENGINES = [
    name for name in MODULES if name.partition(".")[0] not in EXTRAS
]  # tests/engines/ has those examples
DOCUMENTS = [str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md"))]
FRAMEWORKS = ("tensorflow", "keras", "jax", "torch", "dask", "orbax", "distributed", "zarr", "scipy", "pandas")


def test_all_names_are_public_and_every_public_class_is_named() -> None:
    """If this fails a name is missing from `__all__`, or `__all__` promises what is not there."""
    assert sorted(vs.__all__) == list(vs.__all__)
    visible = {name for name in vars(vs) if not name.startswith("_")} | {"__version__"}
    assert visible - set(MODULES) == set(vs.__all__)


@pytest.mark.parametrize("name", [name for name in vs.__all__ if name != "__version__"])
def test_every_public_name_is_documented(name: str) -> None:
    """If this fails `help()` says nothing about something users can call."""
    assert len(getattr(vs, name).__doc__) > 20


@pytest.mark.thread_unsafe(reason="doctest takes over standard output")
@pytest.mark.parametrize("name", ["__init__", *WITHOUT_ENGINES])
def test_docstring_examples(name: str) -> None:
    """If this fails an example in the documentation does not give what it shows."""
    module = vs if name == "__init__" else importlib.import_module(f"varscale.{name}")
    assert doctest.testmod(module, extraglobs={"__name__": "users_module"}).failed == 0


@pytest.mark.thread_unsafe(reason="doctest takes over standard output")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_examples(name: str) -> None:
    """If this fails an example of the README or its neighbours does not give what it shows."""
    assert doctest.testfile(str(ROOT / name), module_relative=False, encoding="utf-8").failed == 0


def test_there_are_examples() -> None:
    """If this fails the two tests above test nothing."""
    parser = doctest.DocTestParser()
    assert len(parser.get_examples((ROOT / "README.md").read_text(encoding="utf-8"))) >= 5
    assert (
        sum(len(doctest.DocTestFinder().find(importlib.import_module(f"varscale.{name}"))) for name in WITHOUT_ENGINES)
        > 20
    )


def test_files_are_short() -> None:
    """If this fails a file has grown to more than one idea."""
    folders = ("src", "python", "tests", "benches", "tools", "examples", "release")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".rs", ".pyi"}]
    assert len(files) > 40
    long = {path.name: count for path in files if (count := lines(path)) > 300}
    assert not long


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def imported(code: str) -> set[str]:
    """The frameworks that are loaded after running the code in a new process."""
    script = f"{code}; import sys; print(*[name for name in {FRAMEWORKS} if name in sys.modules])"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_importing_varscale_imports_no_framework() -> None:
    """If this fails importing the package costs seconds and needs what it must not need."""
    assert imported("import varscale; varscale.lecun_normal(1)((100, 100))") == set()


def test_importing_varscale_does_not_import_the_replays() -> None:
    """If this fails everyone pays for what few use; or `varscale.replay` is not there when it is asked for."""
    script = "import sys, varscale; print('varscale.replay' in sys.modules); varscale.replay.tf1"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
    with pytest.raises(AttributeError, match="module 'varscale' has no attribute 'reply'"):
        _ = vs.reply


def test_the_import_test_can_fail() -> None:
    """If this fails the test above sees nothing."""
    assert imported("import scipy, varscale") == {"scipy"}


def test_the_version_is_cargos() -> None:
    """If this fails a wheel and its crate carry different versions."""
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{vs.__version__}"\n' in manifest
