"""The commands and specs of the documents: they do what the pages show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from command.cases import called
from package import document
from varscale._command.source import read_source

pytestmark = pytest.mark.thread_unsafe(reason="standard output, and the folder of the process")

ROOT = document.ROOT
CONSOLES = sorted({block.page for block in document.every("console")})


@pytest.mark.parametrize("page", CONSOLES)
def test_commands(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails a command of a page does something else than it shows."""
    blocks = [block.text for block in document.blocks(page) if block.language == "console"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for line in "".join(blocks).split("$ ")[1:]:
        command, _, expected = line.partition("\n")
        name, *arguments = shlex.split(command, comments=True)
        if name == "make":  # a target of the project's own: it is there, and nobody waits for it here
            assert f"\n{arguments[0]}:" in (ROOT / "Makefile").read_text(encoding="utf-8"), command
            continue
        file = arguments.pop() if arguments[-2:-1] == [">"] else None
        if name == "ls":
            printed = "".join(f"{path.name}\n" for path in sorted(Path(arguments[0]).iterdir()))
        else:
            assert name == "varscale"
            code = called(*arguments[: -1 if file else None])
            said = capsys.readouterr()
            printed = said.out + said.err
            if file is not None:
                Path(file).write_text(said.out, encoding="utf-8")
                printed = ""
            assert code == (2 if "error" in expected else 0), printed
        assert re.fullmatch(re.escape(expected).replace(r"\.\.\.", ".*"), printed), f"{command}\n{printed}"


def test_there_are_commands() -> None:
    """If this fails the test above runs nothing."""
    assert "docs/guides/checkpoints.md" in CONSOLES


@pytest.mark.parametrize("block", document.every("toml"), ids=str)
def test_specs(block: document.Block, tmp_path: Path) -> None:
    """If this fails the spec that a page shows is none."""
    (tmp_path / "net.toml").write_text(block.text, encoding="utf-8")
    model = read_source(str(tmp_path / "net.toml"), [], None).model
    assert len(model) == 26
    assert model["model.norm.weight"].dtype == "float32"
