"""Small stacks: those of threads that Python was asked to make small, and of our own whatever the environment says."""

from __future__ import annotations

import pytest

from process.child import run

DRAWS = """
import itertools, threading, numpy as np, varscale as vs
from varscale import replay
seeds = [lambda: 1, lambda: replay.torch(1), lambda: replay.torch(1, cpu_capability="default"), lambda: replay.jax(1)]
seeds += [lambda: replay.jax(1, partitionable=False), lambda: replay.tf1(1), lambda: replay.tf_keras(1)]
backends = ("jax", "numpy", "tensorflow", "torch")
seeds += [lambda backend=backend: replay.keras(1, backend=backend) for backend in backends]
laws = [lambda seed: vs.RandomUniform(0, 1, seed), lambda seed: vs.RandomNormal(0, 1, seed)]
laws += [lambda seed: vs.TruncatedNormal(0, 1, seed), lambda seed: vs.TruncatedNormal(0, 1, seed, lower=1.5, upper=3)]
dtypes = ("float16", "bfloat16", "float32", "float64")
shapes = ((3,), (40, 50), (257, 256))  # the last one has two chunks, and so two workers
parts = ({}, {"index": (..., slice(None, None, -2))}, {"index": (..., [2, 0, 1])})
def draw():
    drawn = []
    for shape, part, dtype, law, seed in itertools.product(shapes, parts, dtypes, laws, seeds):
        try:
            made = law(seed())(shape, dtype, **part)
            out = np.empty(made.shape, made.dtype, order="F")
            drawn.append(made.tobytes() + law(seed())(shape, dtype, out=out, **part).tobytes())
        except (ValueError, TypeError): pass  # what the framework does not have
    return drawn
expected, found = draw(), []
threading.stack_size(48 << 10)
thread = threading.Thread(target=lambda: found.append(draw()))
thread.start()
thread.join()
print(found == [expected], len(expected) > 400)
"""


@pytest.mark.parametrize("level", ["baseline", "avx2", "avx512"])
def test_a_thread_of_48_kib_makes_everything(level: str) -> None:
    """If this fails a fill ends the process where threads are kept small: SIGSEGV, without a word."""
    found = run(DRAWS, VARSCALE_NUM_THREADS="2", VARSCALE_SIMD=level)
    assert found.stdout == "True True\n" or "on this machine" in found.stderr, found.stderr


def test_a_thread_of_48_kib_waits_for_1024_workers() -> None:
    """If this fails each worker takes some of its caller's stack."""
    code = """
import threading, varscale as vs
threading.stack_size(48 << 10)
vs.set_num_threads(1024)
thread = threading.Thread(target=lambda: print(vs.RandomUniform(seed=1)((1024, 1 << 16), "float16").shape))
thread.start()
thread.join()
"""
    assert run(code).stdout == "(1024, 65536)\n"


def test_workers_choose_their_own_stacks() -> None:
    """If this fails a variable that is meant for other Rust libraries ends the process."""
    code = "import varscale as vs; print(vs.RandomNormal(seed=vs.replay.torch(1))((300, 301), 'float64').shape)"
    assert run(code, VARSCALE_NUM_THREADS="2", RUST_MIN_STACK="16384").stdout == "(300, 301)\n"
