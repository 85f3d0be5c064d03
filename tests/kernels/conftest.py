"""What is asked of the kernels, call by call."""

from __future__ import annotations

import pytest

from varscale._devices.triton import fill as filling


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tensors the kernels were given, call by call."""
    found: list[int] = []
    inner = filling.fill

    def fill(fills: list[filling.Fill]) -> None:
        found.append(len(fills))
        inner(fills)

    monkeypatch.setattr(filling, "fill", fill)
    return found
