"""Modules: every parameter by its name, from an initializer or a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs
from varscale import replay

TORCH = vs.lecun_normal(7, in_axis=1, out_axis=0)


def network(**options: Any) -> nn.Module:
    """Some layers of every kind."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, **options), nn.BatchNorm2d(8, **options), nn.Linear(8, 5, **options))


def values(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: p.detach().float().numpy().copy() for name, p in module.named_parameters()}


def expected(module: nn.Module) -> dict[str, np.ndarray]:
    """What each parameter of the network is to hold, from NumPy alone."""
    bounds = {"0.bias": 27**-0.5, "2.bias": 8**-0.5}
    laws = {name: vs.RandomUniform(-bound, bound, 7) for name, bound in bounds.items()}
    laws |= {"1.weight": vs.Ones(), "1.bias": vs.Zeros()}
    return {
        name: laws.get(name, TORCH).fold_in(name)(tuple(parameter.shape))
        for name, parameter in module.named_parameters()
    }


def same(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> bool:
    return found.keys() == wanted.keys() and all(np.array_equal(found[name], wanted[name]) for name in found)


def test_an_initializer_is_folded_with_each_name() -> None:
    """If this fails parameters are alike, or depend on their order."""
    module = network()
    assert vs.torch.init_(module, vs.lecun_normal(7)) is module
    assert same(values(module), expected(module))
    assert same(values(vs.torch.init_(network(), vs.lecun_normal(1), seed=7)), expected(module))


def test_from_the_meta_device() -> None:
    """If this fails a model that is too large to be made twice cannot be initialised."""
    module = network(device="meta")
    with pytest.raises(ValueError, match=r"parameter '0.weight' must have memory, got a meta tensor.*`to_empty`"):
        vs.torch.init_(module, vs.lecun_normal(7))
    module.to_empty(device="cpu")
    assert same(values(vs.torch.init_(module, vs.lecun_normal(7))), expected(module))


def test_nothing_is_filled_where_one_parameter_is_wrong() -> None:
    """If this fails an error leaves a module half filled."""
    module = network()
    module[2].weight = nn.Parameter(torch.empty(5, 8, device="meta"))
    before = module[0].weight.clone()
    with pytest.raises(ValueError, match=r"parameter '2.weight' must have memory"):
        vs.torch.init_(module, vs.lecun_normal(7))
    assert torch.equal(module[0].weight, before)


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e5m2fnuz])
def test_errors_name_the_parameter(dtype: torch.dtype) -> None:
    """If this fails nobody learns which of a thousand parameters is quantized."""
    module = network()
    module[2].weight = nn.Parameter(torch.full((5, 8), 113).to(dtype), requires_grad=False)
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(ValueError, match=rf"^parameter '2.weight': `dtype` must be a float.*, got '{name}'$"):
        vs.torch.init_(module, vs.lecun_normal(7))
    with pytest.raises(TypeError, match=r"^`seed` must be an integer"):
        vs.torch.init_(module, vs.lecun_normal(7), seed="7")
    vs.torch.init_(module, vs.lecun_normal(7), keep="2.weight")
    assert module[2].weight.to(torch.complex64).real.eq(torch.tensor(113).to(dtype).to(torch.complex64).real).all()


def test_errors_print_no_weights() -> None:
    """If this fails a mistake writes weights to a log."""
    weight = nn.Parameter(torch.full((2, 3), 113.0))
    for target, init in (
        (weight, weight),
        ([weight], vs.Zeros()),
        ({"a": weight}, 1),
        (nn.Linear(2, 2), {"w": weight}),
    ):
        with pytest.raises(TypeError) as caught:
            vs.torch.init_(target, init)
        assert "113" not in str(caught.value)
        assert "<tensor of shape (2, 3) and dtype torch.float32>" in str(caught.value)
    with pytest.raises(TypeError, match="`target` must be a tensor for a lazy tensor"):
        vs.torch.init_(nn.Linear(2, 2), vs.Zeros().lazy((2, 2)))


def test_wrappers_change_no_name() -> None:
    """If this fails a compiled, checkpointed or wrapped module starts with other weights."""
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

    wanted = expected(network())
    inner = network()
    inner[2] = checkpoint_wrapper(inner[2])
    inner[0] = torch.compile(inner[0], backend="eager")
    for wrapped in (inner, torch.compile(inner, backend="eager"), nn.DataParallel(inner)):
        for parameter in inner.parameters():
            nn.init.zeros_(parameter)
        vs.torch.init_(wrapped, vs.lecun_normal(7))
        assert all(
            np.array_equal(p.detach().numpy(), wanted[n]) for p, n in zip(inner.parameters(), wanted, strict=True)
        )


def test_tied_parameters_have_one_name() -> None:
    """If this fails a parameter in two places is filled twice, with what comes last."""
    module = nn.ModuleDict({"wte": nn.Embedding(20, 8), "head": nn.Linear(8, 20, bias=False)})
    module["head"].weight = module["wte"].weight
    vs.torch.init_(module, vs.lecun_normal(7))
    assert np.array_equal(module["head"].weight.detach().numpy(), TORCH.fold_in("wte.weight")((20, 8)))
    model = vs.Model({"head.weight": (20, 8)}, layout="torch")
    vs.torch.init_(module, model, 3)
    assert np.array_equal(module["wte"].weight.detach().numpy(), model.init(3)["head.weight"])
    model = vs.Model({"head.weight": (20, 8), "wte.weight": (20, 8)}, layout="torch")
    vs.torch.init_(module, model, 3)
    assert np.array_equal(module["head"].weight.detach().numpy(), model.init(3)["wte.weight"]), "the first of its names"


def test_parameters_that_share_memory() -> None:
    """If this fails threads write the same memory at once, and what it holds is chance."""
    module = nn.ModuleDict({"wte": nn.Embedding(3000, 200), "head": nn.Linear(200, 3000, bias=False)})
    module["head"].weight.data = module["wte"].weight.data
    vs.torch.init_(module, vs.lecun_normal(7))
    assert np.array_equal(module["wte"].weight.detach().numpy(), TORCH.fold_in("head.weight")((3000, 200)))
    buffer = torch.zeros(600, 500)
    views = nn.ParameterDict({"odd": buffer[:, 1::2], "even": buffer[:, ::2]})
    wanted = {name: TORCH.fold_in(name)((600, 250)) for name in ("odd", "even")}
    assert same(values(vs.torch.init_(views, vs.lecun_normal(7))), wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_by_name(dtype: torch.dtype) -> None:
    """If this fails a module does not hold what the model makes anywhere else."""
    module = network(dtype=dtype)
    parameters = dict(reversed(list(module.named_parameters())))
    rules = vs.default_rules(weight=vs.he_normal(in_axis=1, out_axis=0))
    model = vs.Model({**parameters, "another.weight": (3, 4), "1.running_var": module[1].running_var}, rules)
    module[1].running_var.zero_()
    vs.torch.init_(module, model, seed=3)
    made = {name: array.astype(np.float32) for name, array in model.init(3).items()}
    assert all(np.array_equal(value, made[name]) for name, value in values(module).items())
    assert (module[1].running_var == 1).all(), "a buffer that the model has"
    assert (module[1].running_mean == 0).all()


def test_what_a_model_must_have() -> None:
    """If this fails a parameter keeps what memory held, and nobody is told."""
    module = network()
    model = vs.Model({"0.weight": (8, 3, 3, 3), "0.bias": (8,), "2.weight": (5, 8)}, layout="torch")
    message = r"`init_or_model` must have every parameter of the module, lacks \['1.weight', '1.bias', '2.bias'\]"
    with pytest.raises(ValueError, match=message):
        vs.torch.init_(module, model, 1)
    with pytest.raises(ValueError, match=r"parameter 'weight' must have the shape \(8, 5\) that it is to hold"):
        vs.torch.init_(nn.Linear(8, 5), vs.Model({"weight": (8, 5), "bias": (5,)}, layout="torch"), 1)
    with pytest.raises(ValueError, match="parameter 'weight' must have the dtype 'float16' that it is to hold"):
        vs.torch.init_(nn.Linear(8, 5), vs.Model(nn.Linear(8, 5, dtype=torch.float16)), 1)


def test_trains() -> None:
    """If this fails an optimiser cannot work on what was filled."""
    module = nn.Linear(8, 5)
    optimiser = torch.optim.SGD(module.parameters(), 0.1)
    vs.torch.init_(module, vs.lecun_normal(7))
    before = values(module)
    module(torch.ones(2, 8)).sum().backward()
    optimiser.step()
    assert np.allclose(module.weight.detach().numpy(), before["weight"] - 0.2)


REPLAYS = [replay.torch(3), replay.jax(3)]


@pytest.mark.parametrize("seed", REPLAYS, ids=str)
def test_replays_draw_one_tensor(seed: Any) -> None:
    """If this fails a user who wants torch's own weights is told of a function that he did not call."""
    net = nn.Linear(3, 4)
    before = net.weight.clone()
    for call in (
        lambda: vs.torch.init_(net, vs.he_normal(seed=seed)),
        lambda: vs.torch.init_(net, vs.he_normal(), seed),
        lambda: vs.torch.init_(net, vs.Zeros(), seed, everything=True),
        lambda: vs.torch.init_(net, vs.Model(net), seed),
        lambda: vs.torch.build(lambda: pytest.fail("is built first"), seed=seed),
    ):
        with pytest.raises(ValueError, match="`seed` must be an integer or None where parameters have names, got <"):
            call()
    assert torch.equal(net.weight, before)
    made = vs.torch.init_(torch.empty(4, 3), vs.RandomNormal(seed=seed))
    assert torch.equal(made, torch.from_numpy(vs.RandomNormal(seed=seed)((4, 3))))


def test_gates_and_projections_are_orthogonal_by_themselves() -> None:
    """If this fails the gates of an LSTM, or a query and its key, are parts of one matrix, and not orthogonal."""
    for layer, count in ((nn.LSTM(8, 16), 4), (nn.GRUCell(8, 16), 3), (nn.RNN(8, 16), 1)):
        vs.torch.init_(layer, vs.Orthogonal(seed=3))
        weight = dict(layer.named_parameters())["weight_hh" if count == 3 else "weight_hh_l0"].detach()
        for gate in weight.chunk(count):
            assert torch.allclose(gate @ gate.T, torch.eye(16), atol=1e-5)
    attention = vs.torch.init_(nn.MultiheadAttention(12, 3), vs.Orthogonal(seed=3))
    for matrix in attention.in_proj_weight.detach().chunk(3):
        assert torch.allclose(matrix @ matrix.T, torch.eye(12), atol=1e-5)
