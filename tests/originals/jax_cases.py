"""What JAX's stream is compared in: the table with JAX's own rules, keys, and the models of Flax and Keras."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from cases import SEEDS, VARIANCE, Case, cases

DTYPES = ("float32", "float16", "bfloat16")
NORMAL = {"normal": 0.05, "normal 3": 3.0}
"""By stddev."""
UNIFORM = {"uniform": 1.1}
"""By scale."""
TRUNCATED = {
    "truncated": (0.7, -2.0, 2.0),
    "truncated -1 3": (0.05, -1.0, 3.0),
    "truncated 0 1.3": (1.0, 0.0, 1.3),
    "truncated -0.3 0.1": (1.7, -0.3, 0.1),
    "truncated 2.5 inf": (0.1, 2.5, inf),
    "truncated -inf 0.77": (0.3, -inf, 0.77),
    "truncated -5.1 4.9": (1.0, -5.1, 4.9),
}
"""By stddev, lower and upper."""
AXES = {
    "geometric": (1.0, "fan_geo_avg", "truncated_normal", (0, 2), (1, 3), ()),
    "experts": (2.0, "fan_in", "uniform", 2, 3, (0,)),
    "receptive": (1.0, "fan_out", "untruncated_normal", 0, 1, ()),
}
"""Variance scalings by scale, mode, distribution and the three axes; of four axes."""
RULES = (*VARIANCE, *NORMAL, *UNIFORM, *TRUNCATED)
MATRICES = ((1, 1), (4, 5), (257, 3), (3, 3, 5, 7), (30000, 2))
"""Shapes that have fans; most of the table's have none, and are refused."""
FOLDS = ((7,), (2**32 - 1,), (3, 0))
SPLITS = (2, 5)
WIDTHS = (20, 33, 17, 10)
"""Of the models' layers."""
MODEL_SEED = 2**31 + 5


def table(dtypes: tuple[str, ...] = DTYPES) -> Iterator[Case]:
    """Every case."""
    yield from cases(dtypes=dtypes, rules=RULES)
    for number, rule in enumerate(VARIANCE):
        for place, dtype in enumerate(dtypes):
            for shape in MATRICES:
                yield Case(rule, dtype, SEEDS[(number + place) % len(SEEDS)], shape)
    for rule in AXES:
        for dtype in dtypes:
            yield Case(rule, dtype, 42, (3, 4, 5, 7))


def is_refused(case: Case, options: list[str]) -> bool:
    """Whether the values depend on the machine's C library, so that they have no replay."""
    return "jit" in options and case.dtype == "float32" and case.rule in TRUNCATED and case.rule != "truncated"
