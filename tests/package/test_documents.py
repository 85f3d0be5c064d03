"""The adapters without their engines; with them, `make test-engines` tests them in tests/engines/."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize("block", document.scripts(__file__), ids=str)
def test_scripts(block: document.Block, tmp_path: Path) -> None:
    """If this fails the documents' way for NumPy or any other engine does not run."""
    document.run(block.text, tmp_path)


@pytest.mark.parametrize("page", document.PAGES)
def test_every_block_is_run(page: str) -> None:
    """If this fails a page shows code that nobody runs."""
    assert document.faults(page) == []


@pytest.mark.parametrize("test", document.RUNNERS)
def test_every_runner_runs(test: str) -> None:
    """If this fails the scripts that an environment is said to run are run by nobody."""
    assert "document.scripts(__file__)" in (document.ROOT / test).read_text(encoding="utf-8")
    assert document.scripts(str(document.ROOT / test))


@pytest.mark.parametrize(
    "text",
    [
        "```python\nimport numba\n```",
        "```python\nimport torch, flax\n```",
        "```python\nimport jax.numpy, varscale as vs\nvs.mlx.init_(1)\n```",
        "```ruby\nputs 1\n```",
        "```\nvarscale init x\n```",
        "- a list\n\n  ```python\n  1 / 0\n  ```",
        "~~~\n1 / 0\n~~~",
    ],
)
def test_what_nobody_runs_is_seen(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a page may be added whose code nobody runs."""
    monkeypatch.setattr(document, "ROOT", tmp_path)
    (tmp_path / "page.md").write_text(f"# Page\n\n{text}\n", encoding="utf-8")
    assert len(document.faults("page.md")) == 1


def test_every_page_is_on_the_site() -> None:
    """If this fails a page of docs/ is in no list of docs/README.md, of which the site's navigation is made."""
    start = (document.ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[.+?\]\((\S+?\.md)\)", start, re.MULTILINE)
    assert sorted(f"docs/{path}" for path in listed if not path.startswith("../")) == document.PAGES[2:]
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize("picture", sorted((document.ROOT / "docs").rglob("*.svg")), ids=lambda path: path.name)
def test_pictures_have_the_pages_ink(picture: Path) -> None:
    """If this fails a picture is black on black in the dark, or says nothing to who cannot see it."""
    text = picture.read_text(encoding="utf-8")
    assert "currentColor" in text
    assert "prefers-color-scheme:dark" in text
    assert "<title>" in text
    assert not re.search("#000000|#ffffff", text)


def test_a_failing_example_is_seen(tmp_path: Path) -> None:
    """If this fails no example is tested."""
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        document.run("1 / 0", tmp_path)
