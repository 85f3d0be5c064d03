"""The guide to JAX: each of its scripts runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from package import document

SCRIPTS = document.scripts("docs/guides/jax.md", "jax")


@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_scripts(number: int, tmp_path: Path) -> None:
    """If this fails a user's first script ends in an error."""
    document.run(SCRIPTS[number], tmp_path)


def test_there_are_scripts() -> None:
    """If this fails the test above runs none."""
    assert len(SCRIPTS) > 3
