"""What only a GPU of NVIDIA's can show of JAX: `make test-gpu-jax`. It needs varscale, JAX with CUDA and jax-triton.

    python tests/kernels/gpu_jax.py [--values 28]

Printed is how many values of `make_array` differ from the CPU's, by jax-triton and by XLA alone, of whole arrays and of
shards, and how long both take. The exit code is 0 where none differ and the kernels have made theirs.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from statistics import median
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

import varscale as vs
from varscale._arguments.parts import indexed_part
from varscale._devices.check import verdicts
from varscale._devices.jnp.x64 import enable_x64
from varscale.jax import _kernels

LAWS = {
    "uniform": vs.RandomUniform(-0.05, 0.15, seed=7),
    "truncated_normal": vs.TruncatedNormal(0.1, 0.05, seed=7),
    "normal": vs.RandomNormal(-0.3, 0.05, seed=7),
    "truncated": vs.TruncatedNormal(0.1, 0.05, seed=7, lower=-3.0, upper=3.0),
}
BOXES = [
    ((4096, 4096), (slice(None), slice(1024, 2048))),
    ((999, 3003), (slice(None), slice(1001, 2002))),
    ((8, 300, 3000), (slice(2, 4), slice(100, 200), slice(1500, 3000))),
    ((2**40,), slice(2**33 + 5, 2**33 + 10**6)),
]
"""Shards: columns, odd ones, those of three axes, and a run far away."""
DTYPES = ("float32", "bfloat16", "float16", "float64")


def differing(array: jax.Array, init: Any) -> int:
    """How many values have other bits than the CPU's."""
    right = init(array.shape, array.dtype.name)
    word = f"u{right.itemsize}"
    return int(np.count_nonzero(np.asarray(array).view(word) != right.view(word)))


def wrong_in_boxes(init: Any, dtype: str, device: jax.Device) -> int:
    """How many values of shards differ, as other devices of a mesh would make them: one GPU is enough."""
    wrong = 0
    for shape, index in BOXES:
        part, right = indexed_part(shape, index), init(shape, dtype, index=index)
        found = _kernels.prepared(init.lazy(shape, dtype)._source(part), [part], [device])
        assert found is not None, f"XLA makes {shape} {index}"
        variant, lines = found
        made = np.asarray(_kernels.calls().program(variant, jax.device_put(lines[0], device)))
        word = f"u{right.itemsize}"
        wrong += int(np.count_nonzero(made.view(word) != right.view(word)))
    return wrong


def milliseconds(init: Any, shape: tuple[int, ...], sharding: Any, dtype: str) -> float:
    """How long an array takes until it is there: the median of nine."""
    found = []
    for _ in range(10):
        start = time.perf_counter()
        vs.jax.make_array(init, shape, sharding, dtype).block_until_ready()
        found.append(1e3 * (time.perf_counter() - start))
    return median(found[1:])


def main() -> int:
    """Runs everything; the exit code is 0 if all is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=28, help="compare 2^VALUES values of each law and dtype")
    rows = 2 ** (parser.parse_args().values - 13)
    devices = jax.devices()
    if not _kernels.is_nvidia(devices[0]):
        sys.exit("this needs JAX with CUDA, and a GPU of NVIDIA's")
    warnings.simplefilter("error", UserWarning)
    mesh = Mesh(np.array(devices), ("all",))
    failures = 0
    print(f"jax {jax.__version__}, {len(devices)} x {devices[0].device_kind}, varscale {vs.__version__}")
    by_kernels = vs.jax._shards.prepared
    for law, init in LAWS.items():
        for dtype in DTYPES:
            with enable_x64(True):
                times, wrong = [], wrong_in_boxes(init, dtype, devices[0])
                for route in (by_kernels, lambda *_: None):
                    vs.jax._shards.prepared = route  # type: ignore[attr-defined]
                    for shape, spec in (((rows, 8192), P()), ((rows, 8192 * len(devices)), P(None, "all"))):
                        sharding = NamedSharding(mesh, spec)
                        wrong += differing(vs.jax.make_array(init, shape, sharding, dtype), init)
                    times.append(milliseconds(init, (rows, 8192), NamedSharding(mesh, P()), dtype))
            failures += wrong > 0
            print(f"{law} {dtype}: {wrong} differ; jax-triton {times[0]:.2f} ms, XLA {times[1]:.2f} ms", flush=True)
    found = verdicts(f"{devices[0].device_kind} by jax-triton")
    print(f"the check at first use: {found}")
    failures += len(found) < len(LAWS) * len(DTYPES)
    print(f"the faster quotient: {_kernels._is_fast(devices[0])}; {failures} failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
