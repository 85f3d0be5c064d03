"""Networks that exist: how far the method that they are read by tells what their constructors did."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch
from torch import nn

import varscale as vs


class More(nn.Module):
    """A network whose constructor does more than its method."""

    def __init__(self, more: bool = True) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 3)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 4)
        self.mixed = nn.Linear(4, 4)
        self.scale = nn.Parameter(torch.zeros(1))
        self.init_weights()
        if more:
            with torch.no_grad():
                self.table.weight[2].zero_()
                nn.init.zeros_(self.norm.weight)
                nn.init.constant_(self.head.weight, 0.5)
                self.mixed.bias.fill_(1)
                self.scale.fill_(3)

    def init_weights(self) -> None:
        nn.init.normal_(self.table.weight, std=0.02)
        for layer in (self.head, self.mixed):
            nn.init.normal_(layer.weight)
            nn.init.zeros_(layer.bias[:2])
            nn.init.ones_(layer.bias[2:])
        nn.init.ones_(self.norm.weight)
        nn.init.zeros_(self.norm.bias)
        nn.init.zeros_(self.scale)


def test_a_constructor_that_did_more() -> None:
    """If this fails a network that exists is read with laws that its constructor overwrote, in silence."""
    lines = (
        r"\n  'table.weight' \(5, 3\): row 2 is all zeros, but random by the method"
        r"\n  'norm.weight' \(4,\): all 0, but Ones by the method"
        r"\n  'head.weight' \(4, 4\): all 0.5, but RandomNormal by the method"
        r"\n  'mixed.bias' \(4,\): all 1, but Constant by the method$"
    )
    message = rf"did more: pass the factory, or `by=`, a function .* it. It tells by 4 of 8 tensors:{lines}"
    net = More()
    with pytest.raises(ValueError, match=message):
        vs.torch.model_of(net)
    settled = [("table.weight", vs.Zeros()), ("norm.*", vs.Ones()), ("*.weight", vs.Ones()), ("*.bias", vs.Zeros())]
    assert vs.torch.model_of(net, rules=settled)["head.weight"].initializer == vs.Ones()
    assert vs.torch.model_of(net, by=More.init_weights) == vs.torch.model_of(More, more=False)
    with torch.device("meta"):
        assert len(vs.torch.model_of(More())) == 8, "it cannot be seen"
    plain = nn.Sequential(nn.Linear(3, 4))
    nn.init.zeros_(plain[0].weight)
    with pytest.raises(ValueError, match=r"'0\.weight'"):
        vs.torch.model_of(plain)


def test_a_trained_network_is_read() -> None:
    """If this fails a network cannot be read any more once it was trained, or lies in memory that nobody wrote to."""
    net = More(more=False).bfloat16()
    wanted = vs.torch.model_of(More, more=False)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += torch.randn_like(parameter)
        net.norm.weight[0] = 0
        net.head.weight[:, 0] = 0
    model = vs.torch.model_of(net)
    assert {name: p.initializer for name, p in model.items()} == {name: p.initializer for name, p in wanted.items()}
    padded = nn.Embedding(5, 3, padding_idx=2)
    assert vs.torch.model_of(padded) == vs.torch.model_of(nn.Embedding, 5, 3, padding_idx=2)
    empty = nn.Linear(3, 4)
    empty.weight = nn.Parameter(torch.zeros(4, 3))  # as `to_empty` may leave it
    assert vs.torch.model_of(empty) == vs.torch.model_of(nn.Linear, 3, 4)


class Applied(nn.Module):
    """The form of tutorials: the method initialises one module."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.apply(self.init_weights)

    def init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.ones_(module.weight)


def test_methods_that_need_arguments() -> None:
    """If this fails a network whose method is for one module is a TypeError from inside it."""
    with pytest.raises(ValueError, match=r"must tell how its modules \['Applied'\] are initialised"):
        vs.torch.model_of(Applied())
    by: Any = lambda net: net.apply(net.init_weights)  # noqa: E731
    with pytest.raises(ValueError, match=r"'layer.bias' \(\d,\): memory.*\nWhat .* has filled: pass the fact"):
        vs.torch.model_of(Applied(), by=by)
    model = vs.torch.model_of(Applied(), by=by, rules=[("*.bias", vs.Zeros())])
    assert model["layer.weight"].initializer == vs.Ones()


def test_what_cannot_be_copied() -> None:
    """If this fails a network that has no copy is an error from inside Python's `copy`."""
    net = nn.Linear(2, 2)
    net.lock = threading.Lock()
    with pytest.raises(ValueError, match=r"`net_or_factory` must be a network that `copy.deepcopy` copies, or a fact"):
        vs.torch.model_of(net)


def test_sparse_buffers_of_a_network_that_exists() -> None:
    """If this fails a network with a sparse buffer is an error from inside torch."""
    net = nn.Linear(2, 2)
    net.register_buffer("sparse", torch.eye(3).to_sparse())
    with pytest.raises(
        ValueError, match=r"1 of 3 tensors, .*\n  'sparse' \(3, 3\): a sparse, nested or quantized tensor"
    ):
        vs.torch.model_of(net)
