"""Replays of torch's stream against torch itself, and of Keras on torch and on NumPy against Keras."""

from __future__ import annotations

from typing import Any

import pytest

import varscale as vs
from cases import Case
from cases import cases as keras_cases
from frameworks import Bits, answers, bits, compare, draw
from torch_cases import CAPABILITIES, DRAWS, GLOBAL_SEED, KERAS_SEEDS, LAYERS, RULES, SKIPS, cases, sequence
from varscale import replay


def ask(mode: str, **environment: str) -> dict[str, Bits]:
    """What torch draws."""
    return answers("torch", "torch_values.py", mode, **environment)


def initializer(case: Case) -> Any:
    """Ours for a rule of torch's, without a seed."""
    rule = RULES[case.rule]
    if rule.scales:
        return vs.VarianceScaling(*rule.ours, in_axis=1, out_axis=0)
    if rule.initializer == "TruncatedNormal":
        mean, stddev, lower, upper = rule.ours
        return vs.TruncatedNormal(mean, stddev, lower=lower, upper=upper)
    return getattr(vs, rule.initializer)(*rule.ours)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_functions_of_torch_nn_init(capability: str) -> None:
    """If this fails `torch` has other bits than torch, or the generator is elsewhere afterwards."""
    found = {}
    for case in cases():
        draws = replay.torch(case.seed, cpu_capability=capability).draws()
        found[case.name] = bits(draws(initializer(case), case.shape, case.dtype))
        found[f"{case.name} next"] = bits(draws(vs.RandomUniform(0.0, 1.0), (3,)))
        found[f"{case.name} kept"] = bits(draws(vs.RandomNormal(0.0, 1.0), (3,)))
    environment = {"ATEN_CPU_CAPABILITY": "default"} if capability == "default" else {}
    compare(ask("tensors", **environment), found, f"torch.nn.init, {capability}")


def test_successive_draws() -> None:
    """If this fails `draws` loses its place in one generator."""
    draws = replay.torch(GLOBAL_SEED).draws()
    found = {
        f"{number} {case.name}": bits(draws(initializer(case), case.shape, case.dtype))
        for number, case in enumerate(sequence())
    }
    compare(ask("draws"), found, "draws of one generator")


def test_words_after_a_skip() -> None:
    """If this fails `skip` leads elsewhere than torch comes by drawing so many words."""
    seeds = {str(skip): replay.torch(GLOBAL_SEED, skip) for skip in SKIPS}
    found = {skip: bits(vs.RandomUniform(0.0, 1.0, seed)((1500,))) for skip, seed in seeds.items()}
    compare(ask("skips"), found, "words after a skip")


def test_perceptron() -> None:
    """If this fails a model built after one `torch.manual_seed` has other weights than ours."""
    found = {}
    for dtype in ("float32", "bfloat16", "float64"):
        draws = replay.torch(GLOBAL_SEED).draws()
        for number, layer in enumerate(LAYERS):
            weight, bias = draws.linear(*layer, dtype=dtype)
            found[f"{dtype} {number}.weight"] = bits(weight)
            if bias is not None:
                found[f"{dtype} {number}.bias"] = bits(bias)
        found[f"{dtype} {len(LAYERS)}.weight"] = bits(draws(vs.RandomNormal(0.0, 1.0), (7, 5)))
    compare(ask("perceptron"), found, "perceptrons of torch.nn")


@pytest.mark.parametrize("backend", KERAS_SEEDS)
def test_keras(backend: str) -> None:
    """If this fails `keras` has other bits than Keras 3 on this backend."""
    table = keras_cases(KERAS_SEEDS[backend])
    found = {case.name: draw(case, replay.keras(case.seed, backend)) for case in table}
    compare(ask("keras", KERAS_BACKEND=backend), found, f"Keras 3 on {backend}")


@pytest.mark.parametrize("backend", KERAS_SEEDS)
def test_draws_of_a_generator(backend: str) -> None:
    """If this fails `draw=` is not the position in a SeedGenerator."""
    found = {
        f"{case.rule} {case.dtype} {case.seed} draw {number}": draw(case, replay.keras(case.seed, backend, number))
        for case in keras_cases(KERAS_SEEDS[backend])
        if case.shape == (5,) and case.seed < 2**31
        for number in range(DRAWS)
    }
    compare(ask("generators", KERAS_BACKEND=backend), found, f"SeedGenerator on {backend}")


@pytest.mark.parametrize("backend", KERAS_SEEDS)
def test_whole_models(backend: str) -> None:
    """If this fails `keras_defaults` does not give a model built without seeds its weights."""
    seeds = replay.keras_defaults(GLOBAL_SEED, backend)
    rules = ((vs.glorot_uniform, (9, 12)), (vs.he_normal, (12, 7)), (vs.glorot_uniform, (7, 3)))
    found = {str(number): bits(rule(seed=next(seeds))(shape)) for number, (rule, shape) in enumerate(rules)}
    compare(ask("model", KERAS_BACKEND=backend), found, f"a model on {backend}")
