"""What the package says of itself: on the command line, and at the import of a debug build."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import varscale as vs
from process.child import run
from varscale import _core
from varscale._command.main import main


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m varscale` in a process of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("VARSCALE_")}
    return subprocess.run(
        [sys.executable, "-m", "varscale", *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_version_stream_level_and_threads_are_printed() -> None:
    """If this fails a report of a problem does not say what it is about."""
    found = command("--version", VARSCALE_SIMD="baseline", VARSCALE_NUM_THREADS="3")
    assert found.stdout.splitlines() == [f"varscale {vs.__version__}", "stream 1", "SIMD level baseline", "threads 3"]
    assert (found.returncode, found.stderr) == (0, "")


def test_what_this_process_would_use_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails the command prints constants."""
    vs.set_num_threads(5)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [f"SIMD level {_core.simd_level()}", "threads 5"]


@pytest.mark.parametrize(("variable", "value"), [("VARSCALE_SIMD", "sse9"), ("VARSCALE_NUM_THREADS", "many")])
def test_illegal_settings_are_named(variable: str, value: str) -> None:
    """If this fails a wrong environment variable ends in a traceback."""
    found = command("--version", **{variable: value})
    assert found.returncode == 2
    assert f"error: `{variable}` must be" in found.stderr
    assert "Traceback" not in found.stderr


def test_empty_settings_are_no_settings() -> None:
    """If this fails a script or a matrix of jobs that leaves a setting empty ends in an error."""
    found = command("--version", VARSCALE_SIMD="", VARSCALE_NUM_THREADS="")
    assert (found.returncode, found.stdout) == (0, command("--version").stdout), found.stderr


def test_without_arguments_help_is_printed() -> None:
    """If this fails the command says nothing of what it can do."""
    found = command()
    assert found.returncode == 0
    assert "--version" in found.stdout


def test_a_debug_build_warns_once_at_import() -> None:
    """If this fails users measure a build without optimisation, or are told of it at every turn."""
    found = run(f"""
import importlib.util, sys, warnings
spec = importlib.util.spec_from_file_location("varscale._core", {_core.__file__!r})
core = importlib.util.module_from_spec(spec)
spec.loader.exec_module(core)
sys.modules["varscale._core"] = core
counts = []
for core.DEBUG_BUILD in (True, False):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import varscale
        import varscale
        varscale.lecun_normal(1)((2, 2))
    counts.append([(warning.category.__name__, "without optimisation" in str(warning.message)) for warning in caught])
    for name in [name for name in sys.modules if name.startswith("varscale") and name != "varscale._core"]:
        del sys.modules[name]
print(counts)
""")
    assert found.stdout == "[[('RuntimeWarning', True)], []]\n", found.stderr


def test_this_build_says_what_it_is() -> None:
    """If this fails the tests run on a build that is not what users get."""
    assert _core.DEBUG_BUILD is False
