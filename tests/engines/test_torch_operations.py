"""Operations of torch whose results are no plain return: `out=`, several tensors at once, arrays, statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs


class Net(nn.Module):
    """A network that a function makes."""

    def __init__(self, make: Callable[[Any], object]) -> None:
        super().__init__()
        make(self)


def outs(net: Any) -> None:
    for name, shape in (("ramp", (5,)), ("q", (3, 3)), ("r", (3, 3))):
        net.register_buffer(name, torch.empty(shape))
    torch.arange(5.0, out=net.ramp)
    torch.linalg.qr(2 * torch.eye(3), out=(net.q, net.r))


def several(net: Any) -> None:
    net.a, net.b = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.ones(2, 2))
    with torch.no_grad():
        torch._foreach_add_([net.a, net.b], 2.0)


def both(net: Any) -> None:
    net.register_buffer("mean", torch.zeros(3))
    norm = torch.ops.aten._native_batch_norm_legit
    values = torch.arange(6.0).reshape(2, 3)
    net.register_buffer("result", norm(values, None, None, net.mean, torch.ones(3), True, 0.1, 1e-5)[0])


@pytest.mark.parametrize("make", [outs, several, both])
def test_results_are_those_of_torch(make: Callable[[Any], object]) -> None:
    """If this fails what an operation writes to, or returns beside it, has other values than in torch."""
    own, made, net = Net(make).state_dict(), vs.torch.model_of(Net, make).init(1), vs.torch.build(Net, make, seed=1)
    for name, tensor in own.items():
        assert np.array_equal(made[name], tensor.numpy()), name
        assert torch.equal(net.state_dict()[name], tensor), name


def test_out_of_another_shape_is_refused() -> None:
    """If this fails a tensor that torch makes longer keeps its old length."""
    with pytest.raises(ValueError, match=r"`out` of aten.arange.start_out must have the shape \(5,\).* got \(0,\)"):
        vs.torch.model_of(Net, lambda net: torch.arange(0.0, 5.0, out=torch.empty(0)))


def test_arrays_cannot_be_written_to() -> None:
    """If this fails what is written through `numpy()` is lost in silence."""
    for write in (lambda w: w.numpy().fill(3), lambda w: np.asarray(w).fill(3)):
        for call in (vs.torch.model_of, vs.torch.build):
            with pytest.raises(ValueError, match="read-only"):
                call(Net, lambda net, write=write: write(torch.zeros(3)))


def looks(net: Any) -> None:
    net.layer, net.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
    net.norm(net.layer(torch.ones(2, 3, 8, 8)))


def test_statistics_of_a_first_look() -> None:
    """If this fails a batch norm that has seen random values has the statistics of one that has seen none."""
    with pytest.raises(ValueError, match=r"2 of 7 tensors.*\n  'norm.running_mean' .*\n  'norm.running_var'"):
        vs.torch.model_of(Net, looks)
    norm = vs.torch.build(Net, looks, seed=3).norm
    assert norm.running_mean.ne(0).all()
    assert norm.num_batches_tracked == 1
