"""Which CPythons are here, and fresh environments of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

OLDEST = {
    (3, 10): ("1.26.0", "0.4.0"),
    (3, 13): ("2.1.0", "0.5.0"),
    (3, 14): ("2.3.2", "0.5.3"),
    (3, 15): ("2.5.2", "0.6.0"),
}
"""The oldest NumPy and ml_dtypes that have wheels, from this Python on."""
EXPECTED = [*((3, minor, False) for minor in range(10, 16)), (3, 14, True)]
"""The CPythons that wheels are for."""
PROBE = """
import ensurepip, json, sys, sysconfig
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print(json.dumps([sys.implementation.name, sys.version_info[:2], free_threaded, sys.executable]))
"""


def interpreters() -> dict[tuple[int, int, bool], Path]:
    """Every CPython from 3.10 on in PATH and among pyenv's: (major, minor, free-threaded) and where it is."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted(pyenv.glob("versions/*/bin"))
    found = {}
    for folder in folders:
        for python in sorted(path for path in folder.glob("python3.*") if re.fullmatch(r"python3\.\d+t?", path.name)):
            done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False)
            if done.returncode == 0:  # else it is a name without an interpreter, or cannot make environments
                name, (major, minor), free_threaded, executable = json.loads(done.stdout)
                if name == "cpython" and (major, minor) >= (3, 10):
                    found.setdefault((major, minor, free_threaded), Path(executable))
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
