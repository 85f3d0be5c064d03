"""Chains: recognised where nothing is left to guess, refused elsewhere, and run as NumPy would."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import varscale as vs
from plot.cases import normal, read, written
from varscale._models.headers import read_headers
from varscale.plot._chain import chain
from varscale.plot._survey import Signal, _rows, survey

pytestmark = pytest.mark.thread_unsafe(reason="sets the threads")
Shapes = dict[str, tuple[int, ...]]


@pytest.mark.parametrize("layout", ["torch", "keras", None])
@pytest.mark.parametrize("names", [("fc{}.weight", "fc{}.bias"), ("net.{}.weight", "net.{}.bias"), ("w_{}", "b_{}")])
def test_plain_chains_are_recognised_in_their_order(names: tuple[str, str], layout: str | None) -> None:
    """If this fails a plain network has no signal, or its layers stand in the order of an alphabet."""
    sizes = (784, *(100 + number for number in range(11)), 10)
    places = [number * 2 for number in range(len(sizes) - 1)]
    shapes: Shapes = {}
    for number, fan_in, fan_out in sorted(zip(map(str, places), sizes, sizes[1:], strict=False)):
        shapes[names[0].format(number)] = (fan_in, fan_out) if layout == "keras" else (fan_out, fan_in)
        if number != "4":
            shapes[names[1].format(number)] = (fan_out,)
    found = chain(shapes, layout)
    assert found.weights == tuple(names[0].format(number) for number in places)
    assert found.biases == tuple(None if number == 4 else names[1].format(number) for number in places)
    assert found.out_first == (layout != "keras")


CHAIN: Shapes = {"net.0.weight": (20, 30), "net.1.weight": (20, 20), "net.2.weight": (5, 20)}
SQUARE: Shapes = {f"net.{number}.weight": (8, 8) for number in range(3)}
REFUSED: dict[str, tuple[Shapes, str | None, str]] = {
    "one": ({"net.0.weight": (3, 4)}, None, "two weights or more"),
    "none": ({"net.0.bias": (3,)}, None, "two weights or more"),
    "convolution": (CHAIN | {"net.3.weight": (5, 5, 3, 3)}, None, "has 4 axes"),
    "other name": (CHAIN | {"head.weight": (7, 5)}, None, "something else"),
    "two series": (CHAIN | {"out.0.weight": (7, 5)}, None, "not told apart by one number"),
    "two numbers": ({"a.0.b.0.weight": (8, 9), "a.0.b.1.weight": (7, 8)}, None, "not told apart by one number"),
    "norm": (CHAIN | {"net.3.norm.weight": (20,)}, None, "neither the weight nor the bias"),
    "bias of another size": (CHAIN | {"net.1.bias": (21,)}, None, "neither the weight nor the bias"),
    "misfit": (CHAIN | {"net.1.weight": (20, 21)}, None, "does not take what"),
    "other way round": (CHAIN, "keras", "does not take what"),
    "square": (SQUARE, None, "all weights are square"),
    "experts": ({f"experts.{number}.weight": (8, 8) for number in range(3)}, "torch", "something else"),
    "heads": ({f"heads.{number}.weight": (8, 8) for number in range(3)}, "torch", "something else"),
    "embeddings": ({f"embed.{number}.weight": (8, 8) for number in range(3)}, "torch", "something else"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_plain_chain_is_refused(case: str) -> None:
    """If this fails a page shows the signal of a network that nobody has."""
    shapes, layout, reason = REFUSED[case]
    with pytest.raises(ValueError, match=reason):
        chain(shapes, layout)


def test_the_layout_tells_square_weights() -> None:
    """If this fails hidden layers of one width have no signal, even where a plan says how they lie."""
    assert chain(SQUARE, "torch").out_first
    assert not chain(SQUARE, "jax").out_first


@pytest.mark.parametrize("layout", ["torch", "jax"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_signal_is_numpys(tmp_path: Path, layout: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a page shows another signal than the network has, or one that depends on how files are read."""
    sizes = (30, 70, 50, 10)
    arrays = {}
    for number, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        weight = normal(fan_out, fan_in, seed=number, dtype=dtype)
        arrays[f"fc{number}.weight"] = (weight if layout == "torch" else weight.T.copy()) * np.asarray(9, dtype)
        arrays[f"fc{number}.bias"] = normal(fan_out, seed=9 + number, dtype=dtype)
    path = written(tmp_path / "x.safetensors", arrays)
    monkeypatch.setattr("varscale.plot._survey.PIECE", 1000)
    found = survey(path, None, None).signal
    assert isinstance(found, Signal)
    x = vs.RandomNormal(0.0, 1.0, seed=0)((30, 128), "float64")
    for name, activation in (("linear", lambda x: x), ("relu", lambda x: np.maximum(x, 0)), ("tanh", np.tanh)):
        signal, expected = x, [np.sqrt(np.mean(x**2))]
        for number in range(3):
            weight = arrays[f"fc{number}.weight"].astype(np.float64)
            signal = (weight if layout == "torch" else weight.T) @ (activation(signal) if number else signal)
            signal += arrays[f"fc{number}.bias"].astype(np.float64)[:, None]
            expected.append(np.sqrt(np.mean(signal**2)))
        assert found.by_activation[name] == pytest.approx(expected, rel=1e-12)
    words = read(path).words("section")[2]
    assert f"3 layers of {'(out, in)' if layout == 'torch' else '(in, out)'} weights" in words
    assert "linear ends at" in words


def test_a_signal_that_ends_is_said(tmp_path: Path) -> None:
    """If this fails a dead or an exploding network is a traceback, or a line that goes on."""
    for change in (0.0, np.nan, np.inf, 1e38):
        arrays = {f"fc{number}.weight": normal(40, 40 + (number == 0), seed=number) for number in range(6)}
        arrays["fc3.weight"] = arrays["fc3.weight"] * np.float32(change)
        page = read(written(tmp_path / "x.safetensors", arrays))
        assert page.wrong == []
        assert "linear ends at" in page.words("section")[2]


def test_what_is_no_chain_has_a_reason_on_the_page(tmp_path: Path) -> None:
    """If this fails readers do not learn why there is no signal."""
    page = read(written(tmp_path / "x.safetensors", {"wte.weight": normal(9, 9), "h.0.weight": normal(9, 9)}))
    assert "Not shown, as the tensors are no plain chain of layers: 'wte.weight' may be" in page.words("section")[2]


def test_pieces_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a weight that is larger than memory is read as a whole."""
    stored, _ = read_headers(written(tmp_path / "x.safetensors", {"w": normal(100, 50)}))
    monkeypatch.setattr("varscale.plot._survey.PIECE", 1000)
    assert [len(rows) for rows in _rows(stored, "w")] == [5] * 20
