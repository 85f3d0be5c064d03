"""Tensors that have memory or random numbers in common: each number has one name, or is refused."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import varscale as vs

P = nn.Parameter


class Net(nn.Module):
    """A network that a function makes."""

    def __init__(self, make: Callable[[Any], object]) -> None:
        super().__init__()
        make(self)


def once(net: Any) -> None:
    drawn = torch.randn(6, 4)
    net.order = P(torch.cat([drawn[3:], drawn[:3]]))
    net.scaled = P(torch.randn(3, 3))
    with torch.no_grad():
        net.scaled[0].mul_(2)
    net.left, net.right = (P(half) for half in torch.randn(2, 5).unbind())


def test_numbers_that_are_seen_once_have_laws() -> None:
    """If this fails what is written in place, or put together of parts, is refused for nothing."""
    model = vs.torch.model_of(Net, once)
    normal = vs.RandomNormal(0.0, 1.0)
    assert model["scaled"].initializer == vs.Pieces([(..., normal), (0, vs.RandomNormal(0.0, 2.0))])
    assert model["order"].initializer == vs.Pieces([(slice(0, 3), normal), (slice(3, 6), normal)])
    assert model["left"].initializer == model["right"].initializer == normal


def doubled(net: Any) -> None:
    drawn = torch.randn(2, 4)
    net.w = P(torch.cat([drawn, drawn]))


def mirrored(net: Any) -> None:
    drawn = torch.randn(2, 4)
    net.w = P(torch.cat([drawn, -drawn]))


def upcycled(net: Any) -> None:
    drawn = torch.randn(2, 4)
    net.w = P(torch.empty(3, 2, 4))
    with torch.no_grad():
        for expert in net.w:
            expert.copy_(drawn)


def row(net: Any) -> None:
    net.w = P(torch.randn(3, 3))
    with torch.no_grad():
        net.w[0] = net.w[1]


@pytest.mark.parametrize("make", [doubled, mirrored, upcycled, row])
def test_numbers_that_are_seen_twice(make: Callable[[Any], object]) -> None:
    """If this fails rows that a network makes equal, or mirrors, are independent."""
    with pytest.raises(ValueError, match="the same random numbers in several places"):
        vs.torch.model_of(Net, make)
    w = vs.torch.build(Net, make, seed=3).w.detach()
    first, second = {doubled: (w[:2], w[2:]), mirrored: (w[:2], -w[2:]), upcycled: (w[0], w[2]), row: (w[0], w[1])}[
        make
    ]
    assert torch.equal(first, second)
    assert w.std() > 0.1


def tied(net: Any) -> None:
    net.encoder, net.decoder = nn.Linear(4, 3, bias=False), nn.Linear(3, 4, bias=False)
    net.decoder.weight = P(net.encoder.weight.t())


def overlapping(net: Any) -> None:
    drawn = torch.randn(20)
    net.a, net.b = P(drawn[:12]), P(drawn[8:])


def test_memory_that_two_names_have() -> None:
    """If this fails a view of a weight, such as that of a tied decoder, has a law of its own, or two laws fight."""
    with pytest.raises(
        ValueError, match=r"1 of 2 tensors.*\n  'decoder.weight' .*: memory that 'encoder.weight' has too"
    ):
        vs.torch.model_of(Net, tied)
    net = vs.torch.build(Net, tied, seed=3)
    assert torch.equal(net.decoder.weight, net.encoder.weight.t())
    alone = vs.RandomUniform(-0.5, 0.5, seed=3).fold_in("encoder.weight")((3, 4))
    assert np.array_equal(net.encoder.weight.detach(), alone), "its own law"
    for call in (vs.torch.model_of, vs.torch.build):
        with pytest.raises(ValueError, match="2 of 2 tensors"):
            call(Net, overlapping)


def rest(net: Any) -> None:
    filled = torch.ones(200_000)
    net.p, net.rest = P(filled[:5]), filled[5:]


def random_rest(net: Any) -> None:
    drawn = torch.randn(20)
    net.p, net.rest = P(drawn[:5]), drawn[5:]


def dropped(net: Any) -> None:
    net.p = P(torch.randn(20)[:5])


def test_memory_beside_a_parameter() -> None:
    """If this fails the rest of the memory that a parameter is a part of holds anything."""
    assert vs.torch.build(Net, rest, seed=3).rest.eq(1).all()
    assert vs.torch.build(Net, dropped, seed=3).p.std() > 0
    with pytest.raises(ValueError, match="random parameters and buffers only, got another tensor"):
        vs.torch.build(Net, random_rest, seed=3)


def part(net: Any) -> None:
    drawn = torch.randn(6, 4)
    net.w, net.norm = P(drawn[:3]), P(drawn.norm())


def transposed(net: Any) -> None:
    drawn = torch.randn(4, 4)
    net.w, net.norm = P(drawn.t()), P(drawn.norm(dim=1))


def two(net: Any) -> None:
    net.q, net.r = map(P, torch.linalg.qr(torch.randn(3, 3)))


def copied(net: Any) -> None:
    layer = parametrizations.weight_norm(nn.Linear(4, 3))
    net.layers = nn.ModuleList([layer, deepcopy(layer)])


@pytest.mark.parametrize("make", [part, transposed, two, copied])
def test_what_would_not_fit_together_is_refused(make: Callable[[Any], object]) -> None:
    """If this fails the norm of a weight is the one of another weight."""
    with pytest.raises(ValueError, match="made of the random numbers of"):
        vs.torch.build(Net, make, seed=3)


def spectral(net: Any) -> None:
    net.layer = parametrizations.spectral_norm(nn.Linear(4, 3))


def test_what_follows_from_what_was_computed() -> None:
    """If this fails the vectors of a spectral norm do not fit each other."""
    parts = vs.torch.build(Net, spectral, seed=3).layer.parametrizations.weight
    v = torch.nn.functional.normalize(parts.original.detach().t() @ parts[0]._u, dim=0)
    assert torch.allclose(v, parts[0]._v, atol=1e-5)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_attributes_that_follow_from_parameters() -> None:
    """If this fails networks of the old weight norm, whose weight is no parameter, cannot be built."""
    layer = vs.torch.build(lambda: nn.utils.weight_norm(nn.Linear(4, 3)), seed=3)
    norms = layer.weight_v.norm(dim=1, keepdim=True)
    assert torch.allclose(layer.weight, layer.weight_v * layer.weight_g / norms)
    assert torch.allclose(layer.weight_g, norms)


def orthogonal(net: Any) -> None:
    layer = nn.Linear(3, 3)
    nn.init.orthogonal_(layer.weight)
    net.layers = nn.Sequential(layer, deepcopy(layer))


def test_copies_of_what_has_no_law_draw_by_their_own_names() -> None:
    """If this fails the copy of a layer is equal to it, or depends on it."""
    first, second = vs.torch.build(Net, orthogonal, seed=3).layers
    assert (first.weight != second.weight).any()
    for weight in (first.weight.detach(), second.weight.detach()):
        assert torch.allclose(weight @ weight.t(), torch.eye(3), atol=1e-6)


def copies(net: Any) -> None:
    net.norm = deepcopy(nn.BatchNorm1d(3))
    net.embedding = deepcopy(nn.Embedding(5, 2, padding_idx=0))
    net.add_module("bfloat", nn.Embedding(5, 2, padding_idx=0).bfloat16())


def test_copies_keep_their_parts() -> None:
    """If this fails a copy of a norm has no statistics, or that of an embedding loses its padding row."""
    model = vs.torch.model_of(Net, copies)
    padded = vs.Pieces([(..., vs.RandomNormal(0.0, 1.0)), (0, vs.Zeros())])
    assert model["embedding.weight"].initializer == model["bfloat.weight"].initializer == padded
    assert model["norm.running_var"].initializer == vs.Ones()
    net = vs.torch.build(Net, copies, seed=3)
    assert net.norm.running_var.eq(1).all()
    assert net.bfloat.weight[0].eq(0).all()
