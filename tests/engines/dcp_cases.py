"""Checkpoints of torch.distributed, as tests write and read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp

import varscale as vs

SMALL = vs.Model({f"h.{i}.weight": (300, 351 + i) for i in range(12)}, layout="torch")


def save(model: vs.Model, out: Path, seed: int = 7, **options: Any) -> list[Path]:
    return vs.checkpoint.save(model, out, seed, format="dcp", **options)


def loaded(model: vs.Model, folder: Path) -> dict[str, bytes]:
    """The bytes that torch loads into a state dict of these shapes."""
    state = {name: torch.zeros(of.shape, dtype=getattr(torch, of.dtype.name)) for name, of in model.items()}
    dcp.load(state, checkpoint_id=folder)
    return {name: bytes(tensor.reshape(-1).view(torch.uint8).numpy()) for name, tensor in state.items()}


def made(model: vs.Model, seed: int = 7) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in model.init(seed).items()}
