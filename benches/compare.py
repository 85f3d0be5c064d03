"""Whole calls of varscale beside NumPy's, interleaved in one run: medians of times, and of the ratios round by round.

    python benches/compare.py [--rounds 11]

`np.full` is the limit: it writes the same bytes and computes nothing. New arrays, so that finding the memory counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
from tqdm import tqdm

import varscale as vs

SIZES = (16, 1024, 8192)
INITIALIZERS = {
    "lecun_normal": vs.lecun_normal(1),
    "RandomNormal": vs.RandomNormal(seed=1),
    "lecun_uniform": vs.lecun_uniform(1),
    "lecun_normal bfloat16": vs.lecun_normal(1, dtype="bfloat16"),
    "lecun_normal float64": vs.lecun_normal(1, dtype="float64"),
}


def calls(n: int) -> dict[str, Callable[[], object]]:
    """What is compared, at n x n."""
    shape, rng = (n, n), np.random.default_rng(0)
    return {name: partial(init, shape) for name, init in INITIALIZERS.items()} | {
        "np.full": lambda: np.full(shape, 0.5, np.float32),
        "NumPy standard_normal": lambda: rng.standard_normal(shape, np.float32),
        "NumPy uniform random": lambda: rng.random(shape, np.float32),
    }


def timed(call: Callable[[], object], repeats: int) -> float:
    """Seconds a call."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def compare(n: int, rounds: int, bar: tqdm) -> list[str]:  # type: ignore[type-arg]
    """A table's rows for one size."""
    repeats = max(1, 200_000 // n**2)
    seconds: dict[str, list[float]] = {name: [] for name in calls(n)}
    for _ in range(rounds):
        for name, call in calls(n).items():
            seconds[name].append(timed(call, repeats))
            bar.update()
    rows = []
    for name, times in seconds.items():
        ratio = median(t / mine for t, mine in zip(times, seconds["lecun_normal"], strict=True))
        middle = median(times)
        rows.append(f"| {n}² | {name} | {middle * 1e6:,.1f} | {n * n / middle / 1e9:.3f} | {ratio:.2f} |")
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    print(f"float32 unless said otherwise, {vs.get_num_threads()} threads, medians of {rounds} rounds\n")
    print("| shape | call | µs | G values/s | time / lecun_normal's |\n|---|---|--:|--:|--:|")
    with tqdm(total=rounds * len(SIZES) * len(calls(1)), unit="call", leave=False) as bar:
        for n in SIZES:
            print(*compare(n, rounds, bar), sep="\n", flush=True)


if __name__ == "__main__":
    main()
