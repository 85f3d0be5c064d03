"""The guide to array libraries, but for MLX's scripts, which are tested with its adapter."""

from __future__ import annotations

from pathlib import Path

from package import document


def test_document_examples(tmp_path: Path) -> None:
    """If this fails an example of the guide does not run."""
    scripts = document.scripts("docs/guides/arrays.md", None)
    assert len(scripts) == 3
    for script in scripts:
        document.run(script, tmp_path)
