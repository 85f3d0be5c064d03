"""Factories: what they are given, what they make, and what cannot be done while they are read."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

import varscale as vs

READERS = pytest.mark.parametrize(
    "read", [vs.torch.model_of, partial(vs.torch.build, seed=3)], ids=["model_of", "build"]
)
NAMED = [name for name in vs.torch.__all__ if name.endswith("_") and name != "init_"]


def head(body: Any) -> nn.Module:
    """What changes a module that it is given, as peft does."""
    body.fc = nn.Linear(2, 2)
    return nn.Sequential(body)


def looks_at(body: Any) -> nn.Module:
    """What looks at the weights of a module, and copies them."""
    body.copy = body.weight.detach().clone()
    return nn.Sequential(body)


@READERS
def test_modules_of_the_caller_are_refused(read: Callable[..., Any]) -> None:
    """If this fails a module of the caller is left half on the meta device, or its random weights become constants."""
    body = nn.Linear(2, 2)
    with torch.device("meta"):
        meta = nn.Linear(2, 2)
    inside = r"build modules inside the factory, as in `lambda: get_peft_model\("
    for arguments, options in (((body,), {}), (([{"a": body}],), {}), ((), {"body": (body,)})):
        name = "body" if options else "args"
        with pytest.raises(ValueError, match=f"`{name}` must hold no network, got a Linear, .*{inside}"):
            read(head, *arguments, **options)
    assert not hasattr(body, "fc")
    for there in (body, meta):
        message = (
            rf"factory` must make all parameters, got \['0.weight', '0.bias'\], which were not made in it: {inside}"
        )
        for factory in (
            lambda there=there: nn.Sequential(there),
            partial(nn.Sequential, there),
            partial(looks_at, there),
        ):
            with pytest.raises(ValueError, match=message):
                read(factory)
    read(nn.Sequential, nn.ReLU())
    read(lambda: head(nn.Linear(2, 2)))


class Made(nn.Module):
    """Parameters of real memory, made in every way there is."""

    def __init__(self, table: torch.Tensor) -> None:
        super().__init__()
        self.numbers = nn.Parameter(torch.tensor([1.0, 2.0]))
        self.array = nn.Parameter(torch.from_numpy(np.arange(3.0)))
        self.typed = nn.Parameter(torch.FloatTensor([1, 2]))
        self.written = nn.Parameter(torch.arange(3.0).add_(1))
        self.view = nn.Parameter(torch.linspace(0, 1, 5)[1:3])
        self.layer = nn.ParameterList([torch.tensor([3.0, 1.0])])
        self.copied = deepcopy(self.layer)
        self.counted = nn.Parameter(torch.nonzero(torch.ones(3)).double())
        self.embedding = nn.Embedding.from_pretrained(table)
        self.double()


@READERS
def test_parameters_of_real_memory(read: Callable[..., Any]) -> None:
    """If this fails what a factory makes of numbers, or of a table that it is given, counts as the caller's module."""
    table = torch.arange(6.0).view(3, 2)
    expected = Made(table)
    made = read(Made, table)
    values = made.init(1) if isinstance(made, vs.Model) else {k: v.numpy() for k, v in made.state_dict().items()}
    for name, tensor in expected.state_dict().items():
        assert np.array_equal(values[name], tensor.numpy()), name
    with pytest.raises(ValueError, match=r"got \['weight'\], which were not made in it: .*, and pass tensors as arg"):
        read(lambda: nn.Embedding.from_pretrained(table))


def own(seed: int = 0, rules: int = 0, by: int = 0, factory: int = 2, net_or_factory: int = 2) -> nn.Module:
    """A factory with keywords that ours have too."""
    return nn.Linear(factory, net_or_factory + 10 * seed + 100 * rules + 1000 * by)


def test_keywords_of_the_factory() -> None:
    """If this fails a factory has a keyword that nobody can give it, or one that `build` takes for its own."""
    assert vs.torch.model_of(own, factory=3, net_or_factory=4, seed=5)["weight"].shape == (54, 3)
    assert vs.torch.model_of(partial(own, rules=1, by=1))["weight"].shape == (1102, 2)
    assert vs.torch.build(own, factory=3, net_or_factory=4, seed=5).weight.shape == (4, 3)
    net = vs.torch.build(partial(own, seed=5, rules=1), by=1, seed=3)
    assert net.weight.shape == (1152, 2)
    assert torch.equal(net.weight, vs.torch.build(own, seed=3, net_or_factory=1152).weight)


class Lawless(nn.Module):
    """What needs rules, and a norm that follows from a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.order = nn.Parameter(torch.randperm(4).float())
        self.layer = weight_norm(nn.Linear(5, 3))


def test_rules_of_build() -> None:
    """If this fails `build` ignores a rule, or computes from other values than those that the rule gives."""
    rules = [("order", vs.Constant(2.0)), ("*.original1", vs.RandomNormal(0.0, 5.0))]
    net = vs.torch.build(Lawless, seed=3, rules=rules)
    assert (net.order == 2).all()
    parts = net.layer.parametrizations.weight
    assert np.array_equal(
        parts.original1.detach(),
        vs.Model({"layer.parametrizations.weight.original1": ((3, 5), None, rules[1][1])}).init(3).popitem()[1],
    )
    assert torch.allclose(parts.original0[:, 0], parts.original1.norm(dim=1))


@READERS
def test_warnings_of_rules_point_here(read: Callable[..., Any]) -> None:
    """If this fails a warning of a rule that matches nothing shows a line of ours, and not the caller's."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read(nn.Linear, 2, 2, rules=[("none", vs.Zeros()), *vs.default_rules()])
    (warning,) = caught
    assert warning.filename == __file__
    assert "`rules` must match parameters, got [Rule('none', " in str(warning.message)


def filled(functions: Any, **options: Any) -> nn.Module:
    """A network that is filled by all functions of one name or another."""
    net = nn.Module()
    for name in NAMED:
        weight = nn.Parameter(torch.empty((4, 3, 3) if name == "dirac_" else (4, 3)))
        arguments = {"constant_": (2.5,), "sparse_": (0.5,)}.get(name, ())
        drawn = name not in {"constant_", "dirac_", "ones_", "zeros_", "eye_"}
        assert getattr(functions, name)(weight, *arguments, **(options if drawn else {})) is weight
        setattr(net, name, weight)
    return net


@pytest.mark.parametrize("options", [{}, {"seed": 3}, {"generator": torch.Generator()}], ids=["", "seed", "generator"])
def test_our_functions_by_name_are_read(options: dict[str, Any]) -> None:
    """If this fails a network that is written with our functions has other laws than with torch's, such as zeros."""
    state = torch.get_rng_state()
    model = vs.torch.model_of(filled, vs.torch, **options)
    assert model == vs.torch.model_of(filled, nn.init)
    built = vs.torch.build(partial(filled, vs.torch, **options), seed=7).state_dict()
    assert all(np.array_equal(built[name], values) for name, values in model.init(7).items())
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(ValueError, match="`std` must be"):
        vs.torch.model_of(lambda: vs.torch.normal_(torch.empty(3), std=-1))


@READERS
def test_what_would_be_lost_is_refused(read: Callable[..., Any]) -> None:
    """If this fails what a network's code fills by our functions is gone, and nobody says so."""
    method = vs.torch.init_method(vs.lecun_normal(), 5)
    for name, function in (
        ("init_", lambda: vs.torch.init_(nn.Linear(2, 2), vs.lecun_normal(), 5)),
        ("init_", lambda: method(torch.empty(2, 2))),
        ("init_", lambda: method.for_name("w")(torch.empty(2, 2))),
        ("build", lambda: vs.torch.build(nn.Linear, 2, 2, seed=1)),
    ):
        with pytest.raises(ValueError, match=f"`{name}` must not be called by the code of a network that"):
            read(function)
    models = []
    read(lambda: models.append(vs.torch.model_of(nn.Linear, 2, 2)) or nn.Linear(2, 2))
    assert models == [vs.torch.model_of(nn.Linear, 2, 2)], "what fills nothing"


def looks() -> nn.Module:
    """A factory that looks at what is random."""
    return nn.Linear(2, int(torch.rand(()) * 9) + 1)  # this line


def test_errors_name_the_argument() -> None:
    """If this fails an error speaks of an argument that the function does not have."""
    for function, wrong, kind, message in (
        (vs.torch.build, 3, TypeError, "`factory` must be a function that builds a module, got 3"),
        (vs.torch.build, nn.Linear(2, 2), TypeError, "`factory` must be a function that builds a module, got Linear"),
        (vs.torch.build, lambda: 3, TypeError, "`factory` must build a module, got 3"),
        (vs.torch.build, looks, ValueError, "`factory` must not look at random values, which .*, got Uniform"),
        (vs.torch.model_of, 3, TypeError, "`net_or_factory` must be a module or a function that builds one, got 3"),
        (vs.torch.model_of, lambda: 3, TypeError, "`net_or_factory` must build a module, got 3"),
        (
            vs.torch.model_of,
            looks,
            ValueError,
            "`net_or_factory` must not look at random values, which .*, got Uniform",
        ),
    ):
        with pytest.raises(kind, match=f"^{message}"):
            function(wrong)
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.endswith("# this line"))
    for function in (vs.torch.build, vs.torch.model_of):
        with pytest.raises(ValueError, match=rf"{Path(__file__).name}', line {line}: build the network without"):
            function(looks)
    with pytest.raises(
        ValueError, match=r"^`by` must not look at random values, which are not drawn yet, got aten.sum"
    ):
        vs.torch.model_of(nn.Linear(2, 2), by=lambda net: net.weight.normal_().sum().item())
