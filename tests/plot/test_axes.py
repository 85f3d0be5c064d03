"""Pictures on matplotlib's axes: what is drawn, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy import stats

import varscale as vs

matplotlib = pytest.importorskip("matplotlib")
pytestmark = pytest.mark.thread_unsafe(reason="pyplot's figures are the process's")
DEEP = vs.Model({f"layers.{n}.weight": ((200, 200), None, vs.he_normal()) for n in range(30)}, layout="torch")


@pytest.fixture(autouse=True)
def _pyplot() -> Iterator[None]:
    matplotlib.use("agg")
    yield
    matplotlib.pyplot.close("all")


def test_each_distinct_law_is_drawn_once() -> None:
    """If this fails a law is missing, drawn per tensor, or labelled as another one."""
    model = vs.Model(
        {
            **{f"h.{n}.up": ((64, 32), None, vs.RandomNormal(0.0, 0.02)) for n in range(3)},
            **{f"h.{n}.down": ((32, 64), None, vs.RandomNormal(0.0, 0.02)) for n in range(3)},
            "embed": ((9, 9), None, vs.RandomUniform(-0.1, 0.3)),
            "bias": ((9,), None, vs.Zeros()),
            "turn": ((9, 9), None, vs.Orthogonal()),
        }
    )
    ax = vs.plot.laws(model)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["h.*.up and 1 more\n6: normal, stddev 0.02", "embed\nuniform, stddev 0.115"]
    assert vs.plot.laws(model, ["embed"], ax=ax) is ax
    x, y = ax.lines[0].get_data()
    y = y / y.max()
    law = stats.norm(0.0, 0.02)
    assert y == pytest.approx(law.pdf(x) / law.pdf(0.0), abs=0.01)
    assert ax.lines[1].get_xdata() == pytest.approx([-0.02, 0.02])


def test_the_signal_of_a_deep_network() -> None:
    """If this fails an initializer that keeps the signal seems to lose it, or the other way round."""
    kept = vs.plot.signal(DEEP, 7).lines[0].get_ydata()
    lost = vs.plot.signal(DEEP, 7, activation=None).lines[0].get_ydata()
    assert len(kept) == 31
    assert 0.5 < kept[-1] < 4.0
    assert lost[-1] == pytest.approx(2.0**15, rel=0.3)
    arrays = DEEP.init(7)
    ours = vs.plot.signal(arrays, activation=lambda x: np.maximum(x, 0.0), layout="torch").lines[0].get_ydata()
    assert np.array_equal(ours, kept)
    chosen = ["layers.1.weight", "layers.0.weight"]
    assert len(vs.plot.signal(DEEP, 7, names=chosen).lines[0].get_ydata()) == 3


def test_lines_share_axes() -> None:
    """If this fails two initializers cannot be compared in one picture."""
    _, ax = matplotlib.pyplot.subplots()
    for word in ("relu", "tanh", "gelu", "silu"):
        assert vs.plot.signal(DEEP, 7, activation=word, ax=ax) is ax
    assert [line.get_label() for line in ax.lines] == ["relu", "tanh", "gelu", "silu"]
    assert len({line.get_color() for line in ax.lines}) == 4


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "no model": (lambda: vs.plot.laws({"w": (3, 4)}), TypeError, "`model` must be a Model"),
    "no law": (lambda: vs.plot.laws(vs.Model({"b": ((3,), None, vs.Zeros())})), ValueError, "must have a parameter"),
    "no name": (lambda: vs.plot.laws(DEEP, ["x"]), KeyError, "must be names of the model"),
    "no axes": (lambda: vs.plot.laws(DEEP, ax=3), TypeError, "`ax` must be axes of matplotlib or None, got 3"),
    "no network": (lambda: vs.plot.signal(3), TypeError, "`network` must be a Model"),
    "no activation": (lambda: vs.plot.signal(DEEP, activation="rely"), ValueError, "`activation` must be a function"),
    "no shape": (lambda: vs.plot.signal(DEEP, activation=np.sum), ValueError, "must return an array of the shape"),
    "no such name": (lambda: vs.plot.signal(DEEP, names=["x"]), KeyError, "`names` must be names of the network"),
    "no chain": (
        lambda: vs.plot.signal({"a": np.zeros((3, 4))}), ValueError, "must be a plain chain of layers: `names`",
    ),
    "no layout": (lambda: vs.plot.signal(DEEP.init(7)), ValueError, "all weights are square"),
    "a replay": (lambda: vs.plot.signal(DEEP, vs.replay.jax(3)), ValueError, "replay"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_arguments_are_refused(case: str) -> None:
    """If this fails a mistake is a traceback of matplotlib's, or a picture of something else."""
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", vs.plot.__all__)
def test_names_say_where_users_find_them(name: str) -> None:
    """If this fails help and errors name a file of ours, which may move."""
    assert getattr(vs.plot, name).__module__ == "varscale.plot"
