"""What a release is made of: its targets, its documents, and the licences of the crates it holds."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The modules of release/ that need nothing but Python."""
    monkeypatch.syspath_prepend(str(ROOT / "release"))
    return {name: importlib.import_module(name) for name in ("targets", "build", "licences", "table", "interpreters")}


def test_the_licences_are_those_of_the_crates_in_the_wheels(release: dict[str, ModuleType]) -> None:
    """If this fails a wheel holds a crate whose licence it does not show: `python release/licences.py --write`."""
    written = (ROOT / "THIRD-PARTY-LICENSES").read_text(encoding="utf-8")
    assert written == release["licences"].document()
    assert "\npyo3 " in written
    assert "\nrand_philox " not in written, "a crate of tests is in no wheel"


@pytest.mark.parametrize(
    ("cargo", "python"), [("1.2.3", "1.2.3"), ("0.1.0-rc1", "0.1.0rc1"), ("1.2.3-rc.1", None), ("1.2", None)]
)
def test_versions_are_as_python_writes_them(
    release: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cargo: str, python: str | None
) -> None:
    """If this fails a wheel has another name than the one that is looked for, or a version that nobody can tell."""
    (tmp_path / "Cargo.toml").write_text(f'[package]\nversion = "{cargo}"\n', encoding="utf-8")
    monkeypatch.setattr(release["targets"], "ROOT", tmp_path)
    if python is None:
        with pytest.raises(SystemExit, match="must be three numbers, and may end in -rc1"):
            release["targets"].version()
    else:
        assert release["targets"].version() == python


def test_the_standard_library_is_in_the_bill_of_materials(release: dict[str, ModuleType]) -> None:
    """If this fails wheels name another standard library than their own, or not all whose licences they show."""
    bill = json.loads((ROOT / "release" / release["build"].STD).read_text(encoding="utf-8"))
    std = bill["metadata"]["component"]
    assert std["version"] == release["build"].RUST
    licences = release["licences"].RUNTIME.read_text(encoding="utf-8")
    assert f"\nRust's standard library {std['version']} ({std['licenses'][0]['expression']})\n" in licences
    inside = re.findall(r"\n([\w-]+) (?:(\S+) )?.*, in Rust's standard library\n", licences)
    parts = [(part["name"], part["version"]) for part in bill["components"]]
    assert parts[:2] == inside[:2]
    assert (
        [inside[2][0], *inside[3:]] == [parts[2][0]] == ["compiler_builtins"]
    )  # whose version changes with the compiler


def test_the_workflow_builds_what_make_wheels_builds(release: dict[str, ModuleType]) -> None:
    """If this fails a platform's wheel is built here and never published, or the other way round."""
    jobs = json.loads(release["build"].matrix())
    assert [job["name"] for job in jobs] == ["sdist", *(target.name for target in release["targets"].TARGETS)]
    assert all(job["maturin"].count(".") == 2 for job in jobs)


def test_every_target_is_documented(release: dict[str, ModuleType]) -> None:
    """If this fails docs/development/platforms.md says nothing of a wheel that users get."""
    rows = (ROOT / "docs" / "development" / "platforms.md").read_text(encoding="utf-8").splitlines()
    for target in release["targets"].TARGETS:
        assert any(row.startswith(f"| {target.name} |") for row in rows), f"make test-wheels: {target.name}"


def test_a_wheel_that_never_ran_is_named(release: dict[str, ModuleType]) -> None:
    """If this fails the table passes over a wheel that nobody has run."""
    ran, *others = release["targets"].TARGETS
    report = {"target": ran.name, "how": "here", "tests": 29}
    wheel = {**report, "level": "avx2", "golden": 768, "python": "3.13.0", "numpy": "2.1.0", "ml_dtypes": "0.5.0"}
    rows = list(release["table"].rows([wheel]))
    assert "Python 3.13.0, NumPy 2.1.0, ml_dtypes 0.5.0; here, avx2 | 768 equal | 29 passed" in rows[0]
    assert len(rows) == 1 + len(others) + 1, "and the sdist"
    assert all("built and never run" in row for row in rows[1:])
    assert "built and never run" in list(release["table"].rows([report]))[1], "the crate ran, the wheel did not"


def test_the_oldest_supported_numpy_is_the_one_that_is_tried(release: dict[str, ModuleType]) -> None:
    """If this fails pyproject.toml promises an older NumPy than any that the wheels were run with."""
    manifest = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest, newest = release["interpreters"].requirements((3, 10))
    assert newest == []
    for pin in oldest:
        name, version = pin.split("==")
        assert f'"{name}>={version.removesuffix(".0")}"' in manifest


def test_this_interpreter_is_found(release: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails the wheels are run in fewer Pythons than the machine has."""
    probe = [sys.executable, "-c", release["interpreters"].PROBE]
    listed = subprocess.run(probe, capture_output=True, text=True, check=True).stdout
    _, (major, minor), free_threaded, executable = json.loads(listed)
    assert Path(executable) == Path(sys.executable)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert (major, minor, free_threaded) in release["interpreters"].interpreters()


def test_every_python_that_the_index_shows_is_one_that_the_wheels_are_run_in(release: dict[str, ModuleType]) -> None:
    """If this fails pip's page names a Python that no proof asks for, or leaves out one that the wheels are for."""
    manifest = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for minor in range(9, 17):
        expected = (3, minor, False) in release["interpreters"].EXPECTED
        assert (f'"Programming Language :: Python :: 3.{minor}",' in manifest) == expected
