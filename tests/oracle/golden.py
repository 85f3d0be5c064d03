"""Golden hashes: SHA-256 of the bytes of law x dtype x seed x shape, through the public initializers.

`make golden` writes `golden.txt` anew, until `frozen.py` says that a release has promised it.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator

import numpy as np

import frozen
import varscale

NAME = "golden.txt"
SHAPES = ((), (1,), (7,), (3, 5), (0, 4), (17, 1, 129), (1023, 1025), (2, 3, 5, 7, 11))
SEEDS = (0, 42, -1, 2**70)
INITIALIZERS = {
    "uniform": lambda seed, dtype: varscale.RandomUniform(seed=seed, dtype=dtype),
    "normal": lambda seed, dtype: varscale.RandomNormal(seed=seed, dtype=dtype),
    "truncated_normal": lambda seed, dtype: varscale.TruncatedNormal(seed=seed, dtype=dtype),
    "truncated_normal[-1,3]": lambda seed, dtype: varscale.TruncatedNormal(
        1.0, 0.5, seed, dtype, lower=-1.0, upper=3.0
    ),
    "lecun_normal": lambda seed, dtype: varscale.lecun_normal(seed, dtype=dtype),
    "glorot_uniform/block/0": lambda seed, dtype: varscale.glorot_uniform(seed, dtype=dtype).fold_in("block", 0),
    "log_uniform": lambda seed, dtype: varscale.LogUniform(seed=seed, dtype=dtype),
    "log_uniform[inverse_softplus]": lambda seed, dtype: varscale.LogUniform(
        1e-3, 0.1, seed, dtype, floor=2e-3, inverse_softplus=True
    ),
    "uniform_unit_scaling": lambda seed, dtype: varscale.UniformUnitScaling(1.43, seed, dtype),
    "sparse": lambda seed, dtype: varscale.Sparse(0.7, 0.02, seed, dtype),
    "orthogonal": lambda seed, dtype: varscale.Orthogonal(seed=seed, dtype=dtype),
    "orthogonal[0]/2": lambda seed, dtype: varscale.Orthogonal(0.7, seed, dtype, axis=0, blocks=2),
    "variance_scaling[-1,3]": lambda seed, dtype: varscale.VarianceScaling(
        gain="gelu", seed=seed, dtype=dtype, lower=-1.0, upper=3.0
    ),
}
BLOCKS = ((4, 0), (2, 2), (6, 40), (130, 70), (256, 256), (8, 3, 5, 7))
MATRICES = [shape for shape in SHAPES if len(shape) == 2]
SHAPES_OF = {"sparse": MATRICES, "orthogonal": BLOCKS, "orthogonal[0]/2": BLOCKS}
"""The shapes of initializers that make matrices alone."""
DTYPES = ("float16", "bfloat16", "float32", "float64")
FLOAT8, COMPLEX = ("float8_e4m3fn", "float8_e5m2"), ("complex64", "complex128")
REAL = (
    "uniform",
    "truncated_normal[-1,3]",
    "log_uniform",
    "log_uniform[inverse_softplus]",
    "uniform_unit_scaling",
    "sparse",
    "variance_scaling[-1,3]",
)
"""What makes no complex values."""


def cases() -> Iterator[tuple[str, str, int]]:
    """The initializer, the dtype and the seed of each case."""
    yield from itertools.product(INITIALIZERS, DTYPES, SEEDS)
    yield from itertools.product(INITIALIZERS, FLOAT8, SEEDS[:2])
    yield from itertools.product([name for name in INITIALIZERS if name not in REAL], COMPLEX, SEEDS[:2])


def rows() -> Iterator[str]:
    """One line a case: initializer, dtype, seed, shape, SHA-256 of the little-endian bytes in C order."""
    for name, dtype, seed in cases():
        init = INITIALIZERS[name](seed, dtype)
        for shape in SHAPES_OF.get(name, SHAPES):
            array = np.ascontiguousarray(init(shape))
            digest = hashlib.sha256(array.tobytes()).hexdigest()
            yield f"{name} {dtype} {seed} {'x'.join(map(str, shape)) or 'scalar'} {digest}"


def kept() -> list[str]:
    """The lines of the file, without its header."""
    return [
        line for line in (frozen.FOLDER / NAME).read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]


HEADER = """\
# Stream 1. One line a case: initializer, dtype, seed, shape, SHA-256 of the bytes (little-endian, C order).
# Written by `make golden`, checked by test_golden.py.
"""


def write() -> None:
    """Writes the file anew, with the values of this version."""
    frozen.write(NAME, itertools.chain([HEADER], (f"{row}\n" for row in rows())))


if __name__ == "__main__":
    write()
