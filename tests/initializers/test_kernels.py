"""Dirac and Bilinear: kernels of convolutions, in the layout of every framework."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import varscale as vs
from oracle.parts import cases, sliced

ANSWERS = (Path(__file__).parents[1] / "known_answers" / "initializers.txt").read_text(encoding="utf-8").splitlines()
LAYOUTS = (None, "keras", "jax", "torch", "mlx")


def from_torch(tensor: NDArray[Any], layout: str | None) -> NDArray[Any]:
    """A kernel (out, in, *places) in another layout."""
    if layout == "torch":
        return tensor
    if layout == "mlx":
        return np.moveaxis(tensor, 1, -1)
    return np.moveaxis(tensor, (0, 1), (-1, -2))


def to_torch(tensor: NDArray[Any], layout: str | None) -> NDArray[Any]:
    """And back."""
    if layout == "torch":
        return tensor
    if layout == "mlx":
        return np.moveaxis(tensor, -1, 1)
    return np.moveaxis(tensor, (-1, -2), (0, 1))


def eyes(shape: tuple[int, ...], groups: int) -> NDArray[Any]:
    """The rule of torch, (out, in, *places)."""
    kernel = np.zeros(shape)
    if not kernel.size:
        return kernel
    share = shape[0] // groups
    for group in range(groups):
        for channel in range(min(share, shape[1])):
            kernel[(group * share + channel, channel, *(size // 2 for size in shape[2:]))] = 1
    return kernel


def tent(size: int) -> NDArray[np.float64]:
    """Caffe's kernel along one axis."""
    stride = ceil(size / 2)
    return 1 - np.abs(np.arange(size) / stride - (size - 1) / (2 * stride))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("line", [line for line in ANSWERS if line.startswith("dirac_")])
def test_dirac_is_torchs(line: str, layout: Any) -> None:
    """If this fails a channel is passed on to another one, or from beside the centre."""
    _, groups, shape, *ones = line.replace(":", "").split()
    expected = np.zeros(tuple(map(int, shape.split("x"))), np.float32)
    for index in ones:
        expected[tuple(map(int, index.split(",")))] = 1
    assert np.array_equal(expected, eyes(expected.shape, int(groups)))
    expected = from_torch(expected, layout)
    for dtype in ("float32", "float64", "float16", "bfloat16", "int8", "bool", "complex64", "float8_e4m3fn"):
        found = vs.Dirac(int(groups), layout=layout)(expected.shape, dtype)
        assert np.array_equal(found.astype(np.complex64), expected)


@st.composite
def kernels(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Any, ...], int, str | None]:
    """A shape, an index, a number of groups and a layout."""
    shape, index = draw(cases(rank=draw(st.integers(3, 5))))
    layout = draw(st.sampled_from(LAYOUTS))
    outs = to_torch(np.empty(shape, "i1"), layout).shape[0]
    return shape, index, draw(st.sampled_from([groups for groups in range(1, 8) if outs % groups == 0])), layout


@settings(max_examples=300, deadline=None)
@given(kernels())
def test_parts_of_kernels(case: tuple[tuple[int, ...], tuple[Any, ...], int, Any]) -> None:
    """If this fails a part of a kernel is not the slice of it."""
    shape, index, groups, layout = case
    theirs = to_torch(np.empty(shape, "i1"), layout).shape
    inits: list[tuple[Any, NDArray[Any]]] = [(vs.Dirac(groups, layout=layout), eyes(theirs, groups))]
    if len(shape) == 4:
        values = np.multiply.outer(*map(tent, theirs[2:])) if all(theirs[2:]) else 0
        inits.append((vs.Bilinear(layout=layout), np.broadcast_to(values, theirs)))
    for init, expected in inits:
        whole = init(shape)
        np.testing.assert_allclose(whole, from_torch(expected, layout), rtol=1e-6)
        part = sliced(whole, index)
        out = np.full(part.shape[::-1], 9, np.float32).T
        assert init(shape, index=index, out=out) is out
        for found in (init(shape, index=index), out, init.lazy(shape)[index]):
            assert found.shape == part.shape
            assert found.tobytes() == part.tobytes()


@pytest.mark.parametrize("size", [*range(1, 12), 64, 99])
def test_bilinear_interpolates(size: int) -> None:
    """If this fails an enlarged image is darker than it was, striped, bent or moved; Paddle's is."""
    kernel = vs.Bilinear("float64", layout="torch")((2, 3, size, 5))
    assert np.array_equal(kernel, np.broadcast_to(kernel[:1, :1], kernel.shape))
    assert np.array_equal(kernel, kernel[:, :, ::-1, ::-1])
    assert np.allclose(kernel[0, 0], np.multiply.outer(tent(size), tent(5)), rtol=1e-14)
    # A transposed convolution with the stride ceil(size / 2), of which only places that whole kernels reach are kept.
    stride, count = ceil(size / 2), 6
    even, ramp = (np.zeros(stride * (count - 1) + size) for _ in range(2))
    for place in range(count):
        even[stride * place :][:size] += kernel[0, 0, :, 2]
        ramp[stride * place :][:size] += kernel[0, 0, :, 2] * place
    inside = slice(size, -size)
    assert np.allclose(even[inside], 1)
    assert np.allclose(np.diff(ramp[inside]), 1 / stride)


def test_bilinear_is_not_paddles() -> None:
    """If this fails our kernel has the slanted rows of Paddle's, or those are known no more."""
    (line,) = (line for line in ANSWERS if line.startswith("bilinear"))
    theirs = np.array(line.split()[2:], np.float32).reshape(4, 4)
    ours = vs.Bilinear(layout="torch")((1, 1, 4, 4))[0, 0]
    exact = np.array([0.25, 0.75, 0.75, 0.25])
    assert np.array_equal(ours, np.multiply.outer(exact, exact))
    assert np.abs(theirs - ours).max() > 0.18
    assert np.array_equal(theirs[:, 0], ours[:, 0]), "the first column, where y is whole"


def test_bilinear_is_rounded_once() -> None:
    """If this fails a value is another one than the nearest to that of the definition."""
    for size in range(1, 40):
        exact = [2 * ceil(size / 2) - abs(2 * x - size + 1) for x in range(size)]
        expected = np.multiply.outer(exact, exact) / (2 * ceil(size / 2)) ** 2  # of integers: one division
        found = vs.Bilinear("float64")((size, size, 1, 1))[..., 0, 0]
        assert found.tobytes() == expected.tobytes()
        for dtype in ("float32", "float16", "bfloat16"):
            rounded = expected.astype(np.float32).astype(vs.Bilinear()((0, 0, 1, 1), dtype).dtype)
            assert vs.Bilinear()((size, size, 1, 1), dtype)[..., 0, 0].tobytes() == rounded.tobytes()


@pytest.mark.parametrize(
    ("init", "shape", "fans"),
    [
        (vs.Dirac(), (3, 3, 8, 4), (72, 36)),
        (vs.Dirac(2), (3, 3, 8, 4), (72, 18)),
        (vs.Dirac(2, layout="torch"), (8, 4, 3), (12, 12)),
        (vs.Dirac(layout="mlx"), (8, 2, 3, 4), (24, 48)),
        (vs.Dirac(), (1, 1, 1), (1, 1)),
        (vs.Bilinear(), (4, 6, 2, 3), (48, 72)),
        (vs.Bilinear(layout="torch"), (2, 3, 1, 1), (3, 2)),
        (vs.Bilinear(layout="mlx"), (2, 5, 4, 3), (60, 40)),
    ],
)
def test_descriptions(init: Any, shape: tuple[int, ...], fans: tuple[int, int]) -> None:
    """If this fails a model's table says something else than the kernels are."""
    found, values = init.describe(shape), init(shape, "float64")
    assert found[:2] == fans
    assert found[2:] == pytest.approx((values.mean(), values.std(), values.min(), values.max()), abs=1e-12)
    assert (found.stddev == 0) == (values.min() == values.max())
    assert np.isnan(init.describe((0,) * len(shape))[2:]).all()


def test_models_tell_the_layout() -> None:
    """If this fails a kernel of torch has its ones where Keras would have them, in silence."""
    torch = {"conv.weight": ((4, 4, 3, 3), None, vs.Dirac()), "up.weight": ((4, 1, 4, 4), None, vs.Bilinear())}
    made = vs.Model(torch, layout="torch").init(3)
    assert np.array_equal(made["conv.weight"], vs.Dirac(layout="torch")((4, 4, 3, 3)))
    assert np.array_equal(made["up.weight"], vs.Bilinear(layout="torch")((4, 1, 4, 4)))
    keras = vs.Model({"conv/kernel": ((3, 3, 4, 4), None, vs.Dirac())}, layout="keras").init(3)
    assert np.array_equal(keras["conv/kernel"], vs.Dirac()((3, 3, 4, 4)))
    named = vs.Model({"conv.weight": ((3, 3, 4, 4), None, vs.Dirac(layout="keras"))}, layout="torch").init(3)
    assert np.array_equal(named["conv.weight"], keras["conv/kernel"])
    pieces = vs.Pieces([(..., vs.Zeros()), (slice(2), vs.Dirac())])
    made = vs.Model({"conv.weight": ((4, 4, 3, 3), None, pieces)}, layout="torch").init(3)
    assert np.argwhere(made["conv.weight"]).tolist() == [[0, 0, 1, 1], [1, 1, 1, 1]]
    with pytest.raises(ValueError, match="layout"):
        vs.Model({"conv.weight": ((4, 4, 3, 3), None, vs.Dirac())})


def test_the_part_of_a_large_kernel() -> None:
    """If this fails one output of a large layer takes the memory of all."""
    init = vs.Dirac(2**20, layout="torch")
    found = init((2**40, 2**20, 3), index=(slice(2**39 + 5, 2**39 + 8), slice(3, 9), 1))
    assert np.argwhere(found).tolist() == [[0, 2], [1, 3], [2, 4]]


def test_arguments() -> None:
    """If this fails a wrong argument makes values."""
    for groups, error in ((0, ValueError), (-1, ValueError), (1.0, TypeError), (True, TypeError)):
        with pytest.raises(error, match="`groups` must be"):
            vs.Dirac(groups)  # type: ignore[arg-type]
    for make in (vs.Dirac, vs.Bilinear):
        with pytest.raises(ValueError, match="`layout` must be one of 'keras', 'jax', 'torch', 'mlx'"):
            make(layout="caffe")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="`layout` must be a string"):
            make(layout=1)  # type: ignore[arg-type]
    for init, rank, words in ((vs.Dirac(), 2, "three to five"), (vs.Dirac(), 6, "three to five")):
        with pytest.raises(ValueError, match=f"`shape` must have {words} dimensions"):
            init((2,) * rank)
    for rank in (3, 5):
        for call in (vs.Bilinear(), vs.Bilinear().describe, vs.Bilinear().lazy):
            with pytest.raises(ValueError, match="`shape` must have four dimensions"):
                call((2,) * rank)
    with pytest.raises(ValueError, match="`groups` must divide the 3 outputs of `shape`, got 2"):
        vs.Dirac(2)((4, 4, 3))
    with pytest.raises(ValueError, match="`dtype` must be a floating-point dtype"):
        vs.Bilinear("int8")
