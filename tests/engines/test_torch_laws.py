"""What a module's class says: the fans of its weights, and the laws of all that is no weight."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import varscale as vs

NORMAL = vs.VarianceScaling(2.0, "fan_in", "untruncated_normal", 7)
BIG = {
    "linear": lambda: nn.Linear(50, 4000),
    "bilinear": lambda: nn.Bilinear(9, 5, 4000),
    "conv": lambda: nn.Conv1d(8, 4000, 3, groups=4),
    "transposed": lambda: nn.ConvTranspose2d(6, 4000, 3, groups=2),
    "lstm": lambda: nn.LSTM(7, 500, bidirectional=True, proj_size=3),
    "gru cell": lambda: nn.GRUCell(7, 1000),
    "attention": lambda: nn.MultiheadAttention(4000, 4, add_bias_kv=True, kdim=8, vdim=8),
    "batch norm": lambda: nn.BatchNorm2d(8),
    "sync batch norm": lambda: nn.SyncBatchNorm(8),
    "instance norm": lambda: nn.InstanceNorm1d(8, affine=True, track_running_stats=True),
    "layer norm": lambda: nn.LayerNorm((4, 5)),
    "group norm": lambda: nn.GroupNorm(2, 8),
    "RMS norm": lambda: nn.RMSNorm((4, 5)),
    "slopes": lambda: nn.PReLU(8, init=0.1),
    "encoder": lambda: nn.TransformerEncoderLayer(1000, 4, 4000),
}
NORMS = (nn.LayerNorm, nn.RMSNorm)


def is_weight(module: nn.Module, name: str) -> bool:
    owner, _, own = name.rpartition(".")
    return (
        "bias" not in own and module.get_submodule(owner).get_parameter(own).ndim > 1 and not isinstance(module, NORMS)
    )


@pytest.mark.parametrize("build", BIG.values(), ids=BIG)
def test_what_is_no_weight_keeps_the_law_of_torch(build: Any) -> None:
    """If this fails a norm's scale is random, or a bias has another law than in torch."""
    torch.manual_seed(1)
    module = build()
    theirs = {name: tensor.detach().double().numpy().copy() for name, tensor in module.state_dict().items()}
    vs.torch.init_(module.to_empty(device="cpu"), vs.lecun_normal(), seed=7)
    parameters = dict(module.named_parameters())
    seen = 0
    for name, tensor in module.state_dict().items():
        if name in parameters and is_weight(module, name):
            continue
        ours, wanted = tensor.double().numpy(), theirs[name]
        seen += 1
        if wanted.std() == 0:
            assert np.array_equal(ours, wanted), name
            continue
        n = wanted.size
        assert n >= 1000, name
        assert abs(ours.mean() - wanted.mean()) < 5 * wanted.std() * (2 / n) ** 0.5, name
        assert abs(ours.std() / wanted.std() - 1) < 5 / n**0.5, name
        # Uniform laws end where torch's do; normal ones (`bias_k`) reach about as far.
        assert abs(ours).max() < abs(wanted).max() * (1.5 if "bias_" in name[-6:] else 1.01), name
    assert seen


def test_every_class_of_torch_nn_is_known() -> None:
    """If this fails torch.nn has a class whose biases nobody knows."""
    # These have no parameters but their children's; lazy ones become others at their first call.
    parents = {"AdaptiveLogSoftmaxWithLoss", "Transformer"}
    found = {
        name: cls
        for name, cls in vars(nn).items()
        if inspect.isclass(cls)
        and issubclass(cls, nn.Module)
        and (hasattr(cls, "reset_parameters") or hasattr(cls, "_reset_parameters"))
        and not name.startswith("Lazy")
    }
    laws = vs.torch._modules._LAWS
    unknown = {
        name
        for name, cls in found.items()
        if getattr(cls, "reset_parameters", getattr(cls, "_reset_parameters", None)) not in laws
    }
    assert len(found) > 25
    assert unknown == parents


def test_biases_are_of_the_seed_and_the_name() -> None:
    """If this fails biases are alike, or do not repeat."""
    module = nn.Sequential(nn.Linear(16, 9), nn.Linear(16, 9))
    law = vs.RandomUniform(-0.25, 0.25, seed=7)
    for init, seed, wanted in (
        (vs.lecun_normal(7), None, law),
        (vs.lecun_normal(1), 7, law),
        (vs.lecun_normal(7).fold_in("net", 2), None, law.fold_in("net", 2)),
        (vs.lecun_normal(1).fold_in("net"), 7, law.fold_in("net")),
        (vs.Zeros(), 7, law),
    ):
        vs.torch.init_(module, init, seed)
        for name in ("0.bias", "1.bias"):
            found = module.get_parameter(name).detach().numpy()
            assert np.array_equal(found, wanted.fold_in(name)((9,))), (init, name)


def test_a_constant_fills_weights_only() -> None:
    """If this fails ones turn a norm's bias into ones."""
    module = vs.torch.init_(nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3)), vs.Constant(2.0), seed=1)
    assert (module[0].weight == 2).all()
    assert (module[1].weight == 1).all()
    assert (module[1].bias == 0).all()


def test_everything_fills_all_alike() -> None:
    """If this fails nobody can have one initializer for all parameters."""
    module = nn.Sequential(nn.ConvTranspose2d(4, 6, 3), nn.LayerNorm(3), nn.Embedding(5, 3, padding_idx=0))
    vs.torch.init_(module, NORMAL, everything=True)
    for name, parameter in module.named_parameters():
        init = vs.VarianceScaling(2.0, "fan_in", "untruncated_normal", 7, in_axis=1, out_axis=0)
        wanted = (init if parameter.ndim > 1 else NORMAL).fold_in(name)(tuple(parameter.shape))
        assert np.array_equal(parameter.detach().numpy(), wanted), name
    with pytest.raises(ValueError, match="`everything` must be False for a model"):
        vs.torch.init_(nn.Linear(2, 2), vs.Model({"bias": (2,)}), everything=True)


class Own(nn.Module):
    """Parameters of every kind, in a class that nobody knows."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.temperature = nn.Parameter(torch.ones(()))
        self.experts = nn.Parameter(torch.ones(4, 3, 5))
        self.expert_bias = nn.Parameter(torch.ones(4, 5))


class Reset(nn.Linear):
    """A layer whose own `reset_parameters` may do anything."""

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.bias)


class Inherits(nn.Linear):
    """A layer that initialises as its base does."""


def test_own_classes_are_not_guessed() -> None:
    """If this fails a parameter gets a law that nobody gave it."""
    module = nn.ModuleDict({"own": Own(), "reset": Reset(3, 3), "layer": Inherits(3, 3)})
    before = module["layer"].weight.clone()
    names = r"\['own.scale', 'own.temperature', 'own.experts', 'own.expert_bias', 'reset.bias'\]: give a model"
    with pytest.raises(ValueError, match=f"`target` must be of torch.nn's own classes where .*, has {names}"):
        vs.torch.init_(module, vs.lecun_normal(7))
    assert torch.equal(module["layer"].weight, before), "nothing is filled"
    vs.torch.init_(module, NORMAL, keep=("own.*", "reset.bias"))
    assert all((parameter == 1).all() for parameter in module["own"].parameters())
    wanted = vs.RandomNormal(0.0, (2 / 3) ** 0.5, 7).fold_in("reset.weight")((3, 3))
    assert np.array_equal(module["reset"].weight.detach().numpy(), wanted)
    wanted = vs.RandomUniform(-(3**-0.5), 3**-0.5, 7).fold_in("layer.bias")((3,))
    assert np.array_equal(module["layer"].bias.detach().numpy(), wanted)


def test_parametrized_layers() -> None:
    """If this fails what a parametrized layer keeps gets other fans, or the norms of its weights become random."""
    layer = parametrizations.spectral_norm(nn.ConvTranspose2d(4, 6, 3))
    vs.torch.init_(layer, NORMAL)
    name = "parametrizations.weight.original"
    wanted = vs.RandomNormal(0.0, (2 / 36) ** 0.5, 7).fold_in(name)((4, 6, 3, 3))
    assert np.array_equal(layer.parametrizations.weight.original.detach().numpy(), wanted)
    layer = parametrizations.weight_norm(nn.Linear(4, 6))
    names = r"\['parametrizations.weight.original0', 'parametrizations.weight.original1'\]"
    with pytest.raises(ValueError, match=f"where a parameter is no weight, has {names}"):
        vs.torch.init_(layer, NORMAL)
    for tensor in (layer.weight, layer.weight[0], layer.weight.T):
        message = "a result that autograd computed by WeightNorm.*: fill .* `parametrizations.weight.original`"
        with pytest.raises(ValueError, match=message):
            vs.torch.init_(tensor, NORMAL)
    vs.torch.init_(nn.Linear(4, 6).weight[2:], NORMAL)
