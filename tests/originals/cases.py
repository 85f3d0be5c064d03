"""The table of cases: initializers, dtypes, seeds, shapes. Read here and in the frameworks' environments.

Every initializer meets every dtype and seed, the small shapes in turn, and every dtype the large one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple


class Case(NamedTuple):
    """One tensor."""

    rule: str
    dtype: str
    seed: int | None
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        """Of its values in a file."""
        return f"{self.rule} {self.dtype} {self.seed} {'x'.join(map(str, self.shape))}"


VARIANCE = {
    "lecun_normal": (1.0, "fan_in", "truncated_normal"),
    "he_uniform": (2.0, "fan_in", "uniform"),
    "glorot_uniform": (1.0, "fan_avg", "uniform"),
    "glorot_normal": (1.0, "fan_avg", "truncated_normal"),
    "untruncated": (3.0, "fan_out", "untruncated_normal"),
}
"""Rules by scale, mode and distribution."""
OTHERS = {"random_normal": (0.3, 0.05), "truncated_normal": (-0.1, 0.7), "random_uniform": (-0.3, 1.1)}
"""Rules by mean and stddev, or by minval and maxval."""
RULES = (*VARIANCE, *OTHERS)
DTYPES = ("float32", "float16", "bfloat16", "float64")
SEEDS = (0, 1, 42, 2**31 - 1, 2**31 + 5, 2**40 + 3, -3)
SMALL = ((1,), (3,), (4,), (5,), (257,), (3, 3, 5, 7))
LARGE = (1000, 1003)


def cases(
    seeds: tuple[int | None, ...] = SEEDS, dtypes: tuple[str, ...] = DTYPES, rules: tuple[str, ...] = RULES
) -> Iterator[Case]:
    """The table."""
    for number, (rule, dtype, seed) in enumerate(product(rules, dtypes, seeds)):
        for shape in dict.fromkeys((SMALL[number % len(SMALL)], SMALL[(number // len(seeds) + 3) % len(SMALL)])):
            yield Case(rule, dtype, seed, shape)
    for number, (rule, dtype) in enumerate(product(rules, dtypes)):
        yield Case(rule, dtype, seeds[number % len(seeds)], LARGE)
