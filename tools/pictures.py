"""The pictures of docs/: `make pictures` writes docs/pictures/*.svg."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import erf
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import varscale as vs
from ink import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET, SETTINGS, save

ROOT = Path(__file__).resolve().parents[1]


def laws() -> Figure:
    """Three laws of one standard deviation, and where each ends."""
    figure = Figure((7.2, 3.4), layout="constrained")
    axes = figure.subplots()
    x = np.linspace(-3.4, 3.4, 1361)
    bell = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    axes.plot(x, bell, color=PURPLE, label="untruncated normal: no end")
    for init, color, label in (
        (vs.lecun_normal(), BLUE, "lecun_normal: ±2.27"),
        (vs.lecun_uniform(), ORANGE, "lecun_uniform: ±1.73"),
    ):
        law = init.describe((1, 1))
        inside = (x >= law.low) & (x <= law.high)
        # The bell that was cut is wider by what the cut takes away, and higher by what it leaves out.
        wide = law.high / 2
        density = np.exp(-((x / wide) ** 2) / 2) / wide / np.sqrt(2 * np.pi) / erf(2 / np.sqrt(2))
        density = density if init == vs.lecun_normal() else np.full_like(x, 0.5 / law.high)
        axes.plot(x[inside], density[inside], color=color, label=label)
        for end in (law.low, law.high):
            axes.plot([end, end], [0, density[inside][0]], color=color, linestyle=":")
    axes.set(xlabel="value, in standard deviations: 1 / √fan_in", ylabel="density", ylim=(0, 0.6), xlim=(-3.4, 3.4))
    axes.legend(loc="upper left", ncols=3, fontsize=10, handlelength=1.2, columnspacing=1)
    return figure


def depth() -> Figure:
    """The standard deviation of activations, layer by layer, from real weights."""
    figure = Figure((7.2, 3.4), layout="constrained")
    axes = figure.subplots()
    width, layers = 256, 64
    for init, color, label in (
        (vs.RandomNormal(0.0, 0.15, seed=7), PURPLE, "N(0, 0.15)"),
        (vs.he_normal(seed=7), GREEN, "he_normal"),
        (vs.lecun_normal(seed=7), BLUE, "lecun_normal"),
        (vs.RandomNormal(0.0, 0.02, seed=7), ORANGE, "N(0, 0.02)"),
    ):
        x = vs.RandomNormal(0.0, 1.0, seed=1, dtype="float64")((64, width))
        spread = [x.std()]
        for layer in range(layers):
            x = np.maximum(x @ init.fold_in(layer)((width, width)), 0)
            spread.append(x.std())
        axes.semilogy(spread, color=color)
        axes.annotate(label, (layers, spread[-1]), (5, 0), textcoords="offset points", va="center")
    axes.set(xlabel=f"layer, each {width} units with ReLU", ylabel="standard deviation", xlim=(0, layers * 1.2))
    axes.set_xticks(range(0, layers + 1, 8))
    return figure


def shards() -> Figure:
    """One tensor and two meshes: an element's number, and so its value, does not depend on the cut."""
    figure = Figure((7.2, 2.4), layout="constrained")
    rows, columns = 4, 6
    cuts: list[tuple[str, Callable[[int, int], int], list[str]]] = [
        ("the tensor, whole", lambda row, column: 0, [QUIET]),
        ("four devices, by rows", lambda row, column: row, [BLUE, ORANGE, GREEN, PURPLE]),
        ("a mesh of 2 by 2", lambda row, column: row // 2 * 2 + column // 3, [BLUE, ORANGE, GREEN, PURPLE]),
    ]
    for axes, (title, owner, colors) in zip(figure.subplots(1, 3), cuts, strict=True):
        for number in range(rows * columns):
            row, column = divmod(number, columns)
            color = colors[owner(row, column)]
            chosen = number == 9
            axes.add_patch(
                Rectangle((column + 0.05, row + 0.05), 0.9, 0.9, facecolor=color, alpha=0.3, edgecolor="none")
            )
            if chosen:
                axes.add_patch(Rectangle((column + 0.05, row + 0.05), 0.9, 0.9, fill=False, edgecolor=INK, linewidth=2))
            axes.text(
                column + 0.5,
                row + 0.53,
                str(number),
                ha="center",
                va="center",
                fontsize=10,
                weight="bold" if chosen else "normal",
            )
        axes.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal")
        axes.set_title(title, fontsize=11)
        axes.axis("off")
    figure.supxlabel("Element 9 takes word 9 of the stream, whoever makes it: the value is the same", fontsize=11)
    return figure


def main() -> None:
    """Writes all, or those that are named."""
    chosen = sys.argv[1:]
    with mpl.rc_context(SETTINGS):
        for picture in (laws, depth, shards):
            if not chosen or picture.__name__ in chosen:
                save(picture(), ROOT / "docs" / "pictures" / f"{picture.__name__}.svg", picture.__doc__ or "")


if __name__ == "__main__":
    main()
