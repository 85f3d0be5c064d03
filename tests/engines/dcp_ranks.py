"""What two processes load from a checkpoint of torch.distributed, and compare with the model's values."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch
import torch.distributed.checkpoint as dcp
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Shard, distribute_tensor
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

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


def work(rank: int, world: int, checkpoint: str, folder: str) -> None:
    """One rank: runs the cases, and writes what became of each."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=world)
    try:
        for case in CASES:
            try:
                case(Path(checkpoint))
                found = "exact"
            except Exception:
                found = traceback.format_exc()
            Path(folder, f"{case.__name__}.{rank}").write_text(found)
            distributed.barrier()
    finally:
        distributed.destroy_process_group()
