"""Large tensors of JAX, torch and Keras 3: the hashes that the frameworks themselves gave, without the frameworks."""

from __future__ import annotations

import hashlib
from math import inf
from pathlib import Path

import pytest

import varscale as vs
from varscale import replay

LINES = (Path(__file__).parents[1] / "known_answers" / "large.txt").read_text(encoding="utf-8").splitlines()
CASES = [line.rsplit(": ", 1) for line in LINES if not line.startswith("#")]


def test_there_are_large_answers() -> None:
    """If this fails the next test tests nothing."""
    assert len(CASES) > 150


@pytest.mark.parametrize(("initializer", "digest"), CASES)
def test_large_answers(initializer: str, digest: str) -> None:
    """If this fails a million values of a framework have other bits: a rare value, a rounding or a place is wrong."""
    init = eval(initializer, {"inf": inf, "replay": replay, **vars(vs)})
    assert hashlib.sha256(init((1000, 1003)).tobytes()).hexdigest()[:16] == digest
