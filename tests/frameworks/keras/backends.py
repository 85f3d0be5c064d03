"""The tests of `varscale.keras` on another backend, in a process of its own: one has one backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
PARTS = ("initializers", "memory", "models", "saving")
"""What the files `test_keras_<part>.py` are about, which hold on any backend."""


def check(part: str, backend: str) -> None:
    """Fails with what the tests of a part say on a backend."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(FOLDER / f"test_keras_{part}.py")],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=FOLDER.parents[2],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
