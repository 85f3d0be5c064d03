"""Initialises every parameter of ResNet-50 and GPT-2 small, and proves that the bits do not depend on the threads.

    python examples/models.py [--seed 42] [--dtype float32] [--threads N]

Each parameter has a stream of its own, named by the parameter: neither order nor new layers change the others.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import varscale as vs

MODELS = Path(__file__).parent / "models"
FILES = {"ResNet-50": "resnet50.csv", "GPT-2 small": "gpt2_small.csv"}
# ResNet-50's weights are (out, in, height, width), as in torch; GPT-2's are (in, out), as in JAX.
LAYOUTS: dict[str, Literal["torch", "jax"]] = {"ResNet-50": "torch", "GPT-2 small": "jax"}
ROUNDS = 5  # the first one also waits for the system to find the memory


def read(name: str, dtype: str) -> vs.Model:
    """The model with the usual rules: norms one, biases zero, embeddings N(0, 0.02), all other weights lecun_normal."""
    with (MODELS / FILES[name]).open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        shapes = {row["name"]: tuple(map(int, row["shape"].split("x"))) for row in rows}
    return vs.Model(shapes, layout=LAYOUTS[name], dtype=dtype)


def make(model: vs.Model, name: str, seed: int, rounds: int) -> tuple[dict[str, NDArray[Any]], float]:
    """Every parameter, and the median of the seconds that a round of making them all took."""
    seconds = []
    arrays: dict[str, NDArray[Any]] = {}
    with tqdm(total=rounds * len(model), desc=name, unit="tensor", leave=False, file=sys.stderr) as bar:
        for _ in range(rounds):
            arrays.clear()
            start = time.perf_counter()
            arrays = model.init(seed)
            seconds.append(time.perf_counter() - start)
            bar.update(len(model))
    return arrays, median(seconds)


def digest(arrays: dict[str, NDArray[Any]]) -> str:
    """SHA-256 over each parameter's name, shape, dtype and little-endian bytes."""
    sha = hashlib.sha256()
    for name, array in arrays.items():
        sha.update(f"{name} {array.shape} {array.dtype.name}\n".encode())
        sha.update(array.reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


def main() -> int:
    """Prints one row a model; returns 1 where two thread counts disagree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--dtype", default="float32", choices=("float16", "bfloat16", "float32", "float64"))
    parser.add_argument("--threads", type=int, default=vs.get_num_threads())
    options = parser.parse_args()

    print(f"seed {options.seed}, {options.dtype}, {options.threads} threads\n")
    print(f"{'model':<12} {'tensors':>7} {'parameters':>12} {'MB':>8} {'seconds':>9} {'G values/s':>11}")
    digests, same = [], True
    for name in FILES:
        model = read(name, options.dtype)
        vs.set_num_threads(options.threads)
        arrays, seconds = make(model, name, options.seed, ROUNDS)
        megabytes, rate = model.nbytes / 1e6, model.size / seconds / 1e9
        print(f"{name:<12} {len(model):>7} {model.size:>12,} {megabytes:>8.1f} {seconds:>9.4f} {rate:>11.2f}")
        found = digest(arrays)
        digests.append(f"{name:<12} SHA-256 {found}")
        vs.set_num_threads(1)
        same = same and digest(make(model, name, options.seed, 1)[0]) == found
    print("", *digests, sep="\n")
    print("\nThe same with 1 thread." if same else "\nNOT the same with 1 thread.")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
