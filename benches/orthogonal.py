"""Orthogonal matrices beside torch's and NumPy's, interleaved in one run: seconds of the clock and of the processor.

    make bench-orthogonal

Medians. One thread each, and two of ours; NumPy's QR takes as many as `OPENBLAS_NUM_THREADS` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch

import varscale as vs

ROUNDS = 9
SIZES = (256, 1024, 2048)


def seconds(function: Callable[[], object]) -> tuple[float, float]:
    """What a call takes of the clock and of the processor."""
    wall, own = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - own


def ours(n: int, threads: int) -> None:
    """A new matrix of ours."""
    with vs.num_threads(threads):
        vs.Orthogonal(seed=1)((n, n))


def numpys(n: int) -> None:
    """A new matrix by NumPy, which factorizes in float64."""
    q, r = np.linalg.qr(np.random.default_rng(1).standard_normal((n, n), np.float32))
    q *= np.sign(np.diag(r))


def main() -> None:
    """Prints a row a size."""
    torch.set_num_threads(1)
    print("size  | ours 1 thread | 2 threads | torch 1 thread | NumPy | ours / torch | speed-up | in processor time")
    for n in SIZES:
        ways: list[Callable[[], object]] = [
            lambda n=n: ours(n, 1),
            lambda n=n: ours(n, 2),
            lambda n=n: torch.nn.init.orthogonal_(torch.empty(n, n)),
            lambda n=n: numpys(n),
        ]
        for way in ways:
            way()
        found = [[seconds(way) for way in ways] for _ in range(ROUNDS)]
        wall, own = ([median(row[k][kind] for row in found) for k in range(len(ways))] for kind in (0, 1))
        times = " | ".join(f"{t * 1e3:.1f} ({o * 1e3:.1f}) ms" for t, o in zip(wall, own, strict=True))
        print(f"{n:5} | {times} | {wall[0] / wall[2]:.2f} | {wall[0] / wall[1]:.2f} | {own[0] / own[2]:.2f}")


if __name__ == "__main__":
    main()
