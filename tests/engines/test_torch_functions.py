"""torch.nn.init by name: the same arguments, results and laws, from varscale's streams."""

from __future__ import annotations

import inspect
import pickle
from functools import partial
from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

import varscale as vs

DRAWN = (
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
)
MATRICES = ("orthogonal_", "sparse_")
FIXED = ("constant_", "dirac_", "eye_", "ones_", "zeros_")
SHAPE = (300, 200, 3)
IN, OUT = 600, 900  # the fans
CALLS: list[tuple[str, dict[str, Any], Any]] = [
    # a function, its arguments, and the initializer that it stands for
    ("uniform_", {}, vs.RandomUniform(0.0, 1.0)),
    ("uniform_", {"a": -3, "b": 0.5}, vs.RandomUniform(-3.0, 0.5)),
    ("normal_", {}, vs.RandomNormal(0.0, 1.0)),
    ("normal_", {"mean": 2, "std": 0.02}, vs.RandomNormal(2.0, 0.02)),
    ("trunc_normal_", {}, vs.TruncatedNormal(0.0, 1.0)),
    ("trunc_normal_", {"std": 0.02}, vs.TruncatedNormal(0.0, 0.02, lower=-100, upper=100)),
    ("trunc_normal_", {"mean": 0.5, "std": 2, "a": 0, "b": 0.75}, vs.TruncatedNormal(0.5, 2, lower=-0.25, upper=0.125)),
    ("xavier_uniform_", {}, vs.RandomUniform(-sqrt(6 / (IN + OUT)), sqrt(6 / (IN + OUT)))),
    ("xavier_normal_", {"gain": 5 / 3}, vs.RandomNormal(0.0, 5 / 3 * sqrt(2 / (IN + OUT)))),
    ("xavier_normal_", {"gain": 0}, vs.Zeros()),
    ("kaiming_uniform_", {"a": sqrt(5)}, vs.RandomUniform(-1 / sqrt(IN), 1 / sqrt(IN))),
    (
        "kaiming_uniform_",
        {"mode": "fan_out", "nonlinearity": "linear"},
        vs.RandomUniform(-sqrt(3 / OUT), sqrt(3 / OUT)),
    ),
    ("kaiming_normal_", {}, vs.RandomNormal(0.0, sqrt(2 / IN))),
    ("kaiming_normal_", {"mode": "FAN_OUT", "nonlinearity": "relu"}, vs.RandomNormal(0.0, sqrt(2 / OUT))),
    ("kaiming_normal_", {"nonlinearity": "leaky_relu", "a": 1}, vs.RandomNormal(0.0, sqrt(1 / IN))),
]


def call(name: str, arguments: dict[str, Any], **options: Any) -> torch.Tensor:
    return getattr(vs.torch, name)(torch.empty(SHAPE), **arguments, **options)


def test_signatures_are_those_of_torch() -> None:
    """If this fails code that is written for torch.nn.init does not run, or an argument has another place."""
    for name in (*DRAWN, *MATRICES, *FIXED, "calculate_gain"):
        theirs = [(p.name, p.default, p.kind) for p in inspect.signature(getattr(nn.init, name)).parameters.values()]
        ours = [(p.name, p.default, p.kind) for p in inspect.signature(getattr(vs.torch, name)).parameters.values()]
        extra = [("seed", None, inspect.Parameter.KEYWORD_ONLY)] if name in DRAWN + MATRICES else []
        assert ours == theirs + extra, name
        assert len(getattr(vs.torch, name).__doc__) > 60
    assert vs.torch.calculate_gain is nn.init.calculate_gain
    assert {*DRAWN, *MATRICES, *FIXED, "calculate_gain", "init_", "init_method"} <= {*vs.torch.__all__}
    assert sorted(vs.torch.__all__) == [*vs.torch.__all__]
    assert {getattr(vs.torch, name).__module__ for name in vs.torch.__all__} == {"varscale.torch", "torch.nn.init"}
    assert pickle.loads(pickle.dumps(vs.torch.normal_)) is vs.torch.normal_


@pytest.mark.parametrize(("name", "arguments", "init"), CALLS, ids=str)
def test_values_are_those_of_the_initializer(name: str, arguments: dict[str, Any], init: Any) -> None:
    """If this fails a function draws from another law, or from another stream."""
    wanted = init._with_seed(7)(SHAPE)
    tensor = torch.empty(SHAPE)
    assert getattr(vs.torch, name)(tensor, **arguments, seed=7) is tensor
    assert np.allclose(tensor.numpy(), wanted, rtol=1e-6, atol=0)
    for dtype in (torch.bfloat16, torch.float16):
        short = getattr(vs.torch, name)(torch.empty(SHAPE, dtype=dtype), **arguments, seed=7)
        assert torch.equal(short, tensor.to(dtype)), "float32 values, rounded once"


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (8, 5, 3, 3)])
def test_matrices_are_those_of_the_initializer(shape: tuple[int, ...]) -> None:
    """If this fails a matrix lies across the tensor, draws from another stream, or is not what torch makes."""
    tensor = torch.empty(shape)
    assert vs.torch.orthogonal_(tensor, 1.5, seed=7) is tensor
    assert torch.equal(tensor, torch.from_numpy(vs.Orthogonal(1.5, 7, axis=0)(shape)))
    ours, theirs = tensor.flatten(1).double(), nn.init.orthogonal_(torch.empty(shape), 1.5).flatten(1).double()
    assert torch.allclose(torch.linalg.svdvals(ours), torch.linalg.svdvals(theirs), atol=1e-5)
    short = vs.torch.orthogonal_(torch.empty(shape, dtype=torch.bfloat16), 1.5, seed=7)
    assert torch.equal(short, tensor.bfloat16())
    if len(shape) == 2:
        sparse = vs.torch.sparse_(torch.empty(shape), 0.3, 2.0, seed=7)
        assert torch.equal(sparse, torch.from_numpy(vs.Sparse(0.3, 2.0, 7)(shape)))
        again = [vs.torch.sparse_(torch.empty(shape), 0.3, generator=torch.Generator().manual_seed(3)) for _ in "ab"]
        assert torch.equal(*again), "the generator tells the zeros, too"
    else:
        assert torch.equal(vs.torch.dirac_(torch.empty(shape), 2), nn.init.dirac_(torch.empty(shape), 2))
    with pytest.raises(ValueError, match="`tensor` must have two dimensions or more"):
        vs.torch.orthogonal_(torch.empty(3))
    with pytest.raises(ValueError, match="`tensor` must have two dimensions, got"):
        vs.torch.sparse_(torch.empty(3), 0.5)
    with pytest.raises(ValueError, match="`tensor` must have three to five dimensions"):
        vs.torch.dirac_(torch.empty(3, 3))


@pytest.mark.parametrize(("name", "arguments", "init"), CALLS, ids=str)
def test_the_law_is_that_of_torch(name: str, arguments: dict[str, Any], init: Any) -> None:
    """If this fails weights have another mean, scale or reach than after torch.nn.init."""
    torch.manual_seed(1)
    theirs = getattr(nn.init, name)(torch.empty(SHAPE), **arguments).double()
    ours = call(name, arguments, seed=7).double()
    n, std = ours.numel(), theirs.std().item()
    if std == 0:
        assert torch.equal(ours, theirs)
        return
    assert abs(ours.mean() - theirs.mean()) < 5 * std * sqrt(2 / n)
    assert abs(ours.std() / std - 1) < 5 * sqrt(2 / n)
    for quantile in (0.05, 0.5, 0.95):
        share = (ours < theirs.flatten().kthvalue(int(quantile * n)).values).double().mean()
        assert abs(share - quantile) < 5 * sqrt(2 * quantile * (1 - quantile) / n)


def test_the_generator_is_the_seed() -> None:
    """If this fails weights do not repeat after `torch.manual_seed`, or two tensors are alike."""
    torch.manual_seed(3)
    first, second = call("normal_", {}), call("normal_", {})
    assert not (first == second).any()
    torch.manual_seed(3)
    with torch.device("meta"):  # the default device is no matter of the generator
        again = vs.torch.normal_(torch.empty(SHAPE, device="cpu"))
    assert torch.equal(again, first)
    generator = torch.Generator().manual_seed(3)
    state = torch.get_rng_state()
    assert torch.equal(call("normal_", {}, generator=generator), first)
    assert torch.equal(vs.torch.normal_(torch.empty(SHAPE), 0.0, 1.0, generator), second)
    assert torch.equal(torch.get_rng_state(), state), "a generator of one's own leaves the global one alone"
    torch.manual_seed(4)
    assert not (call("normal_", {}) == first).any()
    assert torch.equal(call("normal_", {}, seed=5), call("normal_", {}, seed=5)), "a seed repeats"


def test_all_64_bits_of_the_generator_count() -> None:
    """If this fails seeds are alike once in a while."""
    drawn = [vs.torch._functions._drawn(torch.Generator().manual_seed(seed)) for seed in range(200)]
    words = np.array(drawn, np.int64).view(np.uint64)
    ones = [int((words >> np.uint64(bit) & np.uint64(1)).sum()) for bit in range(64)]
    assert min(ones) > 60
    assert max(ones) < 140


def test_nothing_is_drawn_where_there_is_no_memory() -> None:
    """If this fails `reset_parameters` of a layer written with these functions cannot run on the meta device."""

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.empty(4, 4))
            self.reset_parameters()

        def reset_parameters(self) -> None:
            vs.torch.kaiming_uniform_(self.weight, a=sqrt(5))
            for name in (*DRAWN, "eye_", "ones_", "zeros_"):
                assert getattr(vs.torch, name)(self.weight) is self.weight
            assert vs.torch.constant_(self.weight, 0.5) is self.weight

    torch.manual_seed(3)
    state = torch.get_rng_state()
    with torch.device("meta"):
        layer = Layer()
    with FakeTensorMode():
        Layer()
    assert torch.equal(torch.get_rng_state(), state)
    layer.to_empty(device="cpu").reset_parameters()
    assert (layer.weight == 0.5).all()
    with FakeTensorMode():
        fake = torch.empty(3, 3)
    with pytest.raises(ValueError, match="`target` must have memory, got a fake tensor"):
        vs.torch.init_(fake, vs.lecun_normal(7))


def test_constants() -> None:
    """If this fails a constant is another one."""
    for dtype in (torch.float32, torch.bfloat16):
        matrix = torch.empty(3, 5, dtype=dtype)
        assert torch.equal(vs.torch.eye_(matrix), torch.eye(3, 5, dtype=dtype))
        assert vs.torch.ones_(matrix).eq(1).all()
        assert vs.torch.zeros_(matrix).eq(0).all()
        assert vs.torch.constant_(matrix, 0.5).eq(0.5).all()
    assert torch.equal(vs.torch.eye_(nn.Parameter(torch.empty(5, 3))), torch.eye(5, 3))
    with pytest.raises(ValueError, match=r"`tensor` must have two dimensions, got the shape \(3,\)"):
        vs.torch.eye_(torch.empty(3))


def test_views_and_empty_tensors() -> None:
    """If this fails (in, out) weights have no way in, or an empty tensor is an error."""
    weight = torch.empty(30, 20)
    vs.torch.kaiming_normal_(weight.T, mode="fan_out", seed=7)
    assert np.allclose(weight.T.numpy(), vs.RandomNormal(0.0, sqrt(2 / 20), 7)((20, 30)), rtol=1e-6)
    for name in DRAWN:
        for shape in ((0, 3), (3, 0), (0, 0)):
            assert getattr(vs.torch, name)(torch.empty(shape), seed=7).shape == shape


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (
            partial(vs.torch.normal_, torch.empty(3), std=-1.0),
            ValueError,
            "`std` must be a finite number that is not neg",
        ),
        (partial(vs.torch.uniform_, torch.empty(3), 2, 1), ValueError, "`a` must not be greater than `b`, got 2 and 1"),
        (partial(vs.torch.trunc_normal_, torch.empty(3), std=0), ValueError, "`std` must be a positive, finite number"),
        (
            partial(vs.torch.trunc_normal_, torch.empty(3), a=2, b=2),
            ValueError,
            "`a` must be less than `b`, got 2 and 2",
        ),
        (partial(vs.torch.xavier_normal_, torch.empty(3)), ValueError, "`tensor` must have two dimensions or more"),
        (partial(vs.torch.xavier_normal_, torch.empty(3, 3), -1), ValueError, "`gain` must be a finite number that"),
        (
            partial(vs.torch.kaiming_normal_, torch.empty(3, 3), mode="avg"),
            ValueError,
            "`mode` must be one of 'fan_in', ",
        ),
        (
            partial(vs.torch.kaiming_normal_, torch.empty(3, 3), nonlinearity="x"),
            ValueError,
            "Unsupported nonlinearity x",
        ),
        (partial(vs.torch.normal_, nn.Linear(3, 3)), TypeError, "`tensor` must be a tensor, got Linear"),
        (partial(vs.torch.xavier_normal_, nn.Linear(3, 3)), TypeError, "`tensor` must be a tensor, got Linear"),
        (partial(vs.torch.eye_, [[1.0]]), TypeError, r"`tensor` must be a tensor, got \[\["),
        (
            partial(vs.torch.normal_, torch.empty(3), generator=7),
            TypeError,
            "`generator` must be a torch.Generator or N",
        ),
        (partial(vs.torch.normal_, torch.empty(3), seed="7"), TypeError, "`seed` must be an integer"),
        (
            partial(vs.torch.normal_, torch.empty(3, dtype=torch.int8)),
            ValueError,
            "must be a floating-point or complex dtype",
        ),
        (
            partial(vs.torch.normal_, torch.empty(3), generator=torch.Generator(), seed=7),
            ValueError,
            "`seed` must be None where `generator` is given",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_arguments(function: Any, error: type[Exception], message: str) -> None:
    """If this fails a mistake is not named in the words of the function."""
    with pytest.raises(error, match=message):
        function()
