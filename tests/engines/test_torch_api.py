"""The public names of the adapter to PyTorch."""

from __future__ import annotations

from package import api


def test_the_api_is_the_listed_one() -> None:
    """If this fails a name, an argument or a default has changed that users may have written down."""
    api.check("varscale.torch")
