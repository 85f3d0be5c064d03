"""Prints what the core is asked for each golden hash, a line a hash, for release/golden.rs."""

from __future__ import annotations

import struct
import sys
from typing import Any
from unittest import mock

from targets import ROOT
from varscale import _core

sys.path.insert(0, str(ROOT / "tests"))
import golden


def bits(value: float) -> str:
    """A float64's bits, in hexadecimal."""
    return struct.pack(">d", value).hex()


def main() -> None:
    """Watches the border while the golden hashes are made."""
    asked: list[tuple[Any, ...]] = []
    fill = _core.fill

    def watched(jobs: list[tuple[Any, ...]]) -> None:
        asked.extend(jobs)
        fill(jobs)

    with mock.patch.object(_core, "fill", watched):
        for row, kept in zip(golden.rows(), golden.kept(), strict=True):
            out, element, law, bounds, loc, scale, low, high, identity, *_ = asked.pop()
            assert not asked, "a golden hash is of one array"
            assert row.rsplit(" ", 1)[0] == kept.rsplit(" ", 1)[0], "golden.txt is of other cases: make golden"
            numbers = [bits(value) for value in (*bounds, loc, scale, low, high)]
            print(element, law, *numbers, identity.hex(), out.size, kept.rsplit(" ", 1)[1])


if __name__ == "__main__":
    main()
