"""A part of a module: patterns of names choose it, and its values are those of the whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import varscale as vs

INIT = vs.lecun_normal(7)


def network() -> nn.ModuleDict:
    """A body with statistics, and a head."""
    body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ConvTranspose2d(8, 4, 3, groups=2))
    return nn.ModuleDict({"body": body, "head": nn.Linear(8, 5)})


def state(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


WHOLE = state(vs.torch.init_(network(), INIT))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"names": "head.*"}, {"head.weight", "head.bias"}),
        ({"names": ["head.bias", "body.0.*"]}, {"head.bias", "body.0.weight", "body.0.bias"}),
        ({"names": "*.running_*"}, {"body.1.running_mean", "body.1.running_var"}),
        ({"names": "body.[02].weight"}, {"body.0.weight", "body.2.weight"}),
        ({"names": []}, set()),
        ({"names": "head.*", "keep": "*.bias"}, {"head.weight"}),
        ({"keep": "body.*"}, {"head.weight", "head.bias"}),
        ({"keep": (name for name in WHOLE if "head" in name)}, {name for name in WHOLE if "head" not in name}),
    ],
    ids=str,
)
def test_the_bits_are_those_of_the_whole(options: Any, expected: set[str]) -> None:
    """If this fails a new head differs from the one that the whole network would have, or the body is touched."""
    module = network()
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.fill_(3)
    vs.torch.init_(module, INIT, **options)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, WHOLE[name]) == (name in expected), name
        assert (tensor == 3).all() == (name not in expected), name


def test_missing_keys() -> None:
    """If this fails what a checkpoint lacks cannot be filled."""
    module = network()
    body = {name: torch.full_like(tensor, 5) for name, tensor in WHOLE.items() if name.startswith("body")}
    missing = module.load_state_dict(body, strict=False).missing_keys
    assert missing == ["head.weight", "head.bias"]
    vs.torch.init_(module, INIT, names=missing)
    assert torch.equal(module["head"].weight, WHOLE["head.weight"])
    assert (module["body"][0].weight == 5).all()


def test_a_part_of_a_model() -> None:
    """If this fails a model must have what nobody fills."""
    module = network()
    shapes = {"head.weight": (5, 8), "head.bias": (5,), "another.bias": (3,)}
    model = vs.Model({name: (shape, None, vs.RandomNormal()) for name, shape in shapes.items()})
    before = module["body"][0].weight.clone()
    vs.torch.init_(module, model, 3, names="head.*")
    assert torch.equal(module["head"].weight, torch.from_numpy(model.init(3)["head.weight"]))
    assert torch.equal(module["body"][0].weight, before)
    with pytest.raises(
        ValueError, match=r"lacks \['body.0.weight', 'body.0.bias', 'body.1.weight', .*'body.2.bias'\]$"
    ):
        vs.torch.init_(module, model, 3)


def test_only_the_part_is_checked() -> None:
    """If this fails a head cannot be filled while the body is on the meta device, or is no layer of torch."""
    module = nn.ModuleDict({"body": nn.Linear(3, 8, device="meta"), "head": nn.Linear(8, 5), "lazy": nn.LazyLinear(3)})
    module["body"].scale = nn.Parameter(torch.ones(3))
    vs.torch.init_(module, INIT, names="head.*")
    assert torch.equal(module["head"].weight, WHOLE["head.weight"])
    with pytest.raises(ValueError, match=r"parameter 'body.weight' must have memory"):
        vs.torch.init_(module, INIT, names="body.*")
    with pytest.raises(ValueError, match=r"parameter 'lazy.weight' must have a shape"):
        vs.torch.init_(module, INIT, names=["head.*", "lazy.*"])
    with pytest.raises(ValueError, match=r"no weight, has \['body.scale'\]"):
        vs.torch.init_(module, INIT, names="body.s*")


def test_a_tied_parameter_goes_by_any_of_its_names() -> None:
    """If this fails the name of a tied parameter is one that nobody finds, or its bits depend on the name asked for."""
    module = nn.ModuleDict({"wte": nn.Embedding(20, 8), "head": nn.Linear(8, 20, bias=False)})
    module["head"].weight = module["wte"].weight
    whole = vs.torch.init_(module, INIT)["wte"].weight.clone()
    for options in ({"names": "head.weight"}, {"names": "wte.*"}):
        nn.init.zeros_(module["head"].weight)
        vs.torch.init_(module, INIT, **options)
        assert torch.equal(module["wte"].weight, whole)
    nn.init.zeros_(module["head"].weight)
    vs.torch.init_(module, INIT, keep="head.*")
    assert not module["wte"].weight.any()


@pytest.mark.parametrize("argument", ["names", "keep"])
def test_patterns_that_are_none(argument: str) -> None:
    """If this fails a misspelt pattern fills nothing, or everything, in silence."""
    for patterns in ("hed.*", ["head.*", "hed.*"]):
        message = f"`{argument}` must match parameters or buffers of the module, got 'hed.\\*', which matches none"
        with pytest.raises(ValueError, match=message):
            vs.torch.init_(network(), INIT, **{argument: patterns})
    for patterns in (3, [3], b"head.*"):
        with pytest.raises(TypeError, match=f"`{argument}` must be a pattern of names, or a collection of them"):
            vs.torch.init_(network(), INIT, **{argument: patterns})
    for options in ({argument: "weight"}, {"everything": True}):
        with pytest.raises(TypeError, match="`names`, `keep` and `everything` are for modules"):
            vs.torch.init_(torch.empty(3, 3), INIT, **options)
