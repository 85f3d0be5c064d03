"""The tests of `varscale.keras` on TensorFlow, in a process of its own: one has one backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("part", ["initializers", "memory", "models", "saving"])
def test_on_tensorflow(part: str) -> None:
    """If this fails what holds on JAX does not hold on TensorFlow."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(FOLDER / f"test_keras_{part}.py")],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        cwd=FOLDER.parents[2],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
