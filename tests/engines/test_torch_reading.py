"""What is read of a fill: the law of one parameter, from what was done to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs

Init = vs.Initializer


def laws(function: Callable[[torch.Tensor], Any], shape: tuple[int, ...] = (6, 4)) -> Init:
    """The initializer that is read of a parameter to which a function was applied."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.empty(shape))
            with torch.no_grad():
                made = function(self.w)
            if isinstance(made, torch.Tensor) and made is not self.w:
                self.w = nn.Parameter(made)

    return vs.torch.model_of(Net)["w"].initializer


def steps(uniform: torch.Tensor) -> torch.Tensor:
    """Mamba's time steps."""
    return torch.exp(uniform * (math.log(0.1) - math.log(0.001)) + math.log(0.001))


def inverse(x: torch.Tensor) -> torch.Tensor:
    """What Mamba's biases are made of them by."""
    return x + torch.log(-torch.expm1(-x))


HALF = math.sqrt(3) * (math.sqrt(2 / 6) / math.sqrt(4))
GLOROT = math.sqrt(3) * math.sqrt(2 / 10)
FILLS: list[tuple[Callable[[torch.Tensor], Any], Init]] = [
    (lambda w: w.normal_(0.5, 0.1), vs.RandomNormal(0.5, 0.1)),
    (lambda w: nn.init.normal_(w, std=0.02), vs.RandomNormal(0.0, 0.02)),
    (lambda w: w.uniform_(-1, 2), vs.RandomUniform(-1, 2)),
    (lambda w: nn.init.uniform_(w), vs.RandomUniform(0, 1)),
    (lambda w: nn.init.kaiming_uniform_(w, a=math.sqrt(5)), vs.RandomUniform(-HALF, HALF)),
    (lambda w: nn.init.kaiming_normal_(w), vs.RandomNormal(0.0, math.sqrt(2) / math.sqrt(4))),
    (lambda w: nn.init.xavier_uniform_(w), vs.RandomUniform(-GLOROT, GLOROT)),
    (lambda w: nn.init.xavier_normal_(w), vs.RandomNormal(0.0, math.sqrt(2 / 10))),
    (lambda w: nn.init.trunc_normal_(w), vs.TruncatedNormal(0.0, 1.0)),
    (lambda w: nn.init.trunc_normal_(w, 0.0, 0.5, -1.5, 1.0), vs.TruncatedNormal(0.0, 0.5, lower=-3, upper=2)),
    (
        lambda w: nn.init.trunc_normal_(w, 0.0, 0.5, -0.5, 0.5).clamp_(-1.0, 1.0),
        vs.TruncatedNormal(0.0, 0.5, lower=-1, upper=1),
    ),
    (
        lambda w: nn.init.trunc_normal_(w, 0.0, 0.5, -1.5, 1.0).clamp_(-2.0, 1.0),
        vs.TruncatedNormal(0.0, 0.5, lower=-3, upper=2),
    ),
    (lambda w: torch.ops.aten.uniform(w, -5.0, -4.0), vs.RandomUniform(-5.0, -4.0)),
    (lambda w: nn.init.trunc_normal_(w, std=0.02), vs.RandomNormal(0.0, 0.02)),
    (lambda w: nn.init.trunc_normal_(w, 0.0, 0.5, -1.5, 1.0).neg_(), vs.TruncatedNormal(0.0, 0.5, lower=-2, upper=3)),
    (lambda w: nn.init.trunc_normal_(w, 0.0, 0.02, 0.0, 2.0), vs.TruncatedNormal(0.0, 0.02, lower=0, upper=100)),
    (lambda w: nn.init.zeros_(w), vs.Zeros()),
    (lambda w: nn.init.ones_(w), vs.Ones()),
    (lambda w: nn.init.constant_(w, 0.25), vs.Constant(0.25)),
    (lambda w: nn.init.eye_(w), vs.Identity()),
    (lambda w: torch.randn(6, 4) * 0.02, vs.RandomNormal(0.0, 0.02)),
    (lambda w: 3 - torch.rand(6, 4) / 2, vs.RandomUniform(2.5, 3)),
    (lambda w: torch.randn_like(w).mul_(2).add_(1, alpha=3).neg_(), vs.RandomNormal(-3.0, 2.0)),
    (lambda w: torch.normal(1.0, 2.0, size=(6, 4)), vs.RandomNormal(1.0, 2.0)),
    (lambda w: w.copy_(torch.randn(6, 4)), vs.RandomNormal(0.0, 1.0)),
    (lambda w: torch.randn(6, 4, pin_memory=True), vs.RandomNormal(0.0, 1.0)),
    (lambda w: torch.mul(torch.randn(6, 4), 2, out=w), vs.RandomNormal(0.0, 2.0)),
    (lambda w: torch.full((6, 4), 0.5), vs.Constant(0.5)),
    (lambda w: torch.full((6, 4), -0.0), vs.Constant(-0.0)),
    (lambda w: torch.zeros(6, 4) + 0.1, vs.Constant(np.float32(0.1).item())),
    (lambda w: torch.arange(24.0).reshape(6, 4), vs.Constant(np.arange(24.0, dtype=np.float32))),
    (lambda w: w.normal_(std=2).clamp_(-100, 100), vs.RandomNormal(0.0, 2.0)),
    (lambda w: steps(torch.rand(6, 4)), vs.LogUniform(0.001, 0.1)),
    (lambda w: steps(torch.rand(6, 4)).clamp(min=0.01), vs.LogUniform(0.001, 0.1, floor=0.01)),
    (lambda w: inverse(steps(w.uniform_())), vs.LogUniform(0.001, 0.1, inverse_softplus=True)),
    (lambda w: steps(torch.rand(6, 4)).expm1().log(), vs.LogUniform(0.001, 0.1, inverse_softplus=True)),
]


@pytest.mark.parametrize(("fill", "expected"), FILLS)
def test_what_is_read_of_a_fill(fill: Callable[[torch.Tensor], Any], expected: Init) -> None:
    """If this fails a parameter has another law than its network gives it."""
    assert laws(fill) == expected


def old_trunc_normal_(w: torch.Tensor, mean: float, std: float, a: float, b: float) -> torch.Tensor:
    """As torch had it until 2.14, and timm has it."""
    low, high = ((1 + math.erf((end - mean) / std / math.sqrt(2))) / 2 for end in (a, b))
    w.uniform_(2 * low - 1, 2 * high - 1)
    return w.erfinv_().mul_(std * math.sqrt(2)).add_(mean).clamp_(min=a, max=b)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0.0, 1.0, -2.0, 2.0), vs.TruncatedNormal(0.0, 1.0)),
        ((0.0, 0.02, -2.0, 2.0), vs.RandomNormal(0.0, 0.02)),
        ((0.0, 0.5, -1.5, 1.0), vs.TruncatedNormal(0.0, 0.5, lower=-3, upper=2)),
    ],
)
def test_truncation_by_quantiles(arguments: tuple[float, ...], expected: Init) -> None:
    """If this fails timm's networks, and those of older torch, have no law."""
    assert laws(lambda w: old_trunc_normal_(w, *arguments)) == expected


def test_pieces() -> None:
    """If this fails a padding row, a forget gate or one projection of three has the law of its neighbours."""
    normal, zeros = vs.RandomNormal(0.0, 0.02), vs.Zeros()

    def third(w: torch.Tensor) -> None:
        w.normal_(0, 0.02)
        w.view(3, 2, 4)[1].zero_()

    def column(w: torch.Tensor) -> None:
        w.normal_(0, 0.02)
        w[:, 1] = torch.arange(6.0)
        w[2:5, 3] = 0

    def hidden(w: torch.Tensor) -> None:
        w[0].fill_(3)
        w.normal_(0, 0.02)

    def halves(w: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros(3, 4).normal_(0, 0.02), torch.zeros(3, 4)])

    def flat(w: torch.Tensor) -> torch.Tensor:
        rows = torch.empty(30)
        rows[:15].normal_(0, 0.02)
        rows[15:].zero_()
        return rows[3:27].view(6, 4)

    assert laws(third) == vs.Pieces([(..., normal), (slice(2, 4), zeros)])
    made = laws(column)(
        (6, 4),
    )
    assert np.array_equal(made[:, 1], np.arange(6))
    assert (made[2:5, 3] == 0).all()
    assert np.count_nonzero(made) == 20
    assert laws(hidden) == normal
    assert laws(halves) == laws(flat) == vs.Pieces([(slice(0, 3), normal), (slice(3, 6), zeros)])
    padded = vs.torch.model_of(nn.Embedding, 9, 4, padding_idx=2)["weight"].initializer
    assert padded == vs.Pieces([(..., vs.RandomNormal(0.0, 1.0)), (2, zeros)])


REFUSED: list[tuple[Callable[[torch.Tensor], Any], str]] = [
    (lambda w: nn.init.orthogonal_(w).add_(1), "torch.nn.init.orthogonal_|aten.add_"),
    (lambda w: nn.init.orthogonal_(w).clamp_(-0.1, 0.1), "aten.clamp_"),
    (lambda w: (nn.init.orthogonal_(w)[0].zero_(), None)[1], "parts of matrices that are drawn as a whole"),
    (lambda w: (nn.init.orthogonal_(w.t()), None)[1], "parts of matrices that are drawn as a whole"),
    (lambda w: nn.init.orthogonal_(torch.empty(8, 4))[:6], "parts of matrices that are drawn as a whole"),
    (lambda w: nn.init.orthogonal_(torch.empty(8, 4))[:6].clone(), "parts of random tensors"),
    (lambda w: ([nn.init.orthogonal_(rows) for rows in (w[:2], w[2:])], None)[1], "parts of matrices that are"),
    (lambda w: ([nn.init.orthogonal_(w[:, k : k + 2]) for k in (0, 2)], None)[1], "parts of matrices that are"),
    (lambda w: ([nn.init.sparse_(w[k : k + 3], 0.5) for k in (0, 3)], None)[1], "several matrices in one tensor"),
    (lambda w: torch.cat([m := nn.init.orthogonal_(torch.empty(3, 4)), m]), "the same random numbers in several"),
    (lambda w: None, "memory that nothing was written to"),
    (lambda w: w.exponential_(), "aten.exponential_"),
    (lambda w: w.normal_().clamp_(-1, 1), "aten.clamp_"),
    (lambda w: w.normal_().abs_(), "aten.abs_"),
    (lambda w: steps(torch.rand(6, 4)) + torch.log(-torch.expm1(-steps(torch.rand(6, 4)))), "aten.neg"),
    (lambda w: torch.log(w.uniform_(1, 16)), "aten.log"),
    (lambda w: w.copy_(torch.randn(1, 4)), "aten.copy_"),
    (lambda w: w.copy_(torch.randn(1, 4).expand(6, 4)), "parts of random tensors"),
    (lambda w: w.normal_().mul_(torch.arange(4.0)), "aten.mul_"),
    (lambda w: torch.randn(6, 4) + torch.randn(6, 4), "aten.add"),
    (lambda w: torch.randn(1, 4) + torch.zeros(6, 4), "aten.add"),
    (lambda w: torch.full((6, 4), 2.0) / torch.rand(6, 4), "aten.div"),
    (lambda w: torch.div(torch.rand(6, 4), 0.1, rounding_mode="floor"), "aten.div"),
    (lambda w: (torch.rand(6, 4) * 9).long().float(), "aten._to_copy"),
    (lambda w: torch.empty(6, 4, dtype=torch.float16).normal_().view(torch.bfloat16), "a view in another dtype"),
    (lambda w: (w.normal_().view(-1)[2:6].zero_(), None)[1], "parts of random tensors"),
    (lambda w: (w[:, ::2].normal_(), None)[1], "memory that nothing was written to"),
    (lambda w: torch.randperm(24).reshape(6, 4).float(), "aten.randperm"),
]


@pytest.mark.parametrize(("fill", "message"), REFUSED)
def test_what_is_not_understood_is_refused(fill: Callable[[torch.Tensor], Any], message: str) -> None:
    """If this fails a parameter gets a law that nobody has checked, or the message does not say what stopped it."""
    with pytest.raises(ValueError, match=rf"must name a law for 1 of 1 tensors[^\n]*\n  'w' \(6, 4\): {message}"):
        laws(fill)
