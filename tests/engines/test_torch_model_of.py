"""The laws of networks: read from their own code, and drawn from our streams."""

from __future__ import annotations

import math
import random
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
    (lambda w: nn.init.trunc_normal_(w, std=0.02), vs.RandomNormal(0.0, 0.02)),
    (lambda w: nn.init.zeros_(w), vs.Zeros()),
    (lambda w: nn.init.ones_(w), vs.Ones()),
    (lambda w: nn.init.constant_(w, 0.25), vs.Constant(0.25)),
    (lambda w: nn.init.eye_(w), vs.Identity()),
    (lambda w: torch.randn(6, 4) * 0.02, vs.RandomNormal(0.0, 0.02)),
    (lambda w: 3 - torch.rand(6, 4) / 2, vs.RandomUniform(2.5, 3)),
    (lambda w: torch.randn_like(w).mul_(2).add_(1, alpha=3).neg_(), vs.RandomNormal(-3.0, 2.0)),
    (lambda w: torch.normal(1.0, 2.0, size=(6, 4)), vs.RandomNormal(1.0, 2.0)),
    (lambda w: w.copy_(torch.randn(6, 4)), vs.RandomNormal(0.0, 1.0)),
    (lambda w: torch.full((6, 4), 0.5), vs.Constant(0.5)),
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

    assert laws(third) == vs.Pieces([(..., normal), (slice(2, 4), zeros)])
    made = laws(column)(
        (6, 4),
    )
    assert np.array_equal(made[:, 1], np.arange(6))
    assert (made[2:5, 3] == 0).all()
    assert np.count_nonzero(made) == 20
    assert laws(hidden) == normal
    assert laws(halves) == vs.Pieces([(slice(0, 3), normal), (slice(3, 6), zeros)])
    padded = vs.torch.model_of(nn.Embedding, 9, 4, padding_idx=2)["weight"].initializer
    assert padded == vs.Pieces([(..., vs.RandomNormal(0.0, 1.0)), (2, zeros)])


REFUSED: list[tuple[Callable[[torch.Tensor], Any], str]] = [
    (lambda w: nn.init.orthogonal_(w), r"torch.nn.init.orthogonal_ \(aten.linalg_qr\)"),
    (lambda w: nn.init.sparse_(w, 0.5), r"torch.nn.init.sparse_"),
    (lambda w: None, "memory that nothing was written to"),
    (lambda w: w.exponential_(), "aten.exponential_"),
    (lambda w: w.normal_().clamp_(-1, 1), "aten.clamp_"),
    (lambda w: w.normal_().abs_(), "aten.abs_"),
    (lambda w: torch.rand(6, 4) + torch.log(-torch.expm1(-steps(torch.rand(6, 4)))), "aten.neg"),
    (lambda w: torch.log(w.uniform_(1, 16)), "aten.log"),
    (lambda w: w.copy_(torch.randn(1, 4)), "aten.copy_"),
    (lambda w: w.normal_().mul_(torch.arange(4.0)), "aten.mul_"),
    (lambda w: torch.randn(6, 4) + torch.randn(6, 4), "aten.add"),
    (lambda w: (w[:, ::2].normal_(), None)[1], "memory that nothing was written to"),
    (lambda w: torch.randperm(24).reshape(6, 4).float(), "aten.randperm"),
]


@pytest.mark.parametrize(("fill", "message"), REFUSED)
def test_what_is_not_understood_is_refused(fill: Callable[[torch.Tensor], Any], message: str) -> None:
    """If this fails a parameter gets a law that nobody has checked, or the message does not say what stopped it."""
    with pytest.raises(ValueError, match=rf"must name a law for 1 of 1 tensors[^\n]*\n  'w' \(6, 4\): {message}"):
        laws(fill)


class Refused(nn.Module):
    """Two parameters without a law."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)
        self.never = nn.Parameter(torch.empty(3))
        nn.init.orthogonal_(self.b.weight)


def test_rules_settle_what_is_refused() -> None:
    """If this fails not all refused parameters are listed, or a rule does not settle them."""
    with pytest.raises(ValueError, match=r"2 of 5 tensors.*\n  'never' .*\n  'b.weight' \(4, 4\): torch.nn.init.ortho"):
        vs.torch.model_of(Refused)
    rules = [("never", vs.Zeros()), vs.Rule("b.*", vs.glorot_normal())]
    model = vs.torch.model_of(Refused, rules=rules)
    assert model["never"].initializer == vs.Zeros()
    assert model["b.weight"].initializer == model["b.bias"].initializer == vs.glorot_normal()


class Computed(nn.Module):
    """Buffers that are computed, tied parameters and copies."""

    def __init__(self) -> None:
        super().__init__()
        table = torch.zeros(6, 4)
        angles = torch.arange(6.0)[:, None] * torch.exp(torch.linspace(0, -2, 2))
        table[:, 0::2], table[:, 1::2] = torch.sin(angles), torch.cos(angles)
        self.register_buffer("table", table)
        self.register_buffer("mask", torch.tril(torch.ones(5, 5, dtype=torch.bool)).view(1, 1, 5, 5), persistent=False)
        self.register_buffer("index", torch.arange(5))
        self.rates = [rate.item() for rate in torch.linspace(0, 1, 3)]
        self.count = int((torch.ones(4) > 0).sum())
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
        self.half = nn.Linear(4, 4).half()
        self.scale = torch.full((2,), 3.0)


def test_what_is_computed_is_a_constant() -> None:
    """If this fails masks, frequencies and sinusoids are not those of the network."""
    torch.manual_seed(0)
    own = Computed()
    made = vs.torch.model_of(Computed).init(3)
    for name, buffer in own.named_buffers():
        assert made[name].dtype == buffer.numpy().dtype
        assert np.array_equal(made[name], buffer.numpy()), name
    assert "second.weight" not in made
    assert made["half.weight"].dtype == np.float16
    first, second = (made[f"layers.layers.{n}.linear1.weight"] for n in (0, 1))
    assert (first != second).all(), "copies draw by their own names"


def test_build_is_a_model_filled() -> None:
    """If this fails a network that is built has other values than its model, or loses what ties it together."""
    own, net = Computed(), vs.torch.build(Computed, seed=3)
    made = vs.torch.model_of(Computed).init(3)
    tensors = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    assert tensors.keys() == made.keys()
    assert all(np.array_equal(tensor.detach().numpy(), made[name]) for name, tensor in tensors.items())
    assert net.second.weight is net.first.weight
    assert torch.equal(net.scale, own.scale), "a plain attribute"
    assert (net.rates, net.count) == (own.rates, own.count)
    net.layers(torch.ones(1, 3, 8)).sum().backward()


@pytest.mark.parametrize("kind", ["network", "meta", "factory", "build"])
def test_nothing_else_moves(kind: str) -> None:
    """If this fails reading a network changes it, or what the caller draws afterwards."""
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()

    def factory() -> nn.Module:
        torch.manual_seed(1)
        random.seed(1)
        np.random.seed(1)
        return nn.Linear(3, 4)

    if kind == "build":
        vs.torch.build(factory, seed=1)
    elif kind == "factory":
        vs.torch.model_of(factory)
    else:
        vs.torch.model_of(net.to("meta") if kind == "meta" else net)
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert states[2] == np.random.get_state()[1].tolist()
    if kind == "network":
        assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


class Own(nn.Module):
    """A class of its own, whose constructor draws."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 4)
        nn.init.normal_(self.inner.weight)


class Method(Own):
    """The same, with a method that initialises it."""

    def init_weights(self) -> None:
        nn.init.uniform_(self.inner.weight)
        nn.init.zeros_(self.inner.bias)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_networks_that_exist(device: str) -> None:
    """If this fails a network that exists is read by something else than what initialises it."""
    with torch.device(device):
        plain, own, method = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), Own(), Method()
    assert vs.torch.model_of(plain) == vs.torch.model_of(lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)))
    with pytest.raises(ValueError, match=r"must tell how its modules \['Own'\] are initialised.*pass the factory"):
        vs.torch.model_of(own)
    assert vs.torch.model_of(method)["inner.weight"].initializer == vs.RandomUniform(0, 1)
    by = vs.torch.model_of(own, by=lambda net: [nn.init.ones_(p) for p in net.parameters()])
    assert by["inner.weight"].initializer == vs.Ones()


def test_copies_keep_what_they_were_copied_of() -> None:
    """If this fails writing to a tensor changes what was copied of it before."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, start in (("zeros", torch.zeros(4)), ("ramp", torch.arange(4.0) + torch.zeros(4))):
                self.register_buffer(f"{name}_before", start.clone())
                start.add_(1)
                self.register_buffer(f"{name}_after", start)

    own, made = Net(), vs.torch.model_of(Net).init(1)
    assert all(np.array_equal(made[name], buffer.numpy()) for name, buffer in own.named_buffers())


class Foreign(nn.Module):
    """Weights that NumPy and Python drew."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("before", torch.linspace(0, 1, 3))
        self.whole = nn.Parameter(torch.from_numpy(np.random.randn(3)))
        self.copied = nn.Parameter(torch.empty(3))
        with torch.no_grad():
            self.copied.copy_(torch.tensor([random.random() for _ in range(3)]))


def test_other_generators_are_noticed() -> None:
    """If this fails weights that NumPy drew become constants, which are the same for every seed."""
    generator = "a generator of NumPy or Python"
    with pytest.raises(ValueError, match=rf"'whole' \(3,\): {generator}\n  'copied' \(3,\): {generator}"):
        vs.torch.model_of(Foreign)


class Meta(nn.Module):
    """What asks for the meta device itself, and for the device of its parameters."""

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):
            self.a = nn.Parameter(torch.empty(4))
            self.b = nn.Parameter(torch.empty(4, 4))
        self.init_weights()

    def init_weights(self) -> None:
        with torch.no_grad():
            self.a.copy_(torch.log(torch.arange(1, 5, device=self.a.device)))
            with torch.device("cpu"):
                nn.init.trunc_normal_(self.b)


@pytest.mark.parametrize("exists", [False, True])
def test_on_the_meta_device(exists: bool) -> None:
    """If this fails a network that is on the meta device loses what its code computes."""
    model = vs.torch.model_of(Meta() if exists else Meta)
    assert np.allclose(model.init(1)["a"], np.log(np.arange(1, 5)))
    assert model["b"].initializer == vs.TruncatedNormal(0.0, 1.0)


def test_a_network_that_looks_at_random_values() -> None:
    """If this fails a loop over random values ends by chance, or never."""

    def factory() -> nn.Module:
        return nn.Linear(2, int(torch.rand(1).item() * 10) + 1)

    with pytest.raises(
        ValueError, match="`net_or_factory` must not look at random values while it builds, got Uniform"
    ):
        vs.torch.model_of(factory)


def test_arguments_are_checked() -> None:
    """If this fails a wrong argument is an error from inside torch."""
    for arguments, options, message in (
        ((3,), {}, "`net_or_factory` must be a module or a function"),
        ((lambda: 3,), {}, "`net_or_factory` must build a module, got 3"),
        ((nn.Linear(3, 4), 5), {}, "`args` must be empty"),
        ((nn.Linear, 3, 4), {"by": print}, "`by` must be None for a factory"),
        ((nn.Linear(3, 4),), {"by": 3}, "`by` must be a function"),
    ):
        with pytest.raises(TypeError, match=message):
            vs.torch.model_of(*arguments, **options)
