"""The guide to checkpoints: its commands say what it says that they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from command.cases import called
from package import document
from varscale._command.source import read_source

pytestmark = pytest.mark.thread_unsafe(reason="standard output, and the folder of the process")

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "checkpoints.md").read_text(encoding="utf-8")


def test_commands_of_the_guide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails a command of the guide does something else than it shows."""
    blocks = re.findall(r"^```console\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    assert len(blocks) > 4
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for line in "".join(blocks).split("$ ")[1:]:
        command, _, expected = line.partition("\n")
        name, *arguments = shlex.split(command)
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


def test_processes_of_the_guide(tmp_path: Path) -> None:
    """If this fails the guide's way for any other engine does not run."""
    scripts = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    [script] = [text for text in scripts if "ProcessPoolExecutor" in text]
    document.run(script, tmp_path)


def test_the_spec_of_the_guide(tmp_path: Path) -> None:
    """If this fails the spec that the guide shows is none."""
    [text] = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    (tmp_path / "net.toml").write_text(text, encoding="utf-8")
    model = read_source(str(tmp_path / "net.toml"), [], None).model
    assert len(model) == 26
    assert model["model.norm.weight"].dtype == "float32"
