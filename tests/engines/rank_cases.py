"""Cases that torch's ranks run together: each must be exact on every one of them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import distributed


def run(cases: Mapping[str, Callable[[], None]], rank: int, world: int, folder: str) -> None:
    """One rank: runs the cases, and writes what became of each."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=world)
    try:
        for name, case in cases.items():
            try:
                case()
                found = "exact"
            except Exception:
                found = traceback.format_exc()
            Path(folder, f"{name}.{rank}").write_text(found)
            distributed.barrier()
    finally:
        distributed.destroy_process_group()


def spawned(
    work: Callable[..., None], arguments: tuple[Any, ...], names: Iterable[str], world: int, folder: Path
) -> dict[str, list[str]]:
    """What became of each case, rank by rank, where `work(rank, world, folder, *arguments)` is run by all ranks."""
    torch.multiprocessing.spawn(work, (world, str(folder), *arguments), nprocs=world)
    return {name: [(folder / f"{name}.{rank}").read_text() for rank in range(world)] for name in names}
