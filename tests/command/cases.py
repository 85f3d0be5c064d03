"""The command, called in this process, and a spec to call it with."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from varscale._command.main import main

SPEC = """
layout = "torch"
rules = [["*.o.weight", "normal(0.0, 0.01)"]]

[parameters]
embed.weight = [100, 32]
"norm.weight" = { shape = [32], dtype = "float64", initializer = "constant(0.5)" }

[[blocks]]
name = "layers.{}"
count = 3
first = 1
parameters = { "q.weight" = [32, 32], "o.weight" = [32, 32] }

[[blocks.blocks]]
name = "experts.{}"
count = 2
parameters = { "w1.weight" = [64, 32] }
"""


def called(*arguments: object) -> int:
    """The exit code of the command."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(str(end.code))


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What the command says where it refuses: one line on standard error, exit code 2."""
    capsys.readouterr()
    assert called(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.endswith("\n")
    assert "Traceback" not in printed.err
    return printed.err.removesuffix("\n")


def spec(folder: Path, text: str = SPEC) -> Path:
    """A spec in a file."""
    path = folder / "net.toml"
    path.write_text(text, encoding="utf-8")
    return path


def sha(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
