"""Histograms: each bar holds exactly the numbers between its edges, and the law's share of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import varscale as vs
from plot.cases import normal, written
from varscale.plot._histogram import FEWEST, MOST, Histogram
from varscale.plot._names import place
from varscale.plot._survey import survey

pytestmark = pytest.mark.thread_unsafe(reason="sets the threads")
LAWS = {
    "normal": (vs.RandomNormal(0.5, 0.02), stats.norm(0.5, 0.02)),
    "cut": (vs.TruncatedNormal(0.0, 0.1, lower=1.0, upper=3.0), stats.truncnorm(1.0, 3.0, 0.0, 0.1)),
    "flat": (vs.RandomUniform(-0.3, 0.1), stats.uniform(-0.3, 0.4)),
}


def found(path: Path, plan: vs.Model | None = None) -> dict[str, Histogram | None]:
    return {tensor.row.name: tensor.histogram for tensor in survey(path, plan, None).tensors}


def between(values: Any, edges: Any) -> Any:
    """How many values lie between edges: positive ones on an edge belong to the right, others to the left."""
    values = np.sort(values.astype(np.float64).ravel())
    sides = [np.searchsorted(values, edge, "left" if edge > 0.0 else "right") for edge in edges]
    return np.diff(sides)


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("law", LAWS)
def test_bars_hold_the_numbers_between_their_edges(tmp_path: Path, law: str, dtype: str) -> None:
    """If this fails a picture shows another distribution than a tensor has, or a law that is not its own."""
    init, expected = LAWS[law]
    model = vs.Model({"w": ((251, 403), dtype, init)})
    vs.checkpoint.save(model, tmp_path, 5)
    held = found(tmp_path, model)["w"]
    assert held is not None
    assert held.expected is not None
    values = model.init(5)["w"]
    inside = between(values, held.edges)
    assert np.array_equal(np.rint(held.shares * values.size), inside)
    assert held.outside == values.size - inside.sum()
    assert held.outside <= 0.003 * values.size
    assert held.expected == pytest.approx(np.diff(expected.cdf(held.edges)), abs=1e-12)
    if dtype != "float8_e4m3fn":
        assert held.shares == pytest.approx(held.expected, abs=6.0 * np.sqrt(0.25 / values.size))
        assert FEWEST <= held.shares.size <= MOST
        quartiles = np.quantile(values.astype(np.float64), [0.25, 0.75])
        assert held.middle == pytest.approx(quartiles, rel=0.02)


def test_bars_are_about_as_wide_as_each_other(tmp_path: Path) -> None:
    """If this fails bars near zero are narrow ones, as the bins are that numbers are counted in."""
    held = found(written(tmp_path / "x.safetensors", {"w": normal(300, 300)}))["w"]
    assert held is not None
    widths = np.diff(held.edges)
    assert widths.max() < 1.3 * widths.min()
    assert held.heights.max() < 1.1 * stats.norm(0.0, 0.02).pdf(0.0)


def test_what_has_no_spread_has_no_histogram(tmp_path: Path) -> None:
    """If this fails zeros, ones, counters or NaN are drawn as what they are not."""
    few = np.zeros(5000, np.float32)
    few[:3] = 0.5, -0.25, 1.0
    wide = np.array([1.0, 2.0, 3.0, 1e300], np.float64)
    path = written(
        tmp_path / "x.safetensors",
        {
            "zeros": np.zeros(9, np.float32), "nan": np.full(9, np.nan, np.float32), "steps": np.arange(9),
            "empty": normal(0, 3), "few": few, "wide": wide,
        },
    )  # fmt: skip
    held = found(path)
    assert sorted(name for name, one in held.items() if one is None) == ["empty", "nan", "steps", "zeros"]
    one, other = held["few"], held["wide"]
    assert one is not None
    assert other is not None
    assert (one.edges[0], one.edges[-1]) == pytest.approx((-0.3, 1.05), abs=0.01), "what is no zero is not outside"
    assert other.outside == 1, "32 bits do not hold it"
    assert other.shares.sum() == 0.75


def test_a_picture_reaches_all_of_the_law_and_of_the_numbers(tmp_path: Path) -> None:
    """If this fails a tensor of another scale than its law's is drawn without one of the two."""
    model = vs.Model({"w": ((300, 200), None, vs.RandomNormal(0.0, 0.02))})
    for factor in (0.01, 30.0):
        held = found(written(tmp_path / "x.safetensors", {"w": normal(300, 200) * np.float32(factor)}), model)["w"]
        assert held is not None
        assert held.expected is not None
        assert held.shares.sum() > 0.997
        assert held.expected.sum() > 0.999


@pytest.mark.parametrize(
    ("name", "kind", "numbers"),
    [
        ("h.11.ln_1.weight", "h.*.ln_1.weight", (11,)),
        ("layer1.0.conv2.weight", "layer1.*.conv2.weight", (0,)),
        ("layers.3.experts.17.w1", "layers.*.experts.*.w1", (3, 17)),
        ("Dense_12/kernel", "Dense_*/kernel", (12,)),
        ("dense_1/kernel:0", "dense_*/kernel:0", (1,)),
        ("fc2.weight", "fc*.weight", (2,)),
        ("encoder_3/ln_1/scale", "encoder_*/ln_1/scale", (3,)),
        ("embed.weight", "embed.weight", ()),
        ("9", "*", (9,)),
        ("h." + "9" * 10_000 + ".w", "h." + "9" * 10_000 + ".w", ()),
        ("h.\u0663.w", "h.\u0663.w", ()),
    ],
)
def test_kinds_are_names_without_the_numbers_of_layers(name: str, kind: str, numbers: tuple[int, ...]) -> None:
    """If this fails layers are scattered, or `ln_1` and `ln_2` are taken for layers of one kind."""
    assert place(name) == (kind, numbers)
