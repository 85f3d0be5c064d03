"""The public names of the adapters to Keras, to TensorFlow 1 and to Haiku."""

from __future__ import annotations

import pytest

from package import api


@pytest.mark.parametrize(
    "module",
    ["varscale.keras", "varscale.tf_keras", "varscale.tf1", "varscale.tf1.initializers", "varscale.jax.haiku"],
)
def test_the_api_is_the_listed_one(module: str) -> None:
    """If this fails a name, an argument or a default has changed that users may have written down."""
    api.check(module)
