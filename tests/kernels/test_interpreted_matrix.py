"""Triton's kernels, one instruction at a time on the CPU, over the matrix that all definitions of the laws share.

`make test-kernels` sets `TRITON_INTERPRET=1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import pytest
import torch

from oracle.matrix import COUNTS, LAWS, Case, boxes, lines, places
from varscale._arguments.parts import indexed_part
from varscale._devices.crossing import crossing, lattices
from varscale._devices.triton.fill import fill
from varscale._devices.triton.launch import INTERPRETED, Fill

TYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}
WORDS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
Layout = tuple[int, tuple[int, ...]]


def made(case: Case, out: torch.Tensor | None = None) -> torch.Tensor:
    """What the kernels make of a case, in a new tensor or in the given one."""
    part = indexed_part(case.shape, case.index)
    if out is None:
        out = torch.full(part.shape, 7.0, dtype=TYPES[case.dtype])
    crossed = crossing(case.init._source(part, case.dtype))
    fill(Fill(out, crossed, lattice) for lattice in lattices(part, out.stride()))
    return out


def differing(case: Case, found: torch.Tensor) -> int:
    """How many values have other bits than the core's."""
    right = np.ascontiguousarray(case.right()).view(f"i{found.itemsize}")
    return int(np.count_nonzero(found.contiguous().view(WORDS[found.itemsize]).numpy() != right.reshape(found.shape)))


def by_law(cases: Iterator[Case]) -> list[list[Case]]:
    """Cases that follow one another, as far as they have one initializer and one dtype."""
    return [list(group) for _, group in groupby(cases, lambda case: (case.init, case.dtype))]


def test_the_kernels_are_interpreted() -> None:
    """A run without the interpreter, in which nothing here would be looked at."""
    assert INTERPRETED


def wrong(cases: list[Case]) -> dict[str, int]:
    """The cases that the kernels make otherwise than the core, and how many of their values."""
    return {case.name: count for case in cases if (count := differing(case, made(case)))}


@pytest.mark.parametrize("cases", by_law(places()), ids=lambda cases: cases[0].name)
def test_places(cases: list[Case]) -> None:
    """A value is moved, cut, kept in bounds or rounded otherwise than the core's."""
    assert not wrong(cases)


@pytest.mark.parametrize("cases", by_law(lines(COUNTS[:-1])), ids=lambda cases: cases[0].name)
def test_lines(cases: list[Case]) -> None:
    """An element gets other words than its own, where blocks, tiles or 32 bits end."""
    assert not wrong(cases)


@pytest.mark.parametrize("cases", by_law(boxes()), ids=lambda cases: cases[0].name)
def test_boxes(cases: list[Case]) -> None:
    """A part of a tensor is not the part of the whole."""
    assert not wrong(cases)


@pytest.mark.parametrize(
    ("law", "dtype"), [("normal", "float32"), ("truncated_normal", "bfloat16"), ("truncated[-1,3]", "float64")]
)
def test_a_million(law: str, dtype: str) -> None:
    """A rare value is another one, or a tile far from the first. Each takes the interpreter 20 seconds."""
    case = Case("", LAWS[law], dtype, (2**64,), slice(2**32 - 7, 2**32 - 7 + COUNTS[-1]))
    assert not differing(case, made(case))
