"""What torch's ranks are asked to do: each function is a case, and fails on any rank whose shard is not exact."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.distributed.tensor.placement_types import _StridedShard

import module_ranks
import rank_cases
import varscale as vs
from own import Own

INIT = vs.lecun_normal(7).fold_in("kernel")
SHAPES = ((8, 12), (7, 5), (2, 3), (1, 9), (13, 4, 3), (5,), (50, 33))
Case = Callable[[], None]


def same(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Fails where the bits differ."""
    assert found.shape == expected.shape, (found.shape, expected.shape)
    assert found.dtype == expected.dtype
    words = {2: torch.int16, 4: torch.int32}[found.dtype.itemsize]
    assert torch.equal(found.detach().view(words), expected.detach().view(words))


def sharded(shape: tuple[int, ...], mesh: object, placements: list[object], dtype: torch.dtype) -> DTensor:
    """A DTensor after `init_`, compared with what torch makes of the whole tensor that one process would fill."""
    full = vs.torch.init_(torch.empty(shape, dtype=dtype), INIT)
    expected = distribute_tensor(full, mesh, placements, src_data_rank=None)
    tensor = distribute_tensor(torch.zeros(shape, dtype=dtype), mesh, placements, src_data_rank=None)
    assert vs.torch.init_(tensor, INIT) is tensor
    same(tensor.to_local(), expected.to_local())
    return tensor


def shards_of_one_mesh() -> None:
    """Even, uneven and empty shards of every axis."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    for shape in SHAPES:
        full = vs.torch.init_(torch.empty(shape), INIT)
        for placement in (Replicate(), *map(Shard, range(-len(shape), len(shape)))):
            for dtype in (torch.float32, torch.bfloat16):
                tensor = sharded(shape, mesh, [placement], dtype)
            assert tensor.placements[0] == (
                placement if placement == Replicate() else Shard(placement.dim % len(shape))
            )
            same(sharded(shape, mesh, [placement], torch.float32).full_tensor(), full)


def empty_shards() -> None:
    """Fewer rows than ranks: the last ranks hold nothing."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    tensor = sharded((1, 9), mesh, [Shard(0)], torch.float32)
    assert tensor.to_local().numel() == (9 if distributed.get_rank() == 0 else 0)


def strided_shards_of_one_mesh() -> None:
    """A strided shard without another beside it takes rows from all over the tensor."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    for size in (8, 12, 13, 5, 1):
        for factor in (2, 3):
            sharded((size, 6), mesh, [_StridedShard(0, split_factor=factor)], torch.float32)


def shards_of_two_meshes() -> None:
    """Every pair of placements on a mesh of 2 x 2, two of one axis and strided ones among them."""
    mesh = init_device_mesh("cpu", (2, 2))
    for shape in ((8, 12), (7, 5), (3, 2), (26, 9)):
        plain = [Replicate(), Shard(0), Shard(1)]
        for first in (*plain, _StridedShard(0, split_factor=2), _StridedShard(1, split_factor=2)):
            for second in (*plain, _StridedShard(0, split_factor=3)):
                sharded(shape, mesh, [first, second], torch.float32)


def mesh_of_some_ranks() -> None:
    """A rank outside the mesh has nothing to fill."""
    mesh = distributed.device_mesh.DeviceMesh("cpu", [0])
    tensor = distribute_tensor(torch.zeros(6, 4), mesh, [Shard(0)], src_data_rank=None)
    vs.torch.init_(tensor, INIT)
    if distributed.get_rank() == 0:
        same(tensor.to_local(), vs.torch.init_(torch.empty(6, 4), INIT))


def refusals() -> None:
    """Sums to be made, no seed, FSDP1: each a clear error on every rank."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    local = torch.zeros(6, 4)
    for tensor, init, message in (
        (DTensor.from_local(local, mesh, [Partial()]), INIT, "`target` must be sharded or replicated"),
        (DTensor.from_local(local, mesh, [Shard(0)]), vs.lecun_normal(), "must have a seed where several processes"),
        (DTensor.from_local(local, mesh, [Shard(0)], shape=(99, 4), stride=(4, 1)), INIT, "must hold the shard"),
        (distribute_tensor(torch.zeros(6, 4, device="meta"), mesh, [Shard(0)]), INIT, "must have memory"),
        (
            FullyShardedDataParallel(nn.Linear(4, 6), device_id=torch.device("cpu")),
            INIT,
            r"sharded by `fully_shard` \(FSDP2\)",
        ),
    ):
        refused(tensor, init, message)


def refused(tensor: object, init: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        vs.torch.init_(tensor, init)


class Network(nn.Module):
    """An embedding, two layers that tensor parallelism cuts along different axes, and a norm; all sizes uneven."""

    def __init__(self, vocabulary: int = 9, width: int = 7, hidden: int = 26, **options: object) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width, **options)
        self.up = nn.Linear(width, hidden, **options)
        self.down = nn.Linear(hidden, width, **options)
        self.norm = nn.LayerNorm(width, **options)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.norm(self.down(torch.relu(self.up(self.wte(tokens)))))


TENSOR_PARALLEL = {
    "wte": RowwiseParallel(input_layouts=Replicate()),
    "up": ColwiseParallel(),
    "down": RowwiseParallel(),
}


def filled(**options: object) -> Network:
    """The whole module in one process."""
    return vs.torch.init_(Network(**options), INIT)


def compare(module: nn.Module, expected: nn.Module) -> None:
    """Fails where two modules that are sharded alike hold different shards."""
    for (name, found), (_, wanted) in zip(module.named_parameters(), expected.named_parameters(), strict=True):
        assert isinstance(found, DTensor), name
        assert found.placements == wanted.placements, name
        same(found.to_local(), wanted.to_local())


def gathered(module: nn.Module, whole: nn.Module) -> None:
    """Fails where the shards together are not the whole."""
    for (_, found), (_, wanted) in zip(module.named_parameters(), whole.named_parameters(), strict=True):
        same(found.full_tensor(), wanted)


def fsdp2() -> None:
    """From the meta device, uneven and empty shards; the sharded module then computes what the whole one does."""
    for options in ({}, {"dtype": torch.bfloat16}, {"vocabulary": 3, "width": 1, "hidden": 2}):
        module = Network(device="meta", **options)
        fully_shard(module.up)
        fully_shard(module)
        refused(module, INIT, r"parameter 'wte.weight' must have memory, got a meta tensor")
        module.to_empty(device="cpu")
        vs.torch.init_(module, INIT)
        whole = filled(**options)
        gathered(module, whole)
        tokens = torch.tensor([[0, 2, 1]])
        assert torch.equal(module(tokens), whole(tokens))


def fsdp2_of_a_model() -> None:
    """A `Model`'s parameters by name, made by all ranks: what `Model.init` makes in one process."""
    whole = Network(dtype=torch.bfloat16)
    model = vs.Model(whole, vs.default_rules(weight=vs.he_normal()))
    module = Network(device="meta", dtype=torch.bfloat16)
    fully_shard(module)
    vs.torch.init_(module.to_empty(device="cpu"), model, seed=3)
    arrays = model.init(3)
    for name, parameter in module.named_parameters():
        array = torch.from_numpy(arrays[name].view("int16")).view(torch.bfloat16)
        same(parameter.full_tensor(), array)
    refused(module, model, "must have a seed where several processes")


def fsdp2_of_its_own_laws() -> None:
    """A network that is read on the meta device: each rank makes its shards, and the buffers, of the one network."""
    whole = vs.torch.build(Own, seed=3)
    with torch.device("meta"):
        module = Own()
    model = vs.torch.model_of(module)
    fully_shard(module)
    vs.torch.init_(module.to_empty(device="cpu"), model, seed=3)
    gathered(module, whole)
    for (name, found), (_, wanted) in zip(module.named_buffers(), whole.named_buffers(), strict=True):
        assert torch.equal(found, wanted), name


def parallel(module: Network, mesh: object) -> Network:
    """FSDP over tensor parallelism."""
    parallelize_module(module, mesh["tp"], dict(TENSOR_PARALLEL))
    fully_shard(module, mesh=mesh["dp"])
    return module


def fsdp2_over_tensor_parallel() -> None:
    """Shards of shards, from the meta device: the bits that torch has after sharding the filled module."""
    world = distributed.get_world_size()
    shape = (world // 2, 2)
    mesh = init_device_mesh("cpu", shape, mesh_dim_names=("dp", "tp"))
    strided = 0
    for options in ({}, {"vocabulary": 24, "width": 8, "hidden": 25}, {"vocabulary": 5, "width": 3, "hidden": 7}):
        for dtype in (torch.float32, torch.bfloat16):
            module = parallel(Network(device="meta", dtype=dtype, **options), mesh)
            module.to_empty(device="cpu")
            for tensor in module.parameters():
                tensor.detach().to_local().fill_(9)
            vs.torch.init_(module, INIT)
            compare(module, parallel(filled(dtype=dtype, **options), mesh))
            strided += sum(isinstance(p, _StridedShard) for t in module.parameters() for p in t.placements)
    assert strided or shape[0] == 1


def hybrid_fsdp2() -> None:
    """Replicas of shards."""
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("replicate", "shard"))
    module = Network(device="meta")
    fully_shard(module, mesh=mesh)
    vs.torch.init_(module.to_empty(device="cpu"), INIT)
    gathered(module, filled())


def checkpoint_of_another_mesh() -> None:
    """Saved on 2 x 2 (FSDP over tensor parallelism), loaded on 4 (FSDP): what `init_` makes there."""
    folder = [tempfile.mkdtemp() if distributed.get_rank() == 0 else None]
    distributed.broadcast_object_list(folder)
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("dp", "tp"))
    saved = parallel(Network(device="meta"), mesh).to_empty(device="cpu")
    dcp.save(vs.torch.init_(saved, INIT).state_dict(), checkpoint_id=Path(folder[0]))
    loaded = Network(device="meta")
    fully_shard(loaded)
    loaded.to_empty(device="cpu")
    state = loaded.state_dict()
    dcp.load(state, checkpoint_id=Path(folder[0]))
    loaded.load_state_dict(state)
    gathered(loaded, filled())
    again = Network(device="meta")
    fully_shard(again)
    compare(vs.torch.init_(again.to_empty(device="cpu"), INIT), loaded)


CASES: dict[int, tuple[Case, ...]] = {
    2: (
        *module_ranks.CASES,
        shards_of_one_mesh,
        empty_shards,
        strided_shards_of_one_mesh,
        mesh_of_some_ranks,
        refusals,
        fsdp2,
        fsdp2_of_a_model,
        fsdp2_of_its_own_laws,
        fsdp2_over_tensor_parallel,
    ),
    4: (
        shards_of_one_mesh,
        empty_shards,
        strided_shards_of_one_mesh,
        shards_of_two_meshes,
        mesh_of_some_ranks,
        refusals,
        fsdp2,
        fsdp2_of_a_model,
        fsdp2_of_its_own_laws,
        fsdp2_over_tensor_parallel,
        hybrid_fsdp2,
        checkpoint_of_another_mesh,
    ),
    6: (fsdp2_over_tensor_parallel,),
}


def work(rank: int, world: int, folder: str) -> None:
    """One rank of those that run the cases of this world size."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))
    rank_cases.run({case.__name__: case for case in CASES[world]}, rank, world, folder)
