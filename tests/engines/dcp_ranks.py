"""What two processes load from a checkpoint of torch.distributed, and compare with the model's values."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
import torch.distributed.checkpoint as dcp
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Shard, distribute_tensor
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

import rank_cases
import varscale as vs


class Network(nn.Module):
    """Two layers and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(33, 70, dtype=torch.bfloat16)
        self.down = nn.Linear(70, 33)
        self.register_buffer("table", torch.zeros(5, 3))


MODEL = vs.Model(Network(), [("table", vs.RandomNormal(0.0, 1.0))])


def same(found: torch.Tensor, name: str) -> None:
    """Fails where a tensor is not the model's."""
    whole = getattr(found, "full_tensor", lambda: found)()
    assert whole.detach().contiguous().view(torch.uint8).numpy().tobytes() == MODEL.init(7, [name])[name].tobytes(), (
        name
    )


def plain(folder: Path) -> None:
    """Every rank loads the whole."""
    state = Network().state_dict()
    dcp.load(state, checkpoint_id=folder)
    for name, tensor in state.items():
        same(tensor, name)


def sharded(folder: Path) -> None:
    """Shards of rows, of columns and of a mesh."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    for axis in (0, 1):
        state = {"up.weight": distribute_tensor(torch.zeros(70, 33, dtype=torch.bfloat16), mesh, [Shard(axis)])}
        dcp.load(state, checkpoint_id=folder)
        same(state["up.weight"], "up.weight")


def torchtitan(folder: Path) -> None:
    """A seed checkpoint, as the trainer loads it at step 0, with FSDP2 and with tensor parallelism."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    with torch.device("meta"):
        shards, columns = Network(), Network()
    fully_shard(shards.up, mesh=mesh)
    fully_shard(shards, mesh=mesh)
    parallelize_module(columns, mesh, {"up": ColwiseParallel(), "down": RowwiseParallel()})
    for network in (shards, columns):
        network.to_empty(device="cpu")
        states = {key: value for part in [network] for key, value in part.state_dict().items()}
        dcp.load(states, checkpoint_id=str(folder))
        network.load_state_dict(states, strict=False)
        for name, tensor in network.state_dict().items():
            same(tensor, name)


CASES = (plain, sharded, torchtitan)


def work(rank: int, world: int, folder: str, checkpoint: str) -> None:
    """One rank of those that load the checkpoint."""
    rank_cases.run({case.__name__: partial(case, Path(checkpoint)) for case in CASES}, rank, world, folder)
