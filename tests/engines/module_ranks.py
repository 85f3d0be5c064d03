"""What torch's ranks are asked to do with modules: classes of torch.nn, buffers and functions; cases of ranks.py."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor

import varscale as vs

INIT = vs.he_normal(7)


def network() -> nn.Module:
    """Layers whose class counts: groups, transposed axes, statistics, padding, blocks; all sizes uneven."""
    return nn.Sequential(
        nn.Embedding(9, 6, padding_idx=7),
        nn.MultiheadAttention(6, 2, add_bias_kv=True),
        nn.Conv1d(6, 9, 3, groups=3),
        nn.ConvTranspose1d(9, 5, 3),
        nn.BatchNorm1d(5),
        nn.PReLU(5),
        nn.LSTM(5, 7),
    )


def classes_from_meta() -> None:
    """From the meta device, sharded: parameters, biases and buffers are those of a single process."""
    with torch.device("meta"):
        module = network()
    fully_shard(module[1])
    fully_shard(module)
    module.to_empty(device="cpu")
    for buffer in module.buffers():
        buffer.detach().numpy()[...] = 113
    vs.torch.init_(module, INIT)
    whole = vs.torch.init_(network(), INIT)
    for (name, found), (_, wanted) in zip(module.named_parameters(), whole.named_parameters(), strict=True):
        assert isinstance(found, DTensor), name
        assert torch.equal(found.full_tensor(), wanted), name
    for (name, found), (_, wanted) in zip(module.named_buffers(), whole.named_buffers(), strict=True):
        assert torch.equal(found, wanted), name


def refusals_of_modules() -> None:
    """Buffers that nobody fills, also sharded ones, and laws that need a seed: each an error on every rank."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    module = nn.Linear(4, 6)
    fully_shard(module, mesh=mesh)
    refused(lambda: vs.torch.init_(module, vs.Zeros()), "parameter 'bias': an initializer must have a seed where")
    module.register_buffer("mask", DTensor.from_local(torch.zeros(3), mesh, [Shard(0)]))
    refused(lambda: vs.torch.init_(module, INIT), r"no buffer that nobody fills, has \['mask'\]")
    module.mask.fill_(1)
    vs.torch.init_(module, INIT)


def functions_of_shards() -> None:
    """A seed makes one tensor of all shards; the generators of the ranks would make several."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    for placement in (Replicate(), Shard(0), Shard(1)):
        for dtype in (torch.float32, torch.bfloat16):
            tensor = distribute_tensor(torch.zeros(7, 5, dtype=dtype), mesh, [placement], src_data_rank=None)
            for name in ("normal_", "uniform_", "trunc_normal_", "xavier_uniform_", "kaiming_normal_"):
                function = getattr(vs.torch, name)
                assert function(tensor, seed=3) is tensor
                assert torch.equal(tensor.full_tensor(), function(torch.empty(7, 5, dtype=dtype), seed=3)), name
                refused(lambda f=function, t=tensor: f(t), "`seed` must be given for a DTensor")
                refused(lambda f=function, t=tensor: f(t, generator=torch.Generator()), "`seed` must be given")
            for name in ("eye_", "ones_", "zeros_"):
                function = getattr(vs.torch, name)
                assert torch.equal(function(tensor).full_tensor(), function(torch.empty(7, 5, dtype=dtype))), name
            method = vs.torch.init_method(INIT)
            found = method(tensor).full_tensor()
            assert torch.equal(found, vs.torch.init_(torch.empty(7, 5, dtype=dtype), INIT.fold_in(0)))


def refused(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()


CASES = (classes_from_meta, refusals_of_modules, functions_of_shards)
