"""Ctrl-C while Python still imports what the command needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from varscale._ctrl_c import is_command

SCRIPT = "import sys\nfrom varscale._command.main import main\nsys.exit(main())\n"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which Ctrl-C comes while NumPy is imported."""
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "numpy.py").write_text("raise KeyboardInterrupt")
    (tmp_path / "early" / "other.py").write_text("import varscale")
    (tmp_path / "varscale").write_text(SCRIPT)  # what an installer writes
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "early"), *filter(None, sys.path)])}


@pytest.mark.parametrize("command", [("-m", "varscale", "--version"), ("varscale", "init")])
def test_an_early_end_of_the_command(tmp_path: Path, environment: dict[str, str], command: tuple[str, ...]) -> None:
    """If this fails a slip of the hand ends in a page of what Python was importing, or as a success."""
    run = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "varscale: interrupted\n")


@pytest.mark.parametrize("command", [("-c", "import varscale"), ("-m", "other"), ("early/other.py", "varscale")])
def test_other_programs_are_left_alone(tmp_path: Path, environment: dict[str, str], command: tuple[str, ...]) -> None:
    """If this fails importing the package changes how somebody else's program ends."""
    run = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode not in (0, 130)
    assert run.stderr.endswith("KeyboardInterrupt\n")


@pytest.mark.parametrize(
    ("arguments", "whole", "wanted"),
    [
        ([], ["python"], False),
        ([""], ["python"], False),
        (["-c", "varscale"], ["python", "-c", "import varscale", "varscale"], False),
        (["-m", "init", "-o"], ["python", "-O", "-m", "varscale", "init", "-o"], True),
        (["-m"], ["python", "-mvarscale"], True),
        (["-m", "varscale"], ["python", "-m", "pytest", "varscale"], False),
        (["/usr/bin/varscale", "init"], ["python", "/usr/bin/varscale", "init"], True),
        (["/home/varscale/train.py"], ["python", "/home/varscale/train.py"], False),
    ],
)
def test_which_process_is_the_command(arguments: list[str], whole: list[str], wanted: bool) -> None:
    """If this fails Ctrl-C is caught where it is another program's, or is a traceback of the command's."""
    assert is_command(arguments, whole) == wanted
