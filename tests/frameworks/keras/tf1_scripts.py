"""Scripts of TensorFlow 1 that need a process of their own: another Keras, another behaviour, another graph."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

START = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf
import varscale as vs
import varscale.tf1 as initializers
"""
V1 = START + "tf.disable_v2_behavior()\n"
"""What begins a program of TensorFlow 1."""


def run(script: str, *arguments: str | Path) -> str:
    """Runs a script with Keras 2 as `tf.keras`, and returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
