"""The matrix of values: the cases that every other definition of the laws, such as a device's, is held to.

The core's values through the public API are the right ones, and the oracle is held to the small cases too. A case is
data: who tests a device makes the part of the tensor there, and compares bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import Any, NamedTuple

import numpy as np

import varscale as vs

DTYPES = ("float16", "bfloat16", "float32", "float64")
LAWS: dict[str, vs.Initializer] = {
    "uniform": vs.RandomUniform(-0.05, 0.05, seed=7),
    "normal": vs.RandomNormal(0.0, 0.05, seed=7),
    "truncated_normal": vs.TruncatedNormal(0.0, 0.05, seed=7),
    "truncated[-1,3]": vs.TruncatedNormal(0.0, 0.05, seed=7, lower=-1.0, upper=3.0),
    "truncated[0,inf]": vs.TruncatedNormal(0.0, 0.05, seed=7, lower=0.0, upper=inf),
}
"""Every law that a device knows. The masses of the last two reach both pieces of the inverse and its far tail."""
COUNTS = (1, 3, 4, 5, 511, 512, 513, 10**6 + 3)


class Case(NamedTuple):
    """A part of a tensor: `init(shape, dtype, index=index)` are the right values."""

    name: str
    init: Any
    dtype: str
    shape: tuple[int, ...]
    index: Any = ...
    subnormal: bool = False
    """Whether float32 arithmetic meets subnormal numbers on the way, which a device may refuse to make."""

    def right(self) -> np.ndarray:
        """The core's values."""
        return self.init(self.shape, self.dtype, index=self.index)


def starts(n: int) -> tuple[int, ...]:
    """The numbers of the first element: at the ends, inside a block, and where 32 bits carry."""
    return 0, 1, 2**32 - 7, 2**40 + 2, 2**64 - n


def lines(counts: Iterable[int] = COUNTS) -> Iterator[Case]:
    """Law x dtype x count x start: runs of a tensor of 2^64 elements."""
    for law, init in LAWS.items():
        for dtype in DTYPES:
            for n in counts:
                for start in starts(n):
                    yield Case(f"{law} {dtype} {n} from {start}", init, dtype, (2**64,), slice(start, start + n))


BOXES: dict[str, tuple[tuple[int, ...], Any]] = {
    "a scalar": ((), ...),
    "nothing": ((0, 4), ...),
    "nothing of much": ((2**40, 6), (slice(3, 3), slice(None))),
    "an axis of one": ((17, 1, 129), ...),
    "an odd start": ((33, 65), (slice(5, 20), slice(3, 64))),
    "columns": ((64, 96), (slice(None), slice(32, 64))),
    "steps": ((33, 65), (slice(None, None, 3), slice(1, None, 7))),
    "steps back": ((33, 65), (slice(None, None, -1), slice(60, 2, -4))),
    "an integer": ((9, 11, 13), (slice(2, 7), -1)),
    "only integers": ((9, 11, 13), (4, 5, 6)),
    "lists": ((33, 65), ([3, 3, 32, 0], [64, 1, 0, 63, 2])),
    "a list and a slice": ((9, 11, 13), ([8, 1, 5], slice(None, None, 2), slice(3, 11))),
    "an Ellipsis": ((3, 5, 7, 11), (2, ..., slice(1, 9))),
    "past 2^32": ((2**20 + 1, 2**13 - 1), (slice(2**20 - 6, 2**20 + 1), slice(11, 300))),
    "past 2^40": ((2**21, 2**20 + 1, 5), (slice(2**21 - 2, None), slice(2**20 - 40, None), slice(1, 4))),
    "rows that carry": ((4, 2**31 + 3), (slice(None), slice(2**31 - 20, 2**31 + 3))),
    "at the end": ((2**31, 2**33), ([0, 2**31 - 1], slice(2**33 - 9, None))),
}
"""By what is special about it: a shape and an index."""


def boxes() -> Iterator[Case]:
    """Law x dtype x box."""
    for law, init in LAWS.items():
        for dtype in DTYPES:
            for name, (shape, index) in BOXES.items():
                yield Case(f"{law} {dtype} {name}", init, dtype, shape, index)


PLACES: dict[str, Any] = {
    "standard uniform": vs.RandomUniform(-1.0, 1.0, seed=-3),
    "standard normal": vs.RandomNormal(0.0, 1.0, seed=-3),
    "standard truncated": vs.TruncatedNormal(0.0, 1.0, seed=-3),
    "loc": vs.RandomNormal(0.3, 0.05, seed=-3),
    "loc of truncated": vs.TruncatedNormal(-1.7, 0.3, seed=-3),
    "loc of truncated at others": vs.TruncatedNormal(1.0, 0.5, seed=-3, lower=-1.0, upper=3.0),
    "loc of uniform": vs.RandomUniform(-0.02, 0.07, seed=-3),
    "loc drowns": vs.RandomNormal(1000.0, 1e-3, seed=-3),
    "from 0": vs.RandomUniform(0.0, 1.0, seed=-3),
    "from -0": vs.RandomUniform(-0.0, 0.3, seed=-3),
    "to 0": vs.RandomUniform(-0.3, 0.0, seed=-3),
    "many at the ends": vs.RandomUniform(1.0, 1.0 + 2.0**-20, seed=-3),
    "equal ends": vs.RandomUniform(0.25, 0.25, seed=-3),
    "no spread": vs.RandomNormal(-0.25, 0.0, seed=-3),
    "zeros": vs.TruncatedNormal(0.0, 0.0, seed=-3),
    "large": vs.RandomUniform(-6e4, 6e4, seed=-3),
    "large normal": vs.RandomNormal(0.0, 9e3, seed=-3),
    "a power of two": vs.RandomNormal(0.0, 2.0**-6, seed=-3),
    "scale of many digits": vs.RandomUniform(-0.1234567890123, 0.1234567890123, seed=-3),
    "above the mean": vs.TruncatedNormal(0.0, 1.0, seed=-3, lower=0.5, upper=0.75),
    "a far tail": vs.TruncatedNormal(0.0, 1.0, seed=-3, lower=8.0, upper=9.0),
    "a border of tails": vs.TruncatedNormal(0.0, 1.0, seed=-3, lower=5.6, upper=7.2),
    "a far tail below": vs.TruncatedNormal(0.0, 1.0, seed=-3, lower=-30.0, upper=-20.0),
    "nearly all": vs.TruncatedNormal(0.0, 1.0, seed=-3, lower=-7.0, upper=7.0),
    "the farthest tail": vs.TruncatedNormal(0.0, 1.0, seed=-3, lower=34.5, upper=inf),
    "about 0": vs.TruncatedNormal(0.0, 1.0, seed=-3, lower=-1e-9, upper=1e-9),
    "about -0": vs.TruncatedNormal(-0.0, 1.0, seed=-3, lower=-1e-9, upper=1e-9),
    "zeros of both signs": vs.RandomUniform(-0.0, -0.0, seed=-3),
    "one side": vs.TruncatedNormal(0.5, 0.1, seed=-3, lower=-inf, upper=-1.0),
    "fans": vs.lecun_normal(2**70).fold_in("layers", 3, "kernel"),
    "fans of uniform": vs.glorot_uniform(0).fold_in("block", -1),
    "float16 subnormals": vs.RandomUniform(-1e-5, 1e-5, seed=-3),
    "float16 subnormals of normal": vs.RandomNormal(0.0, 1e-6, seed=-3),
}
"""By what is special about them: `loc`, `scale` and clamps."""
TINY: dict[str, Any] = {
    "tiny uniform": vs.RandomUniform(-1e-40, 1e-40, seed=5),
    "tiny normal": vs.RandomNormal(0.0, 1e-40, seed=5),
    "tiny truncated": vs.TruncatedNormal(0.0, 1e-39, seed=5),
    "tiny truncated at others": vs.TruncatedNormal(0.0, 1e-39, seed=5, lower=-1.0, upper=3.0),
    "tiny beside loc": vs.RandomNormal(1e-39, 1e-39, seed=5),
}
"""Places whose values are subnormal in float32; in float64 they are not."""
SMALLEST: dict[str, Any] = {
    "smallest uniform": vs.RandomUniform(-1e-310, 1e-310, seed=5),
    "smallest normal": vs.RandomNormal(0.0, 1e-310, seed=5),
    "smallest truncated": vs.TruncatedNormal(0.0, 1e-310, seed=5),
}
"""Places whose values are subnormal in float64 too, and 0 in the others."""


def places(shape: tuple[int, ...] = (37, 129)) -> Iterator[Case]:
    """Place x dtype: whole tensors."""
    for dtype in DTYPES:
        for name, init in PLACES.items():
            yield Case(f"{name} {dtype}", init, dtype, shape)
        for name, init in (*TINY.items(), *SMALLEST.items()):
            subnormal = dtype != "float64" or name in SMALLEST
            yield Case(f"{name} {dtype}", init, dtype, shape, subnormal=subnormal)


def cases() -> list[Case]:
    """All cases."""
    return [*lines(), *boxes(), *places()]


def small() -> list[Case]:
    """All but the runs of a million elements."""
    return [*lines(COUNTS[:-1]), *boxes(), *places()]
