"""The picture of throughput against size."""

from __future__ import annotations

import sys
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
from ink import COLORS, QUIET, SETTINGS, save


def draw(rates: dict[str, dict[int, float]], path: Path) -> None:
    """Writes an SVG of values per second, by library and side of a square tensor."""
    colors = cycle(COLORS)
    with mpl.rc_context(SETTINGS):
        figure = Figure((8, 5), layout="constrained")
        axes = figure.subplots()
        for label, points in rates.items():
            ours, bound = label == "varscale", label == "np.full"
            axes.plot(
                [n * n for n in points],
                list(points.values()),
                label=label,
                marker=None if bound else "o",
                linewidth=3 if ours else 1.5,
                linestyle=":" if bound else "-",
                color=QUIET if bound else next(colors),
            )
        axes.set(
            xscale="log",
            yscale="log",
            xlabel="values in the tensor (float32, a new array)",
            ylabel="values per second",
            title="lecun_normal: throughput against size",
        )
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend()
        path.parent.mkdir(exist_ok=True)
        save(figure, path, "Values per second against the number of values in a tensor, by library")
