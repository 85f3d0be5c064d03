"""Plain tensors: filled where they are, whatever their dtype, strides, device and place in autograd."""

from __future__ import annotations

import doctest

import ml_dtypes
import numpy as np
import pytest
import torch

import varscale as vs

INIT = vs.lecun_normal(7)
TORCH = vs.lecun_normal(7, in_axis=1, out_axis=0)  # what PyTorch's layout makes of it
WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def raw(tensor: torch.Tensor) -> bytes:
    """The values in C order."""
    plain = tensor.detach().resolve_neg().resolve_conj().contiguous()
    return plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_fills_in_place(dtype: str) -> None:
    """If this fails torch gets other values than NumPy, or a copy."""
    tensor = torch.empty(300, 200, dtype=getattr(torch, dtype))
    pointer, version = tensor.data_ptr(), tensor._version
    assert vs.torch.init_(tensor, INIT) is tensor
    assert tensor.data_ptr() == pointer
    assert tensor._version == version + 1
    assert raw(tensor) == TORCH((300, 200), dtype).tobytes()


def test_takes_no_memory_of_its_own() -> None:
    """If this fails a tensor is made beside the one that is filled."""
    made = []
    new = vs._filling.arrays.new_array
    try:
        vs._filling.fill.new_array = lambda *arguments: made.append(arguments) or new(*arguments)
        vs.torch.init_(torch.empty(1000, 1000, dtype=torch.bfloat16), INIT)
        assert not made
        INIT((2, 2))
        assert made, "or this test sees nothing"
    finally:
        vs._filling.fill.new_array = new


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_any_strides(dtype: torch.dtype) -> None:
    """If this fails transposed, cut or channels-last tensors hold values in other places."""
    name = str(dtype).removeprefix("torch.")
    base = torch.zeros(40, 60, dtype=dtype)
    for view in (base.T, base[::3, 5:], base[:, 7], base.as_strided((5, 4), (1, 9))):
        base.zero_()
        vs.torch.init_(view, INIT)
        assert raw(view) == (TORCH if view.ndim > 1 else INIT)(tuple(view.shape), name).tobytes()
        assert base.count_nonzero() <= view.numel()
    image = torch.empty(8, 3, 5, 5, dtype=dtype).to(memory_format=torch.channels_last)
    assert raw(vs.torch.init_(image, INIT)) == TORCH((8, 3, 5, 5), name).tobytes()
    for shape in ((), (0, 3), (1,)):
        tensor = vs.torch.init_(torch.empty(shape, dtype=dtype), INIT)
        assert raw(tensor) == (TORCH if len(shape) > 1 else INIT)(shape, name).tobytes()


def test_parameters_that_require_gradients() -> None:
    """If this fails a parameter cannot be filled, or autograd uses values that are gone."""
    parameter = torch.nn.Parameter(torch.ones(6, 7))
    assert vs.torch.init_(parameter, INIT) is parameter
    assert parameter.is_leaf
    assert parameter.requires_grad
    assert parameter.grad_fn is None
    loss = (parameter**2).sum()
    vs.torch.init_(parameter, INIT, seed=8)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    (parameter**2).sum().backward()
    assert np.array_equal(parameter.grad.numpy(), 2 * TORCH._with_seed(8)((6, 7)))


def test_tensors_out_of_numpys_reach_get_a_copy() -> None:
    """If this fails what `copy_` must fill, on a GPU say, gets other values; this one is lazily negated."""
    for dtype, name in ((torch.complex64, "float32"), (torch.complex128, "float64")):
        tensor = torch.zeros(6, 7, dtype=dtype).conj().imag
        assert tensor.is_neg()
        version = tensor._version
        vs.torch.init_(tensor, INIT)
        assert tensor.is_neg()
        assert tensor._version > version
        assert raw(tensor) == TORCH((6, 7), name).tobytes()


def test_inference_tensors() -> None:
    """If this fails weights cannot be made under `inference_mode`."""
    with torch.inference_mode():
        tensor = vs.torch.init_(torch.empty(6, 7), INIT)
    assert raw(tensor) == TORCH((6, 7)).tobytes()


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "bool", "complex64", "float8_e4m3fn", "float8_e5m2"])
def test_constants_in_any_dtype(dtype: str) -> None:
    """If this fails zeros and ones are for floating-point tensors only."""
    tensor = vs.torch.init_(torch.zeros(3, 2, dtype=getattr(torch, dtype)), vs.Ones())
    assert raw(tensor) == np.ones((3, 2), getattr(ml_dtypes, dtype, dtype)).tobytes()


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "float8_e4m3fn", "float8_e5m2"])
def test_complex_and_float8_tensors(dtype: str) -> None:
    """If this fails such a tensor has other values than an array, or a conjugated view has their conjugates."""
    expected, kind = TORCH((12, 20), dtype), getattr(torch, dtype)
    assert raw(vs.torch.init_(torch.empty(12, 20, dtype=kind), INIT)) == expected.tobytes()
    apart = torch.zeros(20, 24, dtype=kind).t()[::2]
    assert raw(vs.torch.init_(apart, INIT).contiguous()) == expected.tobytes()
    if kind.is_complex:
        assert raw(vs.torch.init_(torch.empty(12, 20, dtype=kind).conj(), INIT).resolve_conj()) == expected.tobytes()
    module = torch.nn.Linear(20, 12, bias=False)
    module.weight = torch.nn.Parameter(torch.empty(12, 20, dtype=kind), requires_grad=False)
    vs.torch.init_(module, INIT)
    assert raw(module.weight) == TORCH.fold_in("weight")((12, 20), dtype).tobytes()


@pytest.mark.parametrize("shape", [(7, 5), (8, 3, 5), (16, 4, 3, 3), (6, 5, 4, 3, 2), (1, 9), (9, 1)])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_fans_are_those_of_torch(shape: tuple[int, ...], mode: str) -> None:
    """If this fails weights have the scale of their transposes."""
    fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    init = vs.VarianceScaling(2.0, mode, "untruncated_normal", 3)
    expected = vs.RandomNormal(0.0, (2.0 / n) ** 0.5, 3)
    assert raw(vs.torch.init_(torch.empty(shape), init)) == expected(shape).tobytes()


def test_axes_that_are_given_stay() -> None:
    """If this fails transposed convolutions and stacked experts get fans that nobody asked for."""
    for init in (vs.he_normal(1, in_axis=0, out_axis=1), vs.he_normal(1, in_axis=-1, out_axis=-2, batch_axis=0)):
        assert raw(vs.torch.init_(torch.empty(4, 6, 3), init)) == init((4, 6, 3)).tobytes()
    assert raw(vs.torch.init_(torch.empty(9), INIT)) == INIT((9,)).tobytes(), "a vector's fans are (n, n)"


def test_the_initializer_itself_keeps_its_axes() -> None:
    """If this fails filling a tensor changes what the initializer makes elsewhere, or is changed by it."""
    init = vs.lecun_normal(5)
    before = init((6, 9)).tobytes()
    assert raw(vs.torch.init_(torch.empty(6, 9), init)) == vs.lecun_normal(5, in_axis=1, out_axis=0)((6, 9)).tobytes()
    assert init((6, 9)).tobytes() == before


def test_seeds() -> None:
    """If this fails `seed` does not do what is said: replace the initializer's own, or keep it where it is None."""
    assert raw(vs.torch.init_(torch.empty(5, 6), INIT)) == raw(vs.torch.init_(torch.empty(5, 6), INIT, None))
    folded = vs.lecun_normal().fold_in("a", 1)
    seeded = vs.lecun_normal(9, in_axis=1, out_axis=0).fold_in("a", 1)((5, 6)).tobytes()
    assert raw(vs.torch.init_(torch.empty(5, 6), folded, 9)) == seeded
    assert raw(vs.torch.init_(torch.empty(5, 6), vs.lecun_normal(3).fold_in("a", 1), 9)) == seeded
    unseeded = [raw(vs.torch.init_(torch.empty(5, 6), vs.lecun_normal())) for _ in range(2)]
    assert unseeded[0] != unseeded[1]


def test_lazy_tensors() -> None:
    """If this fails a tensor cannot be filled with one parameter of a model."""
    lazy = vs.Model({"mlp.weight": (8, 32)}, layout="torch").lazy(3)["mlp.weight"]
    assert raw(vs.torch.init_(torch.empty(8, 32), lazy)) == lazy[...].tobytes()
    for target, message in (
        (torch.empty(32, 8), r"`shape` must be that of the lazy tensor, \(8, 32\)"),
        (torch.empty(8, 32, dtype=torch.float64), "`dtype` must be that of the lazy tensor, 'float32'"),
    ):
        with pytest.raises(ValueError, match=message):
            vs.torch.init_(target, lazy)
    with pytest.raises(ValueError, match="`seed` must be None for a lazy tensor"):
        vs.torch.init_(torch.empty(8, 32), lazy, 1)


@pytest.mark.parametrize(
    ("target", "init", "error", "message"),
    [
        (torch.empty(3, 3, device="meta"), INIT, ValueError, "`target` must have memory, got a meta tensor.*to_empty"),
        (
            torch.empty(1, 3).expand(3, 3),
            INIT,
            ValueError,
            r"`target` must not overlap itself, got the strides \(0, 1\)",
        ),
        (torch.empty(3, 3).to_sparse(), INIT, TypeError, "`target` must be a strided tensor, got the layout"),
        (torch.empty(3, 3, dtype=torch.int8), INIT, ValueError, "`dtype` must be a floating-point or complex"),
        (torch.empty(3, 3, dtype=torch.float8_e5m2fnuz), INIT, ValueError, "`dtype` must be a floating-point"),
        (np.empty((3, 3)), INIT, TypeError, "`target` must be a tensor or a module"),
        (
            torch.empty(3, 3),
            torch.nn.init.ones_,
            TypeError,
            "`init_or_model` must be one of varscale's own initializers",
        ),
        (torch.empty(3, 3), "zeros", TypeError, "or a lazy tensor, got 'zeros': `varscale.get` makes an initializer"),
        (torch.nn.Linear(3, 3), "zeros", TypeError, "or a `varscale.Model`, got 'zeros': `varscale.get` makes an"),
        (torch.empty(3, 3), vs.Model({"w": (3, 3)}), TypeError, "`target` must be a module for a model"),
        (torch.nn.parameter.UninitializedParameter(), INIT, ValueError, "`target` must have a shape"),
    ],
    ids=str,
)
def test_bad_arguments(target: object, init: object, error: type[Exception], message: str) -> None:
    """If this fails a mistake writes somewhere, or is not named."""
    with pytest.raises(error, match=message):
        vs.torch.init_(target, init)
    with pytest.raises(TypeError, match="`seed` must be an integer"):
        vs.torch.init_(torch.empty(3, 3), INIT, seed=1.5)


def test_docstring_example() -> None:
    """If this fails the example of `help(varscale.torch.init_)` does not give what it shows."""
    found = doctest.testmod(vs.torch)
    assert found.attempted > 2
    assert found.failed == 0
