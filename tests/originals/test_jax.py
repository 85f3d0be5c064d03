"""Replays of JAX's stream against JAX, Flax and Keras on JAX themselves."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import varscale as vs
from cases import SEEDS, VARIANCE, Case
from cases import cases as keras_cases
from frameworks import Bits, answers, bits, compare, draw
from jax_cases import (
    AXES,
    DTYPES,
    FOLDS,
    MODEL_SEED,
    NORMAL,
    SPLITS,
    TRUNCATED,
    UNIFORM,
    WIDTHS,
    is_refused,
    table,
)
from tensorflow_cases import DRAWS, GLOBAL_SEED, TURNS, WEIGHTS
from varscale import replay

WITHOUT_FP16 = {"XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}
HAS_FP16 = "avx512_fp16" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
NOTHING = np.zeros(0, np.uint8)


def initializer(rule: str, seed: replay.Replay) -> vs.Initializer:
    """Ours for a rule of JAX's."""
    if rule in VARIANCE:
        return vs.VarianceScaling(*VARIANCE[rule], seed)
    if rule in AXES:
        scale, mode, distribution, ins, outs, batch = AXES[rule]
        return vs.VarianceScaling(scale, mode, distribution, seed, in_axis=ins, out_axis=outs, batch_axis=batch)
    if rule in TRUNCATED:
        stddev, lower, upper = TRUNCATED[rule]
        return vs.TruncatedNormal(0.0, stddev, seed, lower=lower, upper=upper)
    return vs.RandomNormal(0.0, NORMAL[rule], seed) if rule in NORMAL else vs.RandomUniform(0.0, UNIFORM[rule], seed)


def attempt(make: Callable[[], Bits]) -> Bits:
    """The bits, or nothing where they are refused."""
    try:
        return make()
    except ValueError:
        return NOTHING


def seed(number: int, options: list[str], **others: Any) -> Any:
    """JAX's key of a seed under the options."""
    switches = {"x64": "x64" in options, "jit": "jit" in options, "partitionable": "original" not in options}
    return replay.jax(number, **switches, **others)


OPTIONS = ("", "jit", "x64", "jit x64", "original", "original x64")
RUNS = [(options, False) for options in OPTIONS] + [(options, True) for options in ("", "jit") if HAS_FP16]


@pytest.mark.parametrize(("options", "fused_half"), RUNS)
def test_initializers(options: str, fused_half: bool) -> None:
    """If this fails `jax` has other bits than jax.nn.initializers, or refuses what JAX makes."""
    chosen = options.split()
    dtypes = (*DTYPES, "float64") if "x64" in chosen else DTYPES
    found = {}
    for case in table(dtypes):
        init = initializer(case.rule, seed(case.seed, chosen, fused_half=fused_half))
        found[case.name] = attempt(lambda init=init, case=case: bits(init(case.shape, case.dtype)))
        if is_refused(case, chosen):
            assert found.pop(case.name).size == 0
    expected = answers("jax", "jax_values.py", "cases", *chosen, **({} if fused_half else WITHOUT_FP16))
    expected = {name: expected[name] for name in expected if name in found}
    compare(expected, found, f"JAX {options or 'eager'}{', AVX512-FP16' if fused_half else ''}")


@pytest.mark.parametrize("options", ["", "x64", "original"])
def test_keys(options: str) -> None:
    """If this fails a seed, `fold_in` or `split` gives another key than JAX."""
    chosen, found = options.split(), {}
    for number in SEEDS:
        key = seed(number, chosen)
        found[f"{number}"] = np.array(key.key, np.uint32)
        found |= {f"{number} folded {path}": np.array(key.fold_in(*path).key, np.uint32) for path in FOLDS}
        found |= {
            f"{number} split {num}": np.array([child.key for child in key.split(num)], np.uint32) for num in SPLITS
        }
    compare(answers("jax", "jax_values.py", "keys", *chosen), found, f"keys {options}")


def linen(layer: str, number: int) -> int:
    """What Flax's linen folds into the key for a layer's parameter, the first of which has the number 1."""
    return int.from_bytes(sha1(layer.encode() + bytes((number,))).digest()[:4], "big")


def test_flax_models() -> None:
    """If this fails the keys of Flax's parameters are not those that the documentation says."""
    key, found = replay.jax(MODEL_SEED), {}
    for number, shape in enumerate(pairwise(WIDTHS)):
        kernel, bias = vs.lecun_normal(key), vs.RandomNormal(0.0, 0.01, key)
        found[f"nnx {number} kernel"] = bits(kernel.fold_in(2 * number)(shape))
        found[f"nnx {number} bias"] = bits(bias.fold_in(2 * number + 1)(shape[1:]))
        layer = f"Dense_{number}"
        found[f"linen {number} kernel"] = bits(kernel.fold_in(linen(layer, 1))(shape))
        found[f"linen {number} bias"] = bits(bias.fold_in(linen(layer, 2))(shape[1:]))
    compare(answers("jax", "jax_values.py", "models"), found, "Flax")


def keras(mode: str, *dtypes: str) -> dict[str, Bits]:
    """Keras' values on JAX, with float64 where that is among the dtypes."""
    x64 = "1" if "float64" in dtypes else "0"
    return answers("jax", "keras_values.py", mode, *dtypes, KERAS_BACKEND="jax", JAX_ENABLE_X64=x64, **WITHOUT_FP16)


def draw_keras(case: Case, draw_number: int = 0) -> Bits:
    """Our bits, or nothing where the seed is refused."""
    return attempt(lambda: draw(case, replay.keras(case.seed, "jax", draw_number)))


@pytest.mark.parametrize("dtypes", [DTYPES, (*DTYPES, "float64")], ids=["x32", "x64"])
def test_keras(dtypes: tuple[str, ...]) -> None:
    """If this fails `keras` has other bits than Keras 3 on JAX."""
    found = {case.name: draw_keras(case) for case in keras_cases(dtypes=dtypes)}
    init = vs.VarianceScaling(1.0, "fan_avg", "uniform", replay.keras(3, "jax"), in_axis=0, out_axis=(1, 2))
    compare(keras("keras", *dtypes), found | {"axes": bits(init((4, 3, 5)))}, "Keras 3 on JAX")


def test_draws_of_a_generator() -> None:
    """If this fails `draw=` is not the position in a SeedGenerator."""
    found = {f"{case.name} draw {n}": draw_keras(case, n) for case in DRAWS for n in range(5)}
    compare(keras("draws", "float64"), found, "SeedGenerator on JAX")


def test_a_whole_keras_model() -> None:
    """If this fails `keras_defaults` does not give a model on JAX its weights."""
    seeds = list(islice(replay.keras_defaults(GLOBAL_SEED, "jax"), max(TURNS["keras"]) + 1))
    found = {
        f"keras {number}": bits(vs.get({"class_name": rule, "config": {"seed": seeds[turn]}})(shape))
        for turn, (number, rule, shape) in zip(TURNS["keras"], WEIGHTS, strict=True)
    }
    compare(keras("models"), found, "Keras model on JAX")
