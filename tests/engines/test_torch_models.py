"""Models of torch's own modules, which bring their layout, their buffers and the classes of their layers."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from math import sqrt
from typing import Any

import pytest
import torch
from torch import nn

import varscale as vs


def stddevs(model: vs.Model) -> dict[str, float | None]:
    return {row.name: row.stddev for row in model.describe()}


def test_every_spelling_brings_the_layout() -> None:
    """If this fails weights of torch start with the fans of TensorFlow, and a deep network is dead."""
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 50))
    whole = vs.Model(module)
    assert vs.Model(module.state_dict()) == whole
    assert list(whole) == list(module.state_dict())
    for parameters in (module.named_parameters(), list(module.named_parameters()), dict(module.named_parameters())):
        found = vs.Model(parameters)
        assert all(found[name] == whole[name] for name in found)
        assert set(found) == set(dict(module.named_parameters()))
    found = stddevs(whole)
    assert (found["0.weight"], found["2.weight"]) == (sqrt(1 / 27), sqrt(1 / 8))


def test_a_deep_network_is_alive() -> None:
    """If this fails the signal of a residual network's branches vanishes, as it does with TensorFlow's axes."""
    torch.manual_seed(0)
    module = nn.Sequential(*(layer for _ in range(8) for layer in (nn.Conv2d(16, 16, 3, padding=1), nn.ReLU())))
    module.append(nn.Conv2d(16, 64, 1))
    vs.torch.init_(module, vs.Model(module, vs.default_rules(weight=vs.he_normal())), seed=3)
    assert 0.3 < module(torch.randn(2, 16, 12, 12)).std().item() < 3


def test_buffers_are_part_of_a_module() -> None:
    """If this fails BatchNorm's statistics are what memory held after `to_empty`."""
    module = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 4)).to_empty(device="cpu")
    for tensor in module.state_dict().values():
        tensor.fill_(7)
    vs.torch.init_(module, vs.Model(module), seed=1)
    norm = module[0]
    assert (norm.running_mean.tolist(), norm.running_var.tolist()) == ([0.0] * 4, [1.0] * 4)
    assert norm.num_batches_tracked.item() == 0


def test_classes_tell_what_names_do_not() -> None:
    """If this fails an embedding, a transposed convolution or a slope that is called `0.weight` starts as a weight."""
    module = nn.Sequential(nn.Embedding(7, 5), nn.ConvTranspose2d(8, 4, 2), nn.LayerNorm((3, 4)), nn.PReLU(6))
    module.add_module("time_embed", nn.Linear(9, 2))
    with pytest.raises(ValueError, match=r"got 1 of 8 without one:\n  '3.weight' \(6,\): slopes of PReLU"):
        vs.Model(module)
    model = vs.Model(module, [("3.weight", vs.Constant(0.25))])
    found = stddevs(model)
    assert found["0.weight"] == 0.02
    assert found["1.weight"] == sqrt(1 / (8 * 2 * 2))
    assert model["2.weight"].initializer == vs.Ones()
    assert found["time_embed.weight"] == 1 / 3
    with pytest.raises(ValueError, match=r"got 1 of 2 without one:\n  'dt_proj.bias'"):
        vs.Model(nn.ModuleDict({"dt_proj": nn.Linear(3, 4)}))


def test_recurrent_layers_and_attention() -> None:
    """If this fails an LSTM's biases or the fused matrix of attention are uncovered, or have other fans."""
    assert set(stddevs(vs.Model(nn.LSTM(4, 9, 2, bidirectional=True))).values()) == {0.0, 0.5, 1 / 3, sqrt(1 / 18)}
    found = stddevs(vs.Model(nn.MultiheadAttention(16, 2)))
    assert found == {"in_proj_weight": 0.25, "in_proj_bias": 0.0, "out_proj.weight": 0.25, "out_proj.bias": 0.0}
    with pytest.raises(ValueError, match="got 2 of 6 without one:\n  'bias_k'"):
        vs.Model(nn.MultiheadAttention(16, 2, add_bias_kv=True))


def test_weight_norm() -> None:
    """If this fails a weight norm's g starts from ones or noise, which makes the weights another size."""
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))
    with pytest.raises(ValueError, match=r"got 1 of 3 without one:\n  'parametrizations.weight.original0'"):
        vs.Model(layer)
    spectral = vs.Model(nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)).named_parameters())
    assert stddevs(spectral) == {"bias": 0.0, "parametrizations.weight.original": 0.5}


def test_wrappers_and_ties() -> None:
    """If this fails a wrapped module's model does not fit it, or a tied parameter stands in it twice."""
    module = nn.ModuleDict({"wte": nn.Embedding(20, 8), "head": nn.Linear(8, 20, bias=False)})
    module["head"].weight = module["wte"].weight
    for wrapped in (module, torch.compile(module, backend="eager"), nn.DataParallel(module)):
        model = vs.Model(wrapped)
        assert list(model) == ["wte.weight"]
        vs.torch.init_(wrapped, model, 3)
        assert (module["head"].weight.detach().numpy() == model.init(3)["wte.weight"]).all()


def tied() -> nn.Module:
    """A head that is tied to the table, and a layer in two places."""
    layer = nn.Linear(8, 8)
    net = nn.ModuleDict({"wte": nn.Embedding(20, 8), "a": layer, "b": layer, "head": nn.Linear(8, 20, bias=False)})
    net["head"].weight = net["wte"].weight
    return net


@pytest.mark.parametrize("make", [lambda: vs.Model(tied()), lambda: vs.torch.model_of(tied)])
def test_what_to_empty_unties(make: Callable[[], vs.Model]) -> None:
    """If this fails a user who forgot to tie a network again does not learn what is lacking, or why."""
    with torch.device("meta"):
        net = tied()
    net.to_empty(device="cpu")
    net["head"].weight = nn.Parameter(torch.empty(20, 8))
    message = r"lacks \['head.weight'\]: 'head.weight' is tied to 'wte.weight' in the model, so tie it again after"
    model = pickle.loads(pickle.dumps(make()))
    with pytest.raises(ValueError, match=message):
        vs.torch.init_(net, model, 3)
    net["head"] = nn.Linear(8, 20)
    with pytest.raises(ValueError, match=r"lacks \['head.weight', 'head.bias'\]: 'head.weight' is tied"):
        vs.torch.init_(net, model, 3)
    with pytest.raises(ValueError, match=r"lacks \['head.bias'\]$"):
        vs.torch.init_(net, vs.Model.from_dict(model.to_dict()), 3, names="head.bias")


@pytest.mark.parametrize("name", ["head.weight", "b.*"])
def test_a_rule_for_a_tied_name(name: str) -> None:
    """If this fails a rule for a tied name changes nothing, and its user does not learn which name counts."""
    message = "that match none of 3; '.*' is tied to '(wte|a).weight': name that one"
    for make in (lambda rules: vs.Model(tied(), rules), lambda rules: vs.torch.model_of(tied, rules=rules)):
        with pytest.warns(UserWarning, match=message):
            make([(name, vs.Zeros())])


@pytest.mark.parametrize("read", [vs.torch.model_of, vs.torch.build])
def test_rules_that_missed_are_told(read: Any) -> None:
    """If this fails a user who wrote a rule for a tensor without a law is told to write one."""

    def factory() -> nn.Module:
        net = nn.ModuleDict({"h[0]": nn.Linear(4, 1, bias=False)})
        net["h[0]"].weight = nn.Parameter(torch.randperm(4).float())
        return net

    with pytest.raises(ValueError, match=r"matched nothing: \[Rule\('\*.\w+.weight'"):
        read(factory, rules=[("*.h.weight", vs.Zeros())])
    made = read(factory, rules=[("h[0].weight", vs.Ones())])
    assert made.init()["h[0].weight"].all() if isinstance(made, vs.Model) else made["h[0]"].weight.eq(1).all()


def test_a_module_on_the_meta_device() -> None:
    """If this fails a network must be in memory before its model can be looked at."""
    with torch.device("meta"):
        module = nn.Linear(2**17, 2**17, dtype=torch.bfloat16)
    assert vs.Model(module).nbytes == 2**35 + 2**18


def test_a_parameter_without_a_shape_is_named() -> None:
    """If this fails a lazy module is an error of torch's that names nothing."""
    with pytest.raises(ValueError, match="parameter 'weight': Can't access the shape of an uninitialized parameter"):
        vs.Model(nn.LazyLinear(3))


def test_integers_of_torch() -> None:
    """If this fails a seed that is a tensor is refused, or a tensor of True, or of several elements, is one."""
    assert vs.lecun_normal(torch.tensor(3)) == vs.lecun_normal(3)
    assert vs.zeros()((torch.tensor(2), 3)).shape == (2, 3)
    for bad in (
        torch.tensor(True),
        torch.tensor([3]),
        torch.tensor(3.0),
        torch.empty((), dtype=torch.int64, device="meta"),
    ):
        with pytest.raises(TypeError, match="`seed` must be an integer"):
            vs.lecun_normal(bad)


@pytest.mark.parametrize("read", [vs.torch.model_of, vs.torch.build])
def test_lazy_layers_need_a_shape(read: Any) -> None:
    """If this fails a user writes rules that cannot settle a lazy layer, or is told that they match nothing."""
    with pytest.raises(ValueError, match=r"'weight': a lazy .*: run one forward pass first, in the factory") as caught:
        read(nn.LazyLinear, 3, rules=[("weight", vs.Ones()), ("bias", vs.Zeros())])
    assert "matched nothing" not in str(caught.value)

    def factory() -> nn.Module:
        layer = nn.LazyLinear(3)
        layer(torch.zeros(1, 4))
        return layer

    made = read(factory, rules=[("weight", vs.Ones())])
    assert made.init(3)["weight"].sum() == 12 if isinstance(made, vs.Model) else made.weight.sum() == 12


def test_a_rule_for_a_table_without_memory() -> None:
    """If this fails a rule cannot settle a buffer on the meta device: an error from inside torch comes instead."""

    def factory(table: torch.Tensor) -> nn.Module:
        net = nn.Linear(2, 2)
        net.register_buffer("table", table)
        return net

    model = vs.torch.model_of(factory, torch.empty(3, device="meta"), rules=[("table", vs.Ones())])
    assert model["table"].initializer == vs.Ones()
