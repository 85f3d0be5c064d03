"""Networks that are built with what has no law of ours: their code's operations, done for real on our values."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

import varscale as vs


class Lawless(nn.Module):
    """What `model_of` refuses, because no law of ours says it."""

    def __init__(self) -> None:
        super().__init__()
        self.square = nn.Linear(6, 4)
        nn.init.orthogonal_(self.square.weight)
        self.rows = nn.Parameter(nn.init.orthogonal_(torch.empty(6, 4))[:3].clone())
        self.normed = weight_norm(nn.Linear(50, 30))
        self.logs = nn.Parameter(torch.log(torch.rand(1000) + 1))
        self.twice = nn.Parameter(torch.log(torch.rand(1000) + 1))
        self.register_buffer("rotations", torch.polar(torch.ones(4), torch.arange(4.0)))
        self.norm = nn.BatchNorm1d(4)


def test_operations_on_our_values() -> None:
    """If this fails a network has the values of torch's generator, or ones that do not fit together."""
    with pytest.raises(ValueError, match="5 of 14 tensors"):
        vs.torch.model_of(Lawless)
    state = torch.get_rng_state()
    net = vs.torch.build(Lawless, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    weight = net.square.weight.detach()
    assert torch.allclose(weight @ weight.T, torch.eye(4), atol=1e-6)
    assert not torch.allclose(net.rows.detach().T @ net.rows.detach(), torch.eye(4), atol=1e-2), "rows of a matrix"
    parts = net.normed.parametrizations.weight
    assert torch.allclose(parts.original0[:, 0], parts.original1.norm(dim=1)), "the norm of the weight that is there"
    stddev = 1 / np.sqrt(3 * 50)
    assert abs(parts.original1.std().item() - stddev) < 5 * stddev * np.sqrt(0.4 / 1500), "by the law of a linear layer"
    assert abs(net.logs.mean().item() - (2 * np.log(2) - 1)) < 5 * 0.2 / np.sqrt(1000)
    assert torch.equal(net.rotations, torch.polar(torch.ones(4), torch.arange(4.0)))
    assert (net.logs != net.twice).all(), "each draws by its own name"


def test_the_same_from_one_seed() -> None:
    """If this fails the values of a tensor without a law depend on something else than the seed."""
    first, again, other = (vs.torch.build(Lawless, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    same = {name for name in first if torch.equal(first[name], other[name])}
    assert same == {"rotations", *(name for name in first if name.startswith("norm."))}
    unseeded = vs.torch.build(Lawless).normed.parametrizations.weight
    assert torch.allclose(unseeded.original0[:, 0], unseeded.original1.norm(dim=1)), "without a seed too"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems choose by themselves")
def test_large_tensors_ask_for_huge_pages() -> None:
    """If this fails a network takes twice as long: half of it for the first touch of small pages."""
    net = vs.torch.build(nn.Linear, 2048, 1024, bias=False, seed=3)
    middle = net.weight.data_ptr() + net.weight.nbytes // 2
    with open("/proc/self/smaps", encoding="ascii") as file:
        blocks = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", file.read(), flags=re.MULTILINE)[1:]
    ends = [[int(end, 16) for end in block.split(maxsplit=1)[0].split("-")] for block in blocks]
    (block,) = [block for (start, stop), block in zip(ends, blocks, strict=True) if start <= middle < stop]
    flags = re.search(r"^VmFlags:(.*)$", block, re.MULTILINE)
    assert flags is not None
    assert "hg" in flags[1].split()


class Foreign(Lawless):
    """Random numbers that we cannot draw, and memory that holds anything."""

    def __init__(self) -> None:
        super().__init__()
        self.order = nn.Parameter(torch.randperm(4).float())
        self.sum = nn.Parameter((torch.bernoulli(torch.rand(3)) + self.order[:3]).detach())
        self.array = nn.Parameter(torch.tensor(np.random.rand(3)))
        self.never = nn.Parameter(torch.empty(3))
        self.part = nn.Parameter(torch.empty(3))
        self.part.data[:2].normal_()
        self.late = nn.LazyLinear(3)


@pytest.mark.filterwarnings("ignore:a generator of NumPy or Python")
def test_what_cannot_be_drawn_is_listed() -> None:
    """If this fails a network starts from torch's numbers, from what memory held, or from zeros, in silence."""
    names = ("order", "sum", "array", "never", "part", "late.weight", "late.bias")
    with pytest.raises(ValueError, match="7 of 21 tensors are of other numbers:\n") as caught:
        vs.torch.build(Foreign, seed=3)
    first, *lines = str(caught.value).splitlines()
    assert "name a law by `rules=[('order', initializer)]`" in first
    assert [line.split("'")[1] for line in lines] == sorted(names, key=[line.split("'")[1] for line in lines].index)
    for name, why in (("order", "aten.randperm"), ("sum", "aten.bernoulli"), ("array", "NumPy"), ("part", "memory")):
        assert any(f"'{name}'" in line and why in line for line in lines), name


@pytest.mark.parametrize("how", ["context", "argument", "inside"])
def test_the_meta_device_has_no_memory_to_fill(how: str) -> None:
    """If this fails a user is told to call what cannot help, or only once a large network is there."""
    made = []

    def factory(**kwargs: Any) -> nn.Module:
        made.append(kwargs)
        return nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, **({"device": "meta"} if how == "inside" else kwargs)))

    context = torch.device("meta" if how == "context" else "cpu")
    with context, pytest.raises(ValueError, match=r"call it outside `torch.device\('meta'\)`, or use `model_of`"):
        vs.torch.build(factory, **({"device": "meta"} if how == "argument" else {}))
    assert len(made) == (how != "context"), "before anything is built, where it is known"
