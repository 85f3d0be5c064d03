"""The documents' scripts that need Keras beside PyTorch: each of them runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from package import document


@pytest.mark.parametrize("block", document.scripts(__file__), ids=str)
def test_scripts(block: document.Block, tmp_path: Path) -> None:
    """If this fails a user copies a script that ends in an error."""
    document.run(block.text, tmp_path)
