"""Replays of TensorFlow's streams against TensorFlow, tf_keras and Keras themselves."""

from __future__ import annotations

from itertools import islice
from math import prod
from random import Random

import pytest

import varscale as vs
from cases import Case, cases
from frameworks import Bits, answers, bits, compare, draw
from tensorflow_cases import DRAWS, GLOBAL_SEED, GRAPH_SEEDS, SEQUENCE, TURNS, UNIT_SCALING, WEIGHTS, pairs
from varscale import replay

M = 2**31 - 1


def ask(mode: str) -> dict[str, Bits]:
    """TensorFlow's values; its legacy Keras has the classes of `tf.compat.v1`."""
    return answers("tensorflow", "tensorflow_values.py", mode, TF_USE_LEGACY_KERAS="1")


@pytest.mark.parametrize("mode", ["graph", "eager"])
def test_stateful_ops(mode: str) -> None:
    """If this fails `tf1` has other bits than TensorFlow 1's ops: seeds, first and second runs, sequences."""
    found = {}
    for graph_seed, case in pairs():
        seed = case.seed
        if seed is None and mode == "eager":
            seed = Random(graph_seed).randint(0, M)
        for run in range(2 if case.seed is not None or mode == "graph" else 1):
            stream = replay.tf1(seed, graph_seed, skip=run * prod(case.shape), eager=mode == "eager")
            found[f"{graph_seed} {case.name} run {run}"] = draw(case, stream)
    for graph_seed in GRAPH_SEEDS[1:]:
        unseeded, random = iter(range(len(SEQUENCE))), Random(graph_seed)
        for number, (rule, seed) in enumerate(SEQUENCE):
            if seed is None:
                seed = next(unseeded) if mode == "graph" else random.randint(0, M)
            found[f"{graph_seed} sequence {number}"] = draw(
                Case(rule, "float32", seed, (3, 5)), replay.tf1(seed, graph_seed)
            )
    compare(ask(mode), found, f"tf.compat.v1, {mode}")


def test_tf_keras() -> None:
    """If this fails `tf_keras` has other bits than tf_keras."""
    compare(ask("tf_keras"), {case.name: draw(case, replay.tf_keras(case.seed)) for case in cases()}, "tf_keras")


def test_keras() -> None:
    """If this fails `keras` has other bits than Keras 3 on TensorFlow."""
    found = {case.name: draw(case, replay.keras(case.seed)) for case in cases()}
    init = vs.VarianceScaling(1.0, "fan_avg", "uniform", replay.keras(3), in_axis=0, out_axis=(1, 2))
    compare(ask("keras"), found | {"axes": bits(init((4, 3, 5)))}, "Keras 3")


def test_draws_of_a_generator() -> None:
    """If this fails `draw=` is not the position in a SeedGenerator."""
    found = {f"{case.name} draw {n}": draw(case, replay.keras(case.seed, draw=n)) for case in DRAWS for n in range(5)}
    compare(ask("draws"), found, "SeedGenerator")


def test_uniform_unit_scaling() -> None:
    """If this fails the law of TensorFlow 1's initializer has another fan, or its limit another last digit."""
    found = {
        f"{factor} {dtype} {shape}": bits(vs.UniformUnitScaling(factor, replay.tf1(42), dtype)(shape))
        for factor, dtype, shape in UNIT_SCALING
    }
    compare(ask("unit_scaling"), found, "uniform_unit_scaling")


def test_whole_models() -> None:
    """If this fails `keras_defaults` does not give a model built without seeds its weights."""
    found = {}
    for name, turns in TURNS.items():
        seeds = list(islice(replay.keras_defaults(GLOBAL_SEED), max(turns) + 1))
        for turn, (number, rule, shape) in zip(turns, WEIGHTS, strict=True):
            seed = seeds[turn] if name == "keras" else replay.tf_keras(seeds[turn].seed)
            found[f"{name} {number}"] = bits(vs.get({"class_name": rule, "config": {"seed": seed}})(shape))
    compare(ask("models"), found, "models")
