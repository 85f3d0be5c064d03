"""Networks whose code draws whole matrices: they are read whole, and built with the same bits as their model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs


class Recurrent(nn.Module):
    """An LSTM whose gates are orthogonal by themselves, beside a GRU of whole matrices and a sparse layer."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru, self.sparse = nn.LSTM(8, 16, 2), nn.GRU(8, 16), nn.Linear(20, 10)
        for name, parameter in self.lstm.named_parameters():
            if "weight_hh" in name:
                for gate in parameter.chunk(4, 0):
                    nn.init.orthogonal_(gate)
            elif "weight_ih" in name:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
                parameter.data[16:32] = 1
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.sparse_(self.sparse.weight, 0.5, 0.02)


class Generator(nn.Module):
    """The generator of a GAN, with orthogonal kernels as BigGAN has them."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(16, 64)
        self.blocks = nn.Sequential(*(nn.ConvTranspose2d(16, 16, 4, 2, 1) for _ in range(2)), nn.BatchNorm2d(16))
        self.head = nn.Conv2d(16, 3, 3)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.orthogonal_(module.weight)
        nn.init.normal_(self.blocks[-1].weight, 1.0, 0.02)
        with torch.no_grad():
            self.head.weight.mul_(0.5)


class NormalizerFree(nn.Module):
    """A residual block without norms: scaled standardized kernels, gains, a skip that begins at zero, an identity."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(2))
        self.gains = nn.ParameterList(nn.Parameter(torch.full((8, 1, 1, 1), 1.7128585504496627)) for _ in range(2))
        self.skip = nn.Parameter(torch.zeros(()))
        self.identity = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        for conv in self.convs:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
            nn.init.zeros_(conv.bias)
        nn.init.dirac_(self.identity.weight)


@pytest.mark.parametrize("factory", [Recurrent, Generator, NormalizerFree])
def test_networks_are_read_whole(factory: Callable[[], nn.Module]) -> None:
    """If this fails a network with orthogonal or sparse weights needs rules, or gets other values than were read."""
    model = vs.torch.model_of(factory)
    expected, net = model.init(seed=3), vs.torch.build(factory, seed=3)
    assert expected.keys() == net.state_dict().keys()
    for name, tensor in net.state_dict().items():
        assert np.array_equal(tensor.numpy(), expected[name]), name
    assert vs.Model.from_dict(model.to_dict()).digest() == model.digest()


def test_laws_of_matrices() -> None:
    """If this fails a matrix has another gain, its gates are one matrix, or another axis is orthogonal."""
    recurrent, generator = vs.torch.model_of(Recurrent), vs.torch.model_of(Generator)
    assert recurrent["lstm.weight_hh_l1"].initializer == vs.Orthogonal(axis=0, blocks=4)
    assert recurrent["gru.weight_hh_l0"].initializer == vs.Orthogonal(axis=0)
    assert recurrent["sparse.weight"].initializer == vs.Sparse(0.5, 0.02)
    assert generator["head.weight"].initializer == vs.Orthogonal(0.5, axis=0)
    assert vs.torch.model_of(NormalizerFree)["identity.weight"].initializer == vs.Dirac(layout="torch")


def test_groups_of_identities() -> None:
    """If this fails half of the outputs of a grouped convolution are dead, or its kernel is read as numbers."""

    class Grouped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.none = nn.Conv2d(8, 8, 3, groups=2, bias=False), nn.Parameter(torch.zeros(3, 3, 3))
            nn.init.dirac_(self.conv.weight, 2)

    model = vs.torch.model_of(Grouped)
    assert model["conv.weight"].initializer == vs.Dirac(2, layout="torch")
    assert model["none"].initializer == vs.Zeros()
    conv = vs.torch.init_(nn.Conv2d(8, 8, 3, groups=2, padding=1, bias=False), vs.Dirac())
    image = torch.randn(1, 8, 5, 5)
    assert torch.equal(conv(image), image)


def test_copies_and_casts_of_matrices_keep_their_law() -> None:
    """If this fails a layer that torch copies, or that becomes bfloat16, has no law any more."""

    class Copies(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            weight: Any = nn.init.orthogonal_(torch.empty(6, 4), 2)
            self.first, self.second = nn.Parameter(weight), nn.Parameter(weight.clone().bfloat16().neg())

    model = vs.torch.model_of(Copies)
    assert model["first"].initializer == vs.Orthogonal(2.0, axis=0)
    assert model["second"].initializer == vs.Orthogonal(-2.0, axis=0)
    net = vs.torch.build(Copies, seed=1)
    assert not torch.equal(net.first.bfloat16(), -net.second)
