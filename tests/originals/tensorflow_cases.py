"""What TensorFlow's streams have beside the table: graph seeds, sequences of ops, draws of a generator, models."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from cases import SEEDS, Case, cases

GRAPH_SEEDS = (None, 0, 7, 2**31 + 11, -5)
SEQUENCE = (
    ("lecun_normal", None),
    ("he_uniform", 3),
    ("glorot_uniform", None),
    ("untruncated", None),
    ("random_normal", None),
)
"""The ops of one graph, by rule and seed."""
DRAWS = tuple(Case(rule, dtype, seed, (3, 7)) for rule, dtype, seed, shape in cases() if shape == (5,))
GLOBAL_SEED = 11
TURNS = {"keras": (0, 1, 3, 6, 7, 8), "tf_keras": (0, 1, 2, 4, 5, 6)}
"""Which default seeds a model's replayed weights get. In Keras 3 Dropout and the GRU's own take one too; in both, the
GRU's recurrent kernel does."""
WEIGHTS = (
    (0, "RandomUniform", (50, 12)),
    (1, "GlorotUniform", (3, 12, 8)),
    (3, "GlorotUniform", (8, 18)),
    (6, "HeNormal", (6, 16)),
    (8, "GlorotUniform", (16, 10)),
    (9, "TruncatedNormal", (10,)),
)
"""Those weights by number, initializer and shape; beside them are zeros, and the orthogonal recurrent kernel (4)."""

UNIT_SCALING = tuple(
    product((1.0, 1.43, 0.3), ("float16", "bfloat16", "float32", "float64"), ((), (5,), (4, 6), (3, 3, 5, 7)))
)
"""Factors, dtypes and shapes of TensorFlow 1's uniform unit scaling."""


def pairs() -> Iterator[tuple[int | None, Case]]:
    """Every case with every graph seed in turn; with those also cases without a seed of their own."""
    for number, case in enumerate(cases((*SEEDS, None))):
        graph_seed = GRAPH_SEEDS[number % len(GRAPH_SEEDS)]
        if (graph_seed, case.seed) != (None, None):
            yield graph_seed, case
