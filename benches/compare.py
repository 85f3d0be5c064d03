"""Whole calls of varscale beside its peers', interleaved in one run.

    python benches/compare.py [--rounds 9] [--write]

Each library lives in an environment of its own (`make bench` makes them) and answers in a process of its own, one at a
time: each round asks all of them for the same tensors. Printed are medians over the rounds of varscale's time, and of
each peer's time divided by it, round by round. `np.full` is the limit: the same bytes, nothing computed.
`--write` puts the table into docs/development/speed.md and the picture beside it, into throughput.svg.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from math import isnan
from pathlib import Path
from statistics import median

from tqdm import tqdm

from picture import draw

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "development" / "speed.md"
PEERS = {
    "limit": "np.full",
    "numpy": "NumPy",
    "jax": "JAX, jitted",
    "keras": "Keras 3",
    "torch": "torch",
    "torch_stateless": "torch, stateless",
}
LAWS = ("truncated_normal", "normal", "uniform")
SQUARES = (16, 1024, 8192)
PICTURE_SQUARES = (16, 64, 256, 1024, 4096, 8192)
MODELS = {"GPT-2 small": "gpt2_small.csv", "ResNet-50": "resnet50.csv"}
MARKS = ("<!-- the table of `make bench` -->", "<!-- end of the table -->")
Shapes = list[tuple[str, list[int]]]


class Worker:
    """A process that times one library's calls."""

    def __init__(self, peer: str) -> None:
        python = ROOT / f".venv-peer-{peer.partition('_')[0]}" / "bin" / "python"
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
        self.process = subprocess.Popen(
            [python if python.exists() else sys.executable, ROOT / "benches" / "peers.py", peer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | quiet,
        )

    def seconds(self, law: str, shapes: Shapes) -> float:
        """The seconds of one making of all tensors."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"law": law, "shapes": shapes}) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def tensors(model: str) -> Shapes:
    """A model's parameter names and shapes."""
    with (ROOT / "examples" / "models" / MODELS[model]).open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [(row["name"], [int(size) for size in row["shape"].split("x")]) for row in rows]


def cases() -> dict[tuple[str, str], Shapes]:
    """What is made, by label and law."""
    made: dict[tuple[str, str], Shapes] = {}
    for law in LAWS:
        for n in PICTURE_SQUARES if law == "truncated_normal" else SQUARES:
            made[f"{n}²", law] = [("w", [n, n])]
        for model in MODELS:
            made[model, law] = tensors(model)
    return made


def measure(rounds: int) -> dict[tuple[str, str], dict[str, list[float]]]:
    """Seconds of each round, by case and library."""
    workers = {peer: Worker(peer) for peer in ("varscale", *PEERS)}
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    with tqdm(total=len(cases()) * rounds * len(workers), unit="call", leave=False) as bar:
        for case, shapes in cases().items():
            found[case] = {peer: [] for peer in workers}
            for worker in workers.values():
                worker.seconds(case[1], shapes)  # compiles and warms up
            for _ in range(rounds):
                for peer, worker in workers.items():
                    found[case][peer].append(worker.seconds(case[1], shapes))
                    bar.update()
    return found


def readable(seconds: float) -> str:
    """Three figures and a unit."""
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def table(found: dict[tuple[str, str], dict[str, list[float]]]) -> str:
    """Markdown: a row a case, a column a library."""
    lines = [f"| tensors | law | varscale | {' | '.join(PEERS.values())} |", "|---|---|--:|" + "--:|" * len(PEERS)]
    shown = [*(f"{n}²" for n in SQUARES), *MODELS]
    for label, law in ((label, law) for law in LAWS for label in shown):
        times = found[label, law]
        ratios = [median(t / v for t, v in zip(times[peer], times["varscale"], strict=True)) for peer in PEERS]
        cells = ["none" if isnan(ratio) else f"{ratio:.3g}" if ratio >= 1 else f"{ratio:.2f}" for ratio in ratios]
        lines.append(f"| {label} | {law} | {readable(median(times['varscale']))} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the table, and writes it where it belongs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="into docs/development/speed.md and throughput.svg")
    options = parser.parse_args()
    found = measure(options.rounds)
    text = table(found)
    print(text)
    if options.write:
        before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        PAGE.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{after}", encoding="utf-8")
        rates = {
            label: {n: n * n / median(found[f"{n}²", "truncated_normal"][peer]) for n in PICTURE_SQUARES}
            for peer, label in {"varscale": "varscale", **PEERS}.items()
            if not isnan(found["16²", "truncated_normal"][peer][0])
        }
        draw(rates, PAGE.with_name("throughput.svg"))


if __name__ == "__main__":
    main()
