"""Which CPythons are here, and fresh environments of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

OLDEST = {(3, 10): ("1.26.0", "0.4.0"), (3, 13): ("2.1.0", "0.5.0"), (3, 14): ("2.3.2", "0.5.3")}
"""The oldest NumPy and ml_dtypes that have wheels, from this Python on."""
PROBE = "import sys, sysconfig; v = sys.version_info; print(sys.implementation.name, v.major, v.minor, \
sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"


def interpreters() -> dict[tuple[int, int, bool], Path]:
    """Every CPython from 3.10 on in PATH and among pyenv's: (major, minor, free-threaded) and where it is."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted(pyenv.glob("versions/*/bin"))
    found = {}
    for folder in folders:
        for python in sorted(folder.glob("python3.[0-9]*")):
            done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False)
            name, *numbers = done.stdout.split() or ["", 0, 0, 0]
            major, minor, free_threaded = map(int, numbers) if not done.returncode else (0, 0, 0)
            if name == "cpython" and (major, minor) >= (3, 10):
                found.setdefault((major, minor, bool(free_threaded)), python)
    return dict(sorted(found.items()))


def requirements(version: tuple[int, int]) -> Iterator[list[str]]:
    """The oldest and the newest dependencies for a Python."""
    numpy, ml_dtypes = OLDEST[max(known for known in OLDEST if known <= version)]
    yield [f"numpy=={numpy}", f"ml_dtypes=={ml_dtypes}"]
    yield []


def fresh(python: Path, place: Path) -> Path:
    """The interpreter of a new virtual environment."""
    subprocess.run([python, "-m", "venv", "--clear", place], check=True)
    return place / "bin" / "python"


def install(python: Path, *what: str | Path) -> None:
    """Installs wheels and nothing that would have to be built."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    subprocess.run([*command, *map(str, what)], check=True)


def without_rust(python: Path) -> dict[str, str]:
    """An environment in whose PATH is no compiler, and no setting of this package."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("VARSCALE_", "PYTHON", "RUST", "CARGO"))
    }
    return {**kept, "PATH": str(python.parent)}
