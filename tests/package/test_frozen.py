"""The freeze: what it refuses once it is on, tried in a copy of these tests, and what it allows until then."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import frozen
import varscale as vs
from oracle import golden
from package import saved

CHECK = "package/test_frozen.py::test_what_is_frozen_is_as_it_was"


def test_what_is_frozen_is_as_it_was() -> None:
    """If this fails a file that a release has promised was changed: take it from the release's commit."""
    assert frozen.changed() == []


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python module in a copy of the tests, with this varscale."""
    paths = {"PYTHONPATH": os.pathsep.join([str(folder), str(Path(vs.__file__).parents[1])])}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **paths}, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tests in which the switch is on, by the table that `python -m frozen` prints."""
    folder = tmp_path_factory.mktemp("frozen")
    for name in ("oracle", "package", "saved", "models"):
        shutil.copytree(frozen.FOLDER / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("frozen.py", "golden.txt"):
        shutil.copy(frozen.FOLDER / name, folder)
    source = (folder / "frozen.py").read_text(encoding="utf-8")
    switched, count = re.subn(r"(FROZEN: .* = \{)[^}]*\}", rf"\1\n{run(folder, 'frozen').stdout}}}", source)
    assert count == 1
    (folder / "frozen.py").write_text(switched, encoding="utf-8")
    return folder


def test_the_switch_is_one_constant(copy: Path) -> None:
    """If this fails the freeze takes more than its table."""
    done = run(copy, "pytest", "-q", "-p", "no:cacheprovider", CHECK)
    assert done.returncode == 0, done.stdout


def test_what_users_have_kept_is_in_the_table() -> None:
    """If this fails the freeze leaves out values, pickles or documents."""
    assert {"golden.txt", "models/document-1.json", f"saved/{vs.__version__}.json"} <= set(frozen.table())


@pytest.mark.parametrize(
    ("module", "name"), [("oracle.golden", "golden.txt"), ("package.saved", f"saved/{vs.__version__}.json")]
)
def test_a_frozen_file_is_not_written(copy: Path, module: str, name: str) -> None:
    """If this fails `make golden` changes values that a release has promised."""
    before = (copy / name).read_bytes()
    done = run(copy, module)
    assert (done.returncode, done.stderr) == (
        1,
        f"tests/{name} is frozen: a release has promised it, and nobody writes it again\n",
    )
    assert (copy / name).read_bytes() == before


@pytest.mark.parametrize("name", frozen.table())
def test_a_change_of_one_byte_is_seen(copy: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a value can be changed by hand, together with its hash."""
    monkeypatch.setattr(frozen, "FROZEN", frozen.table())
    monkeypatch.setattr(frozen, "FOLDER", copy)
    before = (copy / name).read_bytes()
    (copy / name).write_bytes(before.replace(b"a", b"b", 1))
    with pytest.raises(AssertionError, match=re.escape(f"['{name}'] == []")):
        test_what_is_frozen_is_as_it_was()
    (copy / name).write_bytes(before)
    test_what_is_frozen_is_as_it_was()


def test_until_then_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails nothing can be changed before the first release."""
    monkeypatch.setattr(frozen, "FOLDER", tmp_path)
    monkeypatch.setattr(frozen, "FROZEN", {"saved/0.0.1.json": "0"})
    monkeypatch.setattr(golden, "rows", lambda: ["uniform float32 0 1 ab"])
    golden.write()
    assert golden.kept() == ["uniform float32 0 1 ab"]
    (tmp_path / "saved").mkdir()
    saved.write()
    assert len(list(saved.read(tmp_path / "saved" / f"{vs.__version__}.json"))) == len(saved.EXPRESSIONS)
    assert frozen.changed() == ["saved/0.0.1.json"], "a file that is gone"
