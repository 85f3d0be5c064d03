"""Fans of modules: what one unit is really connected with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs

TABLE: list[tuple[nn.Module, str, int, int]] = [
    # the module, its weight, and the inputs and outputs of one unit
    (nn.Linear(6, 10), "weight", 6, 10),
    (nn.Conv1d(6, 10, 3), "weight", 18, 30),
    (nn.Conv2d(6, 10, (3, 5)), "weight", 90, 150),
    (nn.Conv3d(6, 10, 2), "weight", 48, 80),
    (nn.Conv2d(6, 10, 3, groups=2), "weight", 27, 45),
    (nn.Conv2d(6, 6, 3, groups=6), "weight", 9, 9),
    (nn.Conv2d(6, 12, 3, groups=6), "weight", 9, 18),
    (nn.ConvTranspose1d(6, 10, 3), "weight", 18, 30),
    (nn.ConvTranspose2d(6, 10, (3, 5)), "weight", 90, 150),
    (nn.ConvTranspose2d(6, 10, 3, groups=2), "weight", 27, 45),
    (nn.ConvTranspose3d(6, 6, 2, groups=6), "weight", 8, 8),
    (nn.Bilinear(3, 4, 5), "weight", 12, 20),
    (nn.Embedding(20, 8), "weight", 8, 20),
    (nn.EmbeddingBag(20, 8), "weight", 8, 20),
    (nn.MultiheadAttention(8, 2), "in_proj_weight", 8, 8),
    (nn.MultiheadAttention(8, 2), "out_proj.weight", 8, 8),
    (nn.MultiheadAttention(8, 2, kdim=3, vdim=5), "k_proj_weight", 3, 8),
    (nn.LSTM(5, 7), "weight_ih_l0", 5, 7),
    (nn.LSTM(5, 7, proj_size=3), "weight_hh_l0", 3, 7),
    (nn.LSTM(5, 7, proj_size=3), "weight_hr_l0", 7, 3),
    (nn.GRU(5, 7, 2, bidirectional=True), "weight_ih_l1_reverse", 14, 7),
    (nn.RNN(5, 7), "weight_hh_l0", 7, 7),
    (nn.LSTMCell(5, 7), "weight_ih", 5, 7),
    (nn.GRUCell(5, 7), "weight_hh", 7, 7),
]


def label(value: Any) -> str:
    return str(value).replace("\n", " ")[:60]


def filled(module: nn.Module, name: str, init: Any) -> np.ndarray:
    return vs.torch.init_(module, init).get_parameter(name).detach().numpy()


def normal(name: str, shape: tuple[int, ...], n: float) -> np.ndarray:
    return vs.RandomNormal(0.0, (2.0 / n) ** 0.5, 3).fold_in(name)(shape)


@pytest.mark.parametrize(("module", "name", "fan_in", "fan_out"), TABLE, ids=label)
def test_the_table_of_fans(module: nn.Module, name: str, fan_in: int, fan_out: int) -> None:
    """If this fails a layer starts with the scale of another one."""
    for mode, n in (("fan_in", fan_in), ("fan_out", fan_out), ("fan_avg", (fan_in + fan_out) / 2)):
        found = filled(module, name, vs.VarianceScaling(2.0, mode, "untruncated_normal", 3))
        assert np.array_equal(found, normal(name, found.shape, n)), mode


@pytest.mark.parametrize(("module", "name", "fan_in", "fan_out"), TABLE, ids=label)
def test_a_model_has_the_same_fans(module: nn.Module, name: str, fan_in: int, fan_out: int) -> None:
    """If this fails a network starts with another scale where a model fills it."""
    place = f"deep.norm.{name}"
    for mode, n in (("fan_in", fan_in), ("fan_out", fan_out), ("fan_avg", (fan_in + fan_out) / 2)):
        init = vs.VarianceScaling(2.0, mode, "untruncated_normal")
        # Under a name that would mean something else.
        deep = nn.ModuleDict({"deep": nn.ModuleDict({"norm": module})})
        own = [(place, init), (place, vs.Zeros()), ("*", vs.Zeros())]
        usual = vs.default_rules(weight=init, embedding=init)
        read = [vs.torch.model_of(deep, rules=rules, by=lambda net: net) for rules in (own, [*usual, *own[1:]])]
        for found in (vs.Model(deep, usual), vs.Model(deep, own), *read):
            shape = module.get_parameter(name).shape
            assert np.array_equal(found.init(3, [place])[place], normal(place, tuple(shape), n)), mode


def test_rules_of_build_have_the_same_fans() -> None:
    """If this fails a network is built with other fans than `model_of` says, or than its user has named."""
    for init, wanted in ((vs.he_normal(), vs.he_normal(3, in_axis=0, out_axis=1)), (he := vs.he_normal(in_axis=1), he)):
        net = vs.torch.build(nn.ConvTranspose2d, 64, 8, 4, seed=3, rules=[("weight", init)])
        made = wanted._with_seed(3).fold_in("weight")((64, 8, 4, 4))
        assert np.array_equal(net.weight.detach().numpy(), made)


CONVOLUTIONS = [row for row in TABLE if isinstance(row[0], nn.modules.conv._ConvNd)]


@pytest.mark.parametrize(("module", "name", "fan_in", "fan_out"), CONVOLUTIONS, ids=label)
def test_the_table_counts_connections(module: Any, name: str, fan_in: int, fan_out: int) -> None:
    """If this fails the table above is wrong: counted far from the edges, with weights of one."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(float(parameter.ndim > 1))
        size = (15,) * (module.weight.ndim - 2)
        assert module(torch.ones(1, 6, *size))[(0, 0, *(7 for _ in size))] == fan_in
        one = torch.zeros(1, 6, *size)
        one[(0, 0, *(7 for _ in size))] = 1
        assert module(one).count_nonzero() == fan_out


def test_depthwise_convolutions_of_issue_23854() -> None:
    """If this fails a depthwise convolution starts with an eighth of He's standard deviation, as in torch."""
    layer = nn.Conv2d(64, 64, 3, groups=64)
    found = filled(layer, "weight", vs.VarianceScaling(2.0, "fan_out", "untruncated_normal", 3))
    assert abs(found.std() / (2 / 9) ** 0.5 - 1) < 5 / (2 * found.size) ** 0.5
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    assert layer.weight.std() < 0.08


def test_transposed_convolutions_are_in_out() -> None:
    """If this fails DCGAN's generator starts with fans swapped."""
    for channels in ((100, 512), (512, 256)):
        found = filled(nn.ConvTranspose2d(*channels, 4, bias=False), "weight", vs.he_normal(3))
        wanted = vs.he_normal(3, in_axis=0, out_axis=1).fold_in("weight")((*channels, 4, 4))
        assert np.array_equal(found, wanted)


def test_axes_and_fans_that_are_given_stay() -> None:
    """If this fails a module overrules its user."""
    for init in (
        vs.he_normal(3, in_axis=1, out_axis=0),
        vs.he_normal(3, in_axis=(1, 2), out_axis=0, batch_axis=3),
    ):
        found = filled(nn.ConvTranspose2d(4, 6, 3, groups=2), "weight", init)
        assert np.array_equal(found, init.fold_in("weight")((4, 3, 3, 3)))
    init = vs.VarianceScaling(2.0, "fan_out", "untruncated_normal", 3, fan_out=5)
    found = filled(nn.Conv2d(6, 6, 3, groups=6), "weight", init)
    assert np.array_equal(found, normal("weight", (6, 1, 3, 3), 5))


def test_words_of_a_layout_for_one_tensor() -> None:
    """If this fails a tensor whose user says what it is has the fans of another one, or of Keras."""
    for said, shape, fans in (
        ({"transposed": True}, (64, 16, 4, 4), (1024, 256)),
        ({"transposed": True, "groups": 4}, (64, 4, 4, 4), (256, 64)),
        ({"groups": 4}, (64, 4, 3, 3), (36, 144)),
        ({"blocks": 3}, (96, 32), (32, 32)),
        ({"batch_axis": 0}, (8, 48, 32), (32, 48)),
        ({"layout": "torch", "blocks": 3}, (96, 32), (32, 32)),
        ({"layout": "keras"}, (32, 96), (32, 96)),
        ({"layout": "mlx"}, (64, 3, 3, 16), (144, 576)),
    ):
        init = vs.VarianceScaling(1.0, "fan_avg", "untruncated_normal", 3, **said)
        made = vs.torch.init_(torch.empty(shape), init).numpy()
        by_hand = vs.VarianceScaling(1.0, "fan_avg", "untruncated_normal", 3, fan_in=fans[0], fan_out=fans[1])
        assert np.array_equal(made, by_hand(shape)), said
    with pytest.raises(ValueError, match="`depthwise` must be False in the layout 'torch'"):
        vs.torch.init_(torch.empty(64, 1, 3, 3), vs.he_normal(3, depthwise=True))


def test_blocks_of_a_layer_of_ones_own() -> None:
    """If this fails a fused query, key and value in a Linear starts with the fans of one matrix."""
    found = filled(nn.Linear(32, 96), "weight", vs.glorot_normal(3, blocks=3))
    wanted = vs.glorot_normal(3, fan_in=32, fan_out=32).fold_in("weight")((96, 32))
    assert np.array_equal(found, wanted)
    model = vs.Model(nn.Linear(32, 96), [("weight", vs.glorot_normal(blocks=3))])
    assert model["weight"].initializer.describe((96, 32))[:2] == (32, 32)  # type: ignore[attr-defined]


def test_an_initializer_keeps_its_own_fans() -> None:
    """If this fails filling a module changes what the initializer makes elsewhere, or is changed by it."""
    init = vs.VarianceScaling(2.0, "fan_in", "untruncated_normal", 3)
    before = init((6, 4))
    assert np.array_equal(init._with_fans(fan_in=9)((6, 4)), vs.RandomNormal(0.0, (2 / 9) ** 0.5, 3)((6, 4)))
    filled(nn.LSTM(4, 6), "weight_hh_l0", init)
    assert np.array_equal(init((6, 4)), before)


def test_initializers_without_fans() -> None:
    """If this fails a fixed law depends on the layer, or its pieces have fans of another layout."""
    for init in (vs.RandomNormal(0.0, 0.02, 3), vs.TruncatedNormal(0.0, 0.02, 3)):
        found = filled(nn.ConvTranspose2d(4, 6, 3), "weight", init)
        assert np.array_equal(found, init.fold_in("weight")((4, 6, 3, 3)))
    halves = [(slice(0, 2), vs.Zeros()), (slice(2, None), vs.VarianceScaling(2.0, "fan_out", "untruncated_normal"))]
    found = filled(nn.Conv2d(6, 6, 3, groups=6), "weight", vs.Pieces(halves, seed=3))
    assert not found[:2].any()
    assert np.array_equal(found[2:], normal("weight", (6, 1, 3, 3), 9)[2:])


@pytest.mark.parametrize("cls", [nn.Embedding, nn.EmbeddingBag])
def test_the_row_of_padding_is_zero(cls: type[nn.Module]) -> None:
    """If this fails padding tokens have random vectors."""
    init = vs.RandomNormal(0.0, 0.1, 3)
    for row in (0, 4, -1):
        found = filled(cls(10, 6, padding_idx=row), "weight", init)
        wanted = init.fold_in("weight")((10, 6))
        wanted[row] = 0
        assert np.array_equal(found, wanted)
    tied = nn.ModuleDict({"head": nn.Linear(6, 10, bias=False), "wte": cls(10, 6, padding_idx=4)})
    tied["wte"].weight = tied["head"].weight
    found = filled(tied, "head.weight", vs.Pieces([(..., vs.RandomNormal(0.0, 0.1))], seed=3))
    wanted = init.fold_in("head.weight")((10, 6))
    wanted[4] = 0
    assert np.array_equal(found, wanted), "also where another layer has the name"
