"""The frameworks' known answers, as tests ask for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ANSWERS = Path(__file__).parents[1] / "known_answers" / "frameworks.txt"


def known_answers(stream: str) -> list[tuple[str, NDArray[np.unsignedinteger]]]:
    """(what was asked, the raw bits) of every line about a stream, such as "tf.v1"."""
    found = []
    for line in ANSWERS.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{stream} "):
            question, _, bits = line.removeprefix(f"{stream} ").rpartition(": ")
            words = bits.split()
            found.append((question, np.array([int(word, 16) for word in words], f"u{len(words[0]) // 2}")))
    return found
