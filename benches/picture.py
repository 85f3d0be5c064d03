"""The picture of throughput against size."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt


def draw(rates: dict[str, dict[int, float]], path: Path) -> None:
    """Writes an SVG of values per second, by library and side of a square tensor."""
    with plt.rc_context({"svg.hashsalt": "varscale", "font.size": 11}):
        figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
        for label, points in rates.items():
            ours, bound = label == "varscale", label == "np.full"
            axes.plot(
                [n * n for n in points],
                list(points.values()),
                label=label,
                marker=None if bound else "o",
                linewidth=3 if ours else 1.5,
                linestyle=":" if bound else "-",
                color="gray" if bound else None,
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
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
