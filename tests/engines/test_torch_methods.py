"""Init methods: one function for one tensor after another, each with a stream of its own."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import nn

import varscale as vs

INIT = vs.RandomNormal(0.0, 0.02, seed=7)


def made(init: Any, shape: tuple[int, ...] = (6, 4)) -> torch.Tensor:
    return vs.torch.init_(torch.empty(shape), init)


def test_every_call_has_its_own_stream() -> None:
    """If this fails all layers of a network start alike."""
    method = vs.torch.init_method(INIT)
    tensor = torch.empty(6, 4)
    assert method(tensor) is tensor
    assert torch.equal(tensor, made(INIT.fold_in(0)))
    assert torch.equal(method(torch.empty(6, 4)), made(INIT.fold_in(1)))
    assert torch.equal(method(torch.empty(3, dtype=torch.bfloat16)), made(INIT.fold_in(2), (3,)).bfloat16())
    again = vs.torch.init_method(vs.RandomNormal(0.0, 0.02), 7)
    assert torch.equal(again(torch.empty(6, 4)), made(INIT.fold_in(0)))


def test_names_are_those_of_modules() -> None:
    """If this fails a tensor that has a name depends on the order of the calls."""
    method = vs.torch.init_method(vs.lecun_normal(7).fold_in("net"))
    head = method.for_name("head.weight")
    method(torch.empty(5, 8))
    module = vs.torch.init_(nn.ModuleDict({"head": nn.Linear(8, 5)}), vs.lecun_normal(7).fold_in("net"))
    for _ in range(2):
        assert torch.equal(head(torch.empty(5, 8)), module["head"].weight)
    assert not torch.equal(
        method.for_name("0")(torch.empty(5, 8)), vs.torch.init_method(method.init)(torch.empty(5, 8))
    )


@dataclass
class Config:
    """As Megatron's, which is copied for some layers."""

    init_method: Any


def test_copies_count_on() -> None:
    """If this fails a config that is copied for each layer makes the layers alike."""
    method = vs.torch.init_method(INIT)
    configs = [Config(method), copy.deepcopy(Config(method)), replace(Config(method)), copy.copy(Config(method))]
    found = [config.init_method(torch.empty(6, 4)) for config in configs]
    assert all(torch.equal(tensor, made(INIT.fold_in(number))) for number, tensor in enumerate(found))
    assert copy.copy(method) is method
    with pytest.raises(TypeError, match="an `init_method` has no pickle"):
        pickle.dumps(method)


def test_what_has_no_memory_is_not_counted() -> None:
    """If this fails a network that was built on the meta device first starts with other weights."""
    method = vs.torch.init_method(INIT)
    meta = torch.empty(6, 4, device="meta")
    assert method(meta) is meta
    assert method.for_name("a")(meta) is meta
    assert torch.equal(method(torch.empty(6, 4)), made(INIT.fold_in(0)))


def test_a_method_needs_a_seed() -> None:
    """If this fails each process draws from tensors of its own, and nobody is told."""
    with pytest.raises(ValueError, match="an initializer must have a seed where several processes"):
        vs.torch.init_method(vs.RandomNormal(0.0, 0.02))
    with pytest.raises(TypeError, match="`init` must be one of varscale's own initializers"):
        vs.torch.init_method(torch.nn.init.normal_, 7)
    assert repr(vs.torch.init_method(INIT)) == f"init_method({INIT!r})"
