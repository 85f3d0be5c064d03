"""Keras' backend in this process, unless the environment names another; and no test leaves TensorFlow a global seed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def _tensorflow_seed() -> Iterator[None]:
    """Unsets what `keras.utils.set_random_seed` sets, for the streams of TensorFlow 1 depend on it."""
    yield
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(None)
