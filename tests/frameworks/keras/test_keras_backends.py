"""The tests of `varscale.keras` on TensorFlow."""

from __future__ import annotations

import pytest

from frameworks.keras import backends


@pytest.mark.parametrize("part", backends.PARTS)
def test_on_tensorflow(part: str) -> None:
    """If this fails what holds on JAX does not hold on TensorFlow."""
    backends.check(part, "tensorflow")
