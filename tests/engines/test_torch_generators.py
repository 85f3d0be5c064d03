"""Generators that the record does not see, of NumPy, Python and other threads: what they drew is no law."""

from __future__ import annotations

import random
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs


class Foreign(nn.Module):
    """Weights that NumPy and Python drew."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("before", torch.linspace(0, 1, 3))
        self.order = nn.Parameter(torch.from_numpy(np.random.permutation(3)), requires_grad=False)
        self.whole = nn.Parameter(torch.from_numpy(np.random.randn(3)))
        self.copied = nn.Parameter(torch.empty(3))
        with torch.no_grad():
            self.copied.copy_(torch.tensor([random.random() for _ in range(3)]))


def mixed() -> nn.Module:
    """A layer, and a parameter that NumPy drew."""
    net = nn.Linear(2, 2)
    net.mix = nn.Parameter(torch.tensor(np.random.rand(3)))
    return net


def test_other_generators_are_noticed() -> None:
    """If this fails weights that NumPy drew become constants, which are the same for every seed."""
    names = ("order", "whole", "copied")
    for read in (vs.torch.model_of, vs.torch.build):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the error has said it, and a rule settles it
            with pytest.raises(ValueError, match="3 of 4 tensors") as caught:
                read(Foreign)
            assert all(f"'{name}' (3,): a generator of NumPy or Python" in str(caught.value) for name in names)
            read(Foreign, rules=[(name, vs.Zeros()) for name in names])
            read(mixed, rules=[("mix", vs.Zeros())])


def scale(net: nn.Module) -> nn.Module:
    """Fills with a number of Python's, which nothing tells from others."""
    for parameter in net.parameters():
        nn.init.constant_(parameter, random.random())
    return net


@pytest.mark.parametrize(
    "read",
    [
        lambda: vs.torch.model_of(lambda: scale(nn.Linear(3, 3))),
        lambda: vs.torch.build(lambda: scale(nn.Linear(3, 3))),
        lambda: vs.torch.model_of(nn.Linear(3, 3), by=scale),
    ],
)
def test_numbers_of_other_generators_are_warned_of(read: Any) -> None:
    """If this fails a number that Python drew becomes a constant, and nobody is told; or a line of ours is shown."""
    with pytest.warns(UserWarning, match="moved while the network was built: numbers that its code took") as caught:
        read()
    assert caught[0].filename == __file__


def threads() -> nn.Module:
    """Layers that other threads make."""
    with ThreadPoolExecutor(2) as pool:
        return nn.Sequential(*pool.map(lambda _: nn.Linear(3, 3), range(2)))


def test_what_other_threads_draw_is_noticed() -> None:
    """If this fails layers that are made in threads, which nobody watches, have torch's own numbers as constants."""
    with pytest.raises(ValueError, match=r"4 of 4 tensors.*\n.*or of another thread"):
        vs.torch.model_of(threads)
