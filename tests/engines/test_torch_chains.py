"""Operations of all kinds: long chains, lists of tensors, sparse ones, and laws that no initializer takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import varscale as vs


class Net(nn.Module):
    """A network with one buffer that a function makes."""

    def __init__(self, function: Callable[[], torch.Tensor]) -> None:
        super().__init__()
        self.register_buffer("w", function())


def chained(start: Callable[[int], torch.Tensor], steps: int = 400) -> torch.Tensor:
    """A loop over a tensor, out of place and in place."""
    values, ramp = start(3), torch.linspace(0, 1, 3)
    for _ in range(steps):
        values = values * 0.9 + ramp
        values.mul_(0.9)
    return values


def test_long_chains() -> None:
    """If this fails a network whose code has a loop is a RecursionError."""
    wanted = chained(torch.zeros)
    for model in (
        vs.torch.model_of(Net, lambda: chained(torch.zeros)),
        vs.torch.build(Net, lambda: chained(torch.zeros)),
    ):
        values = model.init()["w"] if isinstance(model, vs.Model) else model.w
        assert torch.allclose(torch.as_tensor(values), wanted)
    assert torch.allclose(vs.torch.build(Net, lambda: chained(torch.randn), seed=3).w, wanted), (
        "what it began with fades"
    )


def test_an_order_of_draws() -> None:
    """If this fails a tensor that is computed of two draws has other values than it had."""
    net = vs.torch.build(Net, lambda: torch.randn(3) - torch.rand(3), seed=3)
    first = vs.RandomNormal(0.0, 1.0, seed=3).fold_in("w", 0)((3,))
    second = vs.RandomUniform(0.0, 1.0, seed=3).fold_in("w", 1)((3,))
    assert net.w.tolist() == (first - second).tolist()


def listwise(start: Callable[[int], torch.Tensor]) -> torch.Tensor:
    """An operation on a list of tensors."""
    found = [start(3), torch.ones(3)]
    torch._foreach_add_(found, 1.5)
    return torch.stack(torch._foreach_mul(found, 2.0))


def test_lists_of_tensors() -> None:
    """If this fails a fill of many tensors at once is an IndexError."""
    assert vs.torch.build(Net, lambda: listwise(torch.zeros)).w.tolist() == listwise(torch.zeros).tolist()
    with pytest.raises(ValueError, match=r"'w' \(2, 3\): aten._foreach_add_.Scalar"):
        vs.torch.model_of(Net, lambda: listwise(torch.randn))
    assert vs.torch.build(Net, lambda: listwise(torch.randn), seed=3).w[1].tolist() == [5.0] * 3


SPARSE: list[Callable[[], torch.Tensor]] = [
    lambda: torch.eye(3).to_sparse(),
    lambda: torch.eye(3).to_sparse_csr(),
    lambda: torch.sparse_coo_tensor(torch.tensor([[0, 1], [1, 0]]), torch.tensor([1.0, 2.0]), (2, 2)),
    lambda: torch.zeros(3, 3, layout=torch.sparse_coo),
    lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
]


@pytest.mark.filterwarnings("ignore")  # torch calls these kinds of tensors beta
@pytest.mark.parametrize("function", SPARSE)
def test_tensors_that_are_more_than_their_memory(function: Callable[[], torch.Tensor]) -> None:
    """If this fails a network with a sparse or quantized buffer is an error from inside torch."""
    with pytest.raises(ValueError, match=r"law for 1 of 1 tensors, .*\n  'w' .*: a sparse, nested or quantized tensor"):
        vs.torch.model_of(Net, function)
    made, wanted = vs.torch.build(Net, function, seed=3).w, function()
    plain = [tensor.dequantize() if tensor.is_quantized else tensor.to_dense() for tensor in (made, wanted)]
    assert torch.equal(*plain)


def test_what_is_made_of_sparse_tensors() -> None:
    """If this fails a table that is computed by way of a sparse tensor is no constant."""
    product = lambda: torch.sparse.mm(torch.eye(3).to_sparse() * 2, torch.arange(9.0).view(3, 3))  # noqa: E731
    assert vs.torch.model_of(Net, product).init()["w"].tolist() == product().tolist()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: torch.exp(torch.empty(4).uniform_(-800, 0)), "`minval` must be a positive, finite number, got 0.0"),
        (lambda: torch.randn(4) * float("inf"), "`mean` must be a finite number, got nan"),
    ],
)
def test_laws_that_no_initializer_takes(function: Callable[[], torch.Tensor], message: str) -> None:
    """If this fails the error for such a law names no tensor, and hides the others."""
    net = lambda: nn.ModuleList([Net(function), Net(lambda: torch.empty(2))])  # noqa: E731
    with pytest.raises(ValueError, match=rf"2 of 2 tensors.*\n  '0.w' \(4,\): {message}\n  '1.w' \(2,\): memory"):
        vs.torch.model_of(net)
    assert vs.torch.build(Net, function, seed=3).w.shape == (4,), "done for real"


def test_lists_of_refused_tensors_end() -> None:
    """If this fails the error for a network of thousands of tensors fills the screen, and the log."""
    many: Any = lambda: nn.ParameterList([torch.empty(2) for _ in range(1000)])  # noqa: E731
    for read in (vs.torch.model_of, vs.torch.build):
        with pytest.raises(ValueError, match=r"1000 of 1000 tensors") as caught:
            read(many)
        assert len(str(caught.value).splitlines()) == 202
        assert str(caught.value).endswith("\n  … and 800 more")
