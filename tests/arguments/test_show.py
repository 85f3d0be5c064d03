"""Values in messages: whatever they are, a message is short, and comes at once."""

from __future__ import annotations

import numpy as np
import pytest

import varscale as vs
from varscale._arguments.show import show

DEEP: list[object] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "value",
    [
        [0] * 10**6,
        "x" * 10**6,
        10**10_000,
        np.zeros(10**6),
        [[["x" * 99] * 8] * 8] * 8,
        {str(i): i for i in range(10**5)},
        DEEP,
        b"x" * 10**6,
    ],
    ids=lambda value: type(value).__name__,
)
def test_messages_are_short(value: object) -> None:
    """If this fails a wrong argument of a million entries makes an error of megabytes, or another error."""
    assert len(show(value)) <= 300
    with pytest.raises(TypeError, match=r"`mode` must be a string, got") as caught:
        vs.VarianceScaling(1.0, value if not isinstance(value, str) else [value])  # type: ignore[arg-type]
    assert len(str(caught.value)) < 400
