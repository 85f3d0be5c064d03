"""The table of fans against the frameworks themselves."""

from __future__ import annotations

from arguments.layers import FILE
from fans import text


def test_fans_of_layers() -> None:
    """If this fails a framework counts other fans than it did, and what we say of it is no longer true."""
    assert FILE.read_text(encoding="utf-8") == text()
