"""Classes of one's own: `init_` knows their parameters by name, as a model does, and asks about all others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs

INIT = vs.VarianceScaling(2.0, "fan_in", "untruncated_normal", 7)


class Holder(nn.Module):
    """A class that nobody knows, with one parameter."""

    def __init__(self, name: str, *shape: int) -> None:
        super().__init__()
        self.register_parameter(name, nn.Parameter(torch.empty(shape)))


class Conv1D(Holder):
    """GPT-2's layer, as transformers has it: its weight is (in, out)."""


class Embedding(Holder):
    """A table in a class of one's own."""


class LayerNorm2d(Holder):
    """A norm in a class of one's own."""


class Grouped(nn.ConvTranspose2d):
    """A layer whose own `reset_parameters` may do anything, but which is connected as its base is."""

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)


def place(path: str, shape: tuple[int, ...], cls: type[Holder] = Holder) -> nn.Module:
    """A network that holds one parameter of this name."""
    *parents, name = path.split(".")
    module: nn.Module = cls(name, *shape)
    for parent in reversed(parents):
        module = nn.ModuleDict({parent: module})
    return module


def filled(module: nn.Module, name: str, init: Any = INIT) -> np.ndarray:
    return vs.torch.init_(module, init).get_parameter(name).detach().numpy()


def axes(fan_in: Any, fan_out: Any, batch: Any = ()) -> Any:
    return vs.VarianceScaling(
        2.0, "fan_in", "untruncated_normal", 7, in_axis=fan_in, out_axis=fan_out, batch_axis=batch
    )


WEIGHTS = pytest.mark.parametrize(
    ("name", "shape", "cls", "init"),
    [
        ("mlp.experts.down_proj", (8, 6, 12), Holder, axes(2, 1, 0)),
        ("moe.w1", (8, 6, 12), Holder, axes(2, 1, 0)),
        ("moe.w1", (6, 12), Holder, axes(1, 0)),
        ("h.0.attn.c_attn.weight", (4, 12), Conv1D, axes(0, 1)),
        ("h.0.mlp.c_proj.weight", (12, 4), Conv1D, axes(0, 1)),
        ("deconv.weight", (4, 6, 3), Holder, axes(1, 0)),
        ("block.weight", (4, 6, 3, 3), Holder, axes(1, 0)),
        ("block.weight_v", (4, 6, 3), Holder, axes(1, 0)),
        ("latents", (4, 6), Holder, axes(1, 0)),
        ("block.q", (4, 6), Holder, axes(1, 0)),
    ],
)


@WEIGHTS
def test_weights_have_the_axes_of_their_kind(name: str, shape: Any, cls: Any, init: Any) -> None:
    """If this fails stacked experts have the fans of a convolution, or GPT-2's weights those of their outputs."""
    assert np.array_equal(filled(place(name, shape, cls), name), init.fold_in(name)(shape))


@WEIGHTS
def test_rules_have_the_axes_of_their_kind(name: str, shape: Any, cls: Any, init: Any) -> None:
    """If this fails a rule means another law in a network's model than `init_` makes, or than its user named."""
    module, law = place(name, shape, cls), vs.VarianceScaling(2.0, "fan_in", "untruncated_normal")
    named = axes(1, 0)._with_seed(None)
    for given, wanted in ((law, init._with_seed(None)), (named, named)):
        for model in (
            vs.Model(module, [(name, given)]),
            vs.torch.model_of(lambda: place(name, shape, cls), rules=[(name, given)]),
        ):
            assert model[name].initializer == wanted


def test_usual_rules_know_classes() -> None:
    """If this fails a usual rule takes an embedding for a weight where a network's own laws are read."""

    def factory() -> nn.Module:
        return nn.Sequential(
            nn.Embedding(9, 4), nn.Linear(4, 6), nn.LayerNorm(6), nn.ConvTranspose1d(6, 4, 3, groups=2)
        )

    rules = vs.default_rules(weight=vs.he_normal(), embedding=vs.glorot_normal())
    assert vs.torch.model_of(factory, rules=rules) == vs.Model(factory(), rules)


@pytest.mark.parametrize(
    ("name", "shape", "cls"),
    [
        ("pos_embed", (1, 197, 768), Holder), ("cls_token", (1, 1, 8), Holder), ("A_log", (64, 16), Holder),
        ("attn.bias", (1, 1, 8, 8), Holder), ("logit_scale", (4, 1, 1), Holder), ("conv.weight_g", (4, 1, 1), Holder),
        ("lstm.weight_hh_l0_g", (4, 1), Holder), ("layers.gamma", (1, 8, 1, 1), Holder),
        ("q.lora_B", (8, 2), Holder), ("norm.weight", (8, 1, 1), LayerNorm2d), ("rel_pos_bias_table", (9, 2), Holder),
        ("wte.weight", (9, 4), Embedding), ("latents", (1, 4, 6), Holder),
        ("mlp.kernel", (3, 4, 6), Holder), ("q.scale", (4, 1), Holder), ("bias", (4, 6), Holder),
    ],
)  # fmt: skip
def test_what_may_be_no_weight_is_not_guessed(name: str, shape: Any, cls: Any) -> None:
    """If this fails a table of positions, a state space or a mask starts as a weight of some fans."""
    module = place(name, shape, cls)
    with pytest.raises(
        ValueError, match=rf"no weight, has \['{name}'\]: give a model that .* `varscale.torch.model_of.factor"
    ):
        vs.torch.init_(module, INIT)
    assert filled(module, name, vs.Model({name: (shape, None, vs.Ones())})).all()
    vs.torch.init_(module, INIT, everything=True)


def test_axes_that_are_given_stay() -> None:
    """If this fails nobody can tell which axes of stacked experts are which."""
    given = axes(1, 2, 0)
    name, shape = "experts.gate_up_proj", (8, 6, 12)
    assert np.array_equal(filled(place(name, shape), name, given), given.fold_in(name)(shape))
    pieces = vs.Pieces([(..., vs.lecun_normal()), (0, vs.Zeros())], seed=7)
    found = filled(place(name, shape), name, pieces)
    wanted = vs.lecun_normal(7, in_axis=2, out_axis=1, batch_axis=0).fold_in(name)(shape)
    assert not found[0].any()
    assert np.array_equal(found[1:], wanted[1:])


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")
@pytest.mark.parametrize("kind", [nn.utils.spectral_norm, nn.utils.weight_norm])
def test_hooks_of_old(kind: Any) -> None:
    """If this fails a layer behind a hook has other fans than one without, or the norms of its weights are random."""
    bare = nn.ConvTranspose2d(6, 4, 3, groups=2)
    name = "weight_v" if kind is nn.utils.weight_norm else "weight_orig"
    layer = kind(nn.ConvTranspose2d(6, 4, 3, groups=2))
    if name == "weight_v":
        with pytest.raises(ValueError, match=r"no weight, has \['weight_g'\]: give a model"):
            vs.torch.init_(layer, INIT)
    found = vs.torch.init_(layer, INIT, names=(name, "bias")).get_parameter(name)
    wanted = vs.RandomNormal(0.0, (2 / 27) ** 0.5, 7).fold_in(name)((6, 2, 3, 3))
    assert np.array_equal(found.detach().numpy(), wanted)
    assert np.array_equal(layer.bias.detach().numpy(), vs.torch.init_(bare, INIT).bias.detach().numpy())
    gated = nn.utils.weight_norm(nn.LSTM(5, 7), "weight_hh_l0")
    with pytest.raises(ValueError, match=r"no weight, has \['weight_hh_l0_g'\]"):
        vs.torch.init_(gated, INIT)


def test_a_layer_that_resets_itself_is_connected_as_its_base() -> None:
    """If this fails the fans of a transposed convolution depend on how its class starts its biases."""
    module = Grouped(6, 4, 3, groups=2, bias=False)
    wanted = vs.RandomNormal(0.0, (2 / 27) ** 0.5, 7).fold_in("weight")((6, 2, 3, 3))
    assert np.array_equal(filled(module, "weight"), wanted)
    assert (
        vs.Model(module, vs.default_rules(weight=vs.VarianceScaling(2.0, "fan_in", "untruncated_normal")))
        .init(7)["weight"]
        .tolist()
        == wanted.tolist()
    )
