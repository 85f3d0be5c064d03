"""Replays beside the frameworks whose numbers they are: the same bits, in how much of the time.

    python benches/replay.py [--rounds 7]

Each framework runs in its environment of `make test-replay`, on as many threads as varscale (2), and the two take
turns: a round is one making of a float32 tensor of 4096 by 4096 by each. Printed are medians over the rounds of
varscale's time, the framework's, and the framework's divided by varscale's, round by round; more than 1 is faster than
the framework.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
SHAPE = (4096, 4096)
THREADS = 2
Make = Callable[[], Any]


def tensorflow() -> dict[str, Make]:
    """TensorFlow's ops, eagerly."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    init = tf.compat.v1.initializers
    return {
        "tf1 truncated_normal": lambda: init.lecun_normal(1)(SHAPE, tf.float32).numpy(),
        "tf1 normal": lambda: init.random_normal(0.0, 0.05, 1)(SHAPE, tf.float32).numpy(),
        "tf1 uniform": lambda: init.random_uniform(-0.05, 0.05, 1)(SHAPE, tf.float32).numpy(),
    }


def tensorflow_replayed() -> dict[str, Make]:
    """The same tensors of varscale's."""
    import varscale as vs
    from varscale import replay

    seed = replay.tf1(1, eager=True)
    inits = {
        "tf1 truncated_normal": vs.lecun_normal(seed),
        "tf1 normal": vs.RandomNormal(0.0, 0.05, seed),
        "tf1 uniform": vs.RandomUniform(-0.05, 0.05, seed),
    }
    return {name: partial(init, SHAPE) for name, init in inits.items()}


def jax() -> dict[str, Make]:
    """JAX's initializers, compiled."""
    import jax as framework
    import numpy as np

    inits = {
        "jax lecun_normal": framework.nn.initializers.lecun_normal(),
        "jax normal": framework.nn.initializers.normal(0.05),
        "jax uniform": framework.nn.initializers.lecun_uniform(),
    }
    key, single = framework.random.key(1), np.dtype(np.float32)
    compiled = {name: framework.jit(init, static_argnums=(1, 2)) for name, init in inits.items()}
    return {name: lambda init=init: init(key, SHAPE, single).block_until_ready() for name, init in compiled.items()}


def jax_replayed() -> dict[str, Make]:
    """The same tensors of varscale's."""
    import varscale as vs
    from varscale import replay

    key = replay.jax(1, jit=True)
    inits = {
        "jax lecun_normal": vs.lecun_normal(key),
        "jax normal": vs.RandomNormal(0.0, 0.05, key),
        "jax uniform": vs.lecun_uniform(key),
    }
    return {name: partial(init, SHAPE) for name, init in inits.items()}


FRAMEWORKS: dict[str, tuple[Callable[[], dict[str, Make]], Callable[[], dict[str, Make]]]] = {
    "tensorflow": (tensorflow, tensorflow_replayed),
    "jax": (jax, jax_replayed),
}
"""By environment: what the framework makes there, and what varscale makes, by replay and law."""


def serve(framework: str) -> None:
    """Answers names with the seconds of one making, until there are none."""
    calls = FRAMEWORKS[framework][0]()
    for line in sys.stdin:
        make = calls[line.strip()]
        start = time.perf_counter()
        make()
        print(time.perf_counter() - start, flush=True)


def measure(framework: str, rounds: int) -> None:
    """Prints a framework's rows."""
    python = ROOT / f".venv-replay-{framework}" / "bin" / "python"
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    with subprocess.Popen(
        [python, __file__, "--serve", framework],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | quiet,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None

        def theirs(name: str) -> float:
            worker.stdin.write(f"{name}\n")
            worker.stdin.flush()
            return float(worker.stdout.readline())

        for name, make in FRAMEWORKS[framework][1]().items():
            times = []
            for _ in range(rounds + 1):
                start = time.perf_counter()
                make()
                times.append((time.perf_counter() - start, theirs(name)))
            mine, other = (median(pair[i] for pair in times[1:]) * 1e3 for i in range(2))
            ratio = median(pair[1] / pair[0] for pair in times[1:])
            print(f"{name:<32} {mine:>10.1f} {other:>12.1f} {ratio:>8.2f}", flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", choices=FRAMEWORKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    import varscale as vs

    vs.set_num_threads(THREADS)
    print(f"{'4096 by 4096, float32':<32} {'varscale ms':>10} {'framework ms':>12} {'ratio':>8}")
    for framework in FRAMEWORKS:
        measure(framework, options.rounds)


if __name__ == "__main__":
    main()
