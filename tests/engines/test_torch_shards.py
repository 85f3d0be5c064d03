"""Sharded parameters on 2, 4 and 6 processes that talk over gloo: each case of ranks.py on each rank."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import rank_cases
import ranks


@cache
def results(world: int, folder: Path) -> dict[str, list[str]]:
    """What became of each case, rank by rank."""
    return rank_cases.spawned(ranks.work, (), [case.__name__ for case in ranks.CASES[world]], world, folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ranks")


@pytest.mark.parametrize(
    ("world", "case"),
    [(world, case.__name__) for world, cases in ranks.CASES.items() for case in cases],
)
def test_every_rank_is_exact(world: int, case: str, folder: Path) -> None:
    """If this fails a rank holds something else than its shard of the tensor that one process would make."""
    (folder / str(world)).mkdir(exist_ok=True)
    assert results(world, folder / str(world))[case] == ["exact"] * world
