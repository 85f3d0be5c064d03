"""The laws of networks: read from their own code, and drawn from our streams."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs


class Refused(nn.Module):
    """Two parameters without a law."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(3, 4)
        self.never = nn.Parameter(torch.empty(3))
        nn.init.orthogonal_(self.b.weight).data.abs_()


def test_rules_settle_what_is_refused() -> None:
    """If this fails not all refused parameters are listed, or a rule does not settle them."""
    with pytest.raises(ValueError, match=r"2 of 5 tensors.*\n  'never' .*\n  'b.weight' \(4, 3\): aten.abs_"):
        vs.torch.model_of(Refused)
    rules = [("never", vs.Zeros()), vs.Rule("b.*", vs.lecun_normal())]
    model = vs.torch.model_of(Refused, rules=rules)
    assert model["never"].initializer == vs.Zeros()
    assert model["b.weight"].initializer == vs.lecun_normal(in_axis=1, out_axis=0), "in torch's layout"
    assert model["b.bias"].initializer == vs.lecun_normal()
    with pytest.warns(UserWarning, match=r"`rules` must match parameters, got .*'c\.\*'.* that match none of 5"):
        vs.torch.model_of(Refused, rules=[*rules, ("c.*", vs.Zeros())])


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


class Attribute(nn.Module):
    """A tensor that is no parameter; a cycle keeps another one until Python collects it."""

    def __init__(self, keeps: bool) -> None:
        super().__init__()
        cycle: list[object] = [torch.randn(3)]
        cycle.append(cycle)
        self.inner = nn.Module()
        if keeps:
            self.inner.noises = {"a": torch.ones(2), "b": [torch.zeros(3), torch.randn(5)]}


def test_what_is_random_has_a_name() -> None:
    """If this fails a random attribute holds what memory held, or what is dropped keeps a network from being built."""
    vs.torch.build(Attribute, keeps=False, seed=3)
    message = r"random parameters and buffers only, got another tensor \(5,\) in 'inner.noises': .*: register it as a"
    with pytest.raises(ValueError, match=message):
        vs.torch.build(Attribute, keeps=True, seed=3)


@pytest.mark.filterwarnings("ignore:a generator of NumPy or Python")
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


def layers() -> nn.Module:
    """Classes of torch.nn's; attention initialises its child anew."""
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.MultiheadAttention(4, 2))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_networks_that_exist(device: str) -> None:
    """If this fails a network that exists is read by something else than what initialises it."""
    with torch.device(device):
        plain, own, method = layers(), Own(), Method()
    assert vs.torch.model_of(plain) == vs.torch.model_of(layers)
    with pytest.raises(ValueError, match=r"must tell how its modules \['Own'\] are initialised.*pass the factory"):
        vs.torch.model_of(own)
    assert vs.torch.model_of(method)["inner.weight"].initializer == vs.RandomUniform(0, 1)
    by = vs.torch.model_of(own, by=lambda net: [nn.init.ones_(p) for p in net.parameters()])
    assert by["inner.weight"].initializer == vs.Ones()


def test_marks_of_what_was_loaded_do_not_count() -> None:
    """If this fails a network that transformers loaded has no laws, because its method leaves alone what has a mark."""
    mark = "_is_hf_initialized"
    net = nn.Linear(3, 4)
    for marked in (net, net.weight, net.bias):
        setattr(marked, mark, True)

    def by(copy: nn.Module) -> None:
        for tensor in () if hasattr(copy, mark) else copy.parameters():
            if not hasattr(tensor, mark):
                nn.init.ones_(tensor)

    model = vs.torch.model_of(net, by=by)
    assert model["weight"].initializer == model["bias"].initializer == vs.Ones()
    assert all(hasattr(marked, mark) for marked in (net, net.weight, net.bias))


def test_copies_keep_what_they_were_copied_of() -> None:
    """If this fails writing to a tensor changes what was copied of it before."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, start in (("zeros", torch.zeros(4)), ("ramp", torch.arange(4.0) + torch.zeros(4))):
                before = start.clone()
                start.add_(1)
                self.register_buffer(f"{name}_after", start)
                self.register_buffer(f"{name}_before", before)

    own, made = Net(), vs.torch.model_of(Net).init(1)
    assert all(np.array_equal(made[name], buffer.numpy()) for name, buffer in own.named_buffers())


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


def test_arguments_are_checked() -> None:
    """If this fails a wrong argument is an error from inside torch."""
    for arguments, options, message in (
        ((nn.Linear(3, 4), 5), {}, "`args` must be empty"),
        ((nn.Linear, 3, 4), {"by": print}, "`by` must be None for a factory"),
        ((nn.Linear(3, 4),), {"by": 3}, "`by` must be a function"),
    ):
        with pytest.raises(TypeError, match=message):
            vs.torch.model_of(*arguments, **options)
