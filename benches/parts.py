"""Parts, models and small tensors, each beside what it should cost; interleaved in one run, medians of ratios.

    python benches/parts.py [--rounds 15]

A part is compared with a new whole tensor of the same number of values; a model and a large tensor with one new array
of the same bytes (`np.full`); a small tensor with NumPy's `standard_normal`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np

import varscale as vs
from compare import tensors

N = 8192
INIT = vs.lecun_normal(1)


def part(index: object, values: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """A part of an 8192² tensor, and a whole tensor with as many values."""
    return lambda: INIT((N, N), index=index), lambda: INIT((values,))


def cases() -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """By label: what is measured, and what it is compared with."""
    rng = np.random.default_rng(1)
    gpt2 = vs.Model(dict(tensors("GPT-2 small")), layout="jax")
    inits, small = [INIT.fold_in(i) for i in range(100_000)], (16, 16)
    found = {
        "8192² / np.full": (lambda: INIT((N, N)), lambda: np.full((N, N), 0.5, np.float32)),
        "GPT-2 small / np.full": (lambda: gpt2.init(1), lambda: np.full(gpt2.size, 0.5, np.float32)),
        "rows 2048:4096 / whole": part(slice(2048, 4096), 2048 * N),
    }
    for run in (1024, 256, 64, 16):
        found[f"{run} columns / whole"] = part((slice(None), slice(8, 8 + run)), N * run)
    found["every second row / whole"] = part(slice(None, None, 2), N * N // 2)
    found["one column / whole"] = part((slice(None), 5), N)
    found["mesh of 2048 rows and columns / whole"] = part(
        (rng.permutation(N)[:2048], rng.permutation(N)[:2048]), 2048**2
    )
    found["100,000 tensors of 16² / standard_normal"] = (
        lambda: [init(small) for init in inits],
        lambda: [rng.standard_normal(small, np.float32) for _ in range(100_000)],
    )
    return found


def seconds(call: Callable[[], object]) -> float:
    """One call's."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Prints a row a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"{'':<42} {'ms':>9} {'ratio':>7}")
    for label, (ours, other) in cases().items():
        ours(), other()
        pairs = [(seconds(ours), seconds(other)) for _ in range(rounds)]
        ratio = median(a / b for a, b in pairs)
        print(f"{label:<42} {median(a for a, _ in pairs) * 1e3:>9.3f} {ratio:>7.2f}")


if __name__ == "__main__":
    main()
