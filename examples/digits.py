"""Trains a deep tanh network on handwritten digits from three initialisations, in plain NumPy.

    python examples/digits.py [--depth 30] [--epochs 40] [--output FILE]

With `lecun_normal` the activations keep their size through the depth and the network learns. N(0, 1) saturates every
unit, N(0, 0.01) lets the signal vanish: with the same data, step size and number of steps, neither learns as well.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from tqdm import tqdm

import varscale as vs

mpl.use("Agg")
import matplotlib.pyplot as plt

Array = NDArray[np.float32]
Layers = list[tuple[Array, Array]]
SEED = 7
WIDTH = 64
CHOICES: dict[str, Any] = {
    "lecun_normal": vs.lecun_normal(SEED),
    "N(0, 1)": vs.RandomNormal(0.0, 1.0, SEED),
    "N(0, 0.01)": vs.RandomNormal(0.0, 0.01, SEED),
}
COLOURS = {"lecun_normal": "#0072B2", "N(0, 1)": "#D55E00", "N(0, 0.01)": "#009E73"}  # Okabe and Ito's
MARKERS = {"lecun_normal": "o", "N(0, 1)": "s", "N(0, 0.01)": "^"}


def load() -> tuple[Array, NDArray[np.int64], Array, NDArray[np.int64]]:
    """1,797 images of 8 x 8 pixels, standardised, a fifth of them for the test."""
    digits = load_digits()
    images = digits.data.astype(np.float32)
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
    mean, stddev = images[train].mean(0), images[train].std(0) + 1e-3
    images = ((images - mean) / stddev).clip(-5, 5)
    return images[train], digits.target[train], images[test], digits.target[test]


def build(init: Any, depth: int) -> Layers:
    """`depth` hidden layers and the output layer; each kernel has a stream of its own, named by the layer."""
    sizes = [64, *[WIDTH] * depth, 10]
    return [
        (init.fold_in("layer", i, "kernel")((rows, columns)), vs.Zeros()((columns,)))
        for i, (rows, columns) in enumerate(pairwise(sizes))
    ]


def forward(layers: Layers, x: Array) -> list[Array]:
    """The input, every hidden layer's activations, and the outputs."""
    activations = [x]
    for kernel, bias in layers[:-1]:
        activations.append(np.tanh(activations[-1] @ kernel + bias))
    kernel, bias = layers[-1]
    return [*activations, activations[-1] @ kernel + bias]


def step(layers: Layers, moments: Layers, x: Array, y: NDArray[np.int64], rate: float) -> None:
    """One step of gradient descent with momentum 0.9 on the mean cross-entropy."""
    activations = forward(layers, x)
    outputs = activations[-1]
    odds = np.exp(outputs - outputs.max(1, keepdims=True))
    slope = odds / odds.sum(1, keepdims=True)
    slope[np.arange(len(y)), y] -= 1
    slope /= len(y)
    for i in reversed(range(len(layers))):
        kernel, bias = layers[i]
        kernel_slope, bias_slope = activations[i].T @ slope, slope.sum(0)
        if i:
            slope = (slope @ kernel.T) * (1 - activations[i] ** 2)
        for moment, parameter, gradient in zip(moments[i], (kernel, bias), (kernel_slope, bias_slope), strict=True):
            moment *= 0.9
            moment -= rate * gradient
            parameter += moment


def accuracy(layers: Layers, x: Array, y: NDArray[np.int64]) -> float:
    """The share of images whose largest output is their digit."""
    return float(np.mean(forward(layers, x)[-1].argmax(1) == y))


def train(name: str, depth: int, epochs: int) -> tuple[list[float], float]:
    """The standard deviation of every layer's activations before training, and the test accuracy after it."""
    x, y, test_x, test_y = load()
    layers = build(CHOICES[name], depth)
    spread = [float(activation.std()) for activation in forward(layers, test_x)[:-1]]
    moments = [(np.zeros_like(kernel), np.zeros_like(bias)) for kernel, bias in layers]
    shuffle = np.random.default_rng(1)
    with tqdm(range(epochs), f"{name:<12}", unit="epoch", file=sys.stderr) as bar:
        for _ in bar:
            order = shuffle.permutation(len(x))
            for start in range(0, len(x), 64):
                batch = order[start : start + 64]
                step(layers, moments, x[batch], y[batch], 0.01)
            bar.set_postfix(train=f"{accuracy(layers, x, y):.3f}")
    return spread, accuracy(layers, test_x, test_y)


def report(results: dict[str, tuple[list[float], float]], depth: int) -> None:
    """A table: standard deviations through the depth, then accuracies."""
    print("\nStandard deviation of the activations before training")
    print(f"{'layer':<14}" + "".join(f"{name:>14}" for name in results))
    for layer in sorted({0, 1, 2, 5, *range(10, depth + 1, 5), depth}):
        if layer <= depth:
            label = "input" if layer == 0 else f"{layer}"
            print(f"{label:<14}" + "".join(f"{spread[layer]:>14.3g}" for spread, _ in results.values()))
    print(f"\n{'test accuracy':<14}" + "".join(f"{score:>14.1%}" for _, score in results.values()))


def draw(results: dict[str, tuple[list[float], float]], depth: int, output: Path) -> None:
    """The same as a picture."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(2, 1), layout="constrained")
    for name, (spread, _) in results.items():
        every = max(1, depth // 10)
        left.plot(spread, label=name, color=COLOURS[name], marker=MARKERS[name], markevery=every)
    left.set(
        xlabel="layer", ylabel="standard deviation", yscale="log", ylim=(1e-9, 10), title="Activations before training"
    )
    left.legend(frameon=False)
    scores = [100 * score for _, score in results.values()]
    bars = right.bar(list(results), scores, color=[COLOURS[name] for name in results])
    right.bar_label(bars, [f"{score:.1f} %" for score in scores], padding=2)
    right.set(ylim=(0, 112), ylabel="correct (%)", title=f"Test accuracy, {depth} hidden layers")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=150)


def main() -> None:
    """Trains the three networks, prints the tables, saves the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=30, help="hidden layers")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--output", type=Path, default=Path("target/demo/digits.png"))
    options = parser.parse_args()
    results = {name: train(name, options.depth, options.epochs) for name in CHOICES}
    report(results, options.depth)
    draw(results, options.depth, options.output)
    print(f"picture: {options.output}")


if __name__ == "__main__":
    main()
