"""What fuzzers found at the border, once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.border import border

INPUTS = (Path(__file__).parent / "corpora" / "border.txt").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("number", range(8))
def test_jobs_are_refused_or_done(number: int) -> None:
    """A job of other values than its elements have, one that is refused, or one that is not."""
    assert len(INPUTS) > 20
    for digits in INPUTS[number::8]:
        border(bytes.fromhex(digits))
