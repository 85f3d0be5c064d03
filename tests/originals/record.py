"""Writes tests/known_answers/large.txt: the hashes of large tensors that JAX, torch and Keras 3 themselves make.

PYTHONPATH=python:tests .venv/bin/python tests/originals/record.py
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import test_jax
import test_torch
import varscale as vs
from cases import LARGE, Case
from cases import cases as keras_cases
from frameworks import Bits, initializer
from jax_cases import table
from torch_cases import KERAS_SEEDS
from torch_cases import cases as torch_cases
from varscale import replay

FILE = Path(__file__).parents[1] / "known_answers" / "large.txt"
HEADER = """\
# The first 16 digits of the SHA-256 of the raw bits (little-endian, C order) that JAX 0.10, torch 2.15 and Keras 3.15
# themselves made on a CPU for tensors of shape (1000, 1003): Linux x86-64 with FMA, glibc 2.36. Written by
# tests/originals/record.py.
"""
JAX = {"": test_jax.DTYPES, "x64": ("float64",)}
"""The dtypes, by JAX's options."""
TORCH = {"avx2": ("float32", "float16", "bfloat16", "float64"), "default": ("float32",)}
"""The dtypes, by torch's capability."""


def lines() -> Iterator[str]:
    """One line a tensor: our initializer for it, and the framework's hash."""
    for options, dtypes in JAX.items():
        expected = test_jax.answers("jax", "jax_values.py", "cases", *options.split(), **test_jax.WITHOUT_FP16)
        for case in large(table(test_jax.DTYPES + JAX["x64"] if options else test_jax.DTYPES)):
            if case.dtype in dtypes:
                init = test_jax.initializer(case.rule, test_jax.seed(case.seed, options.split()))
                yield line(init, case, expected)
    for capability, dtypes in TORCH.items():
        environment = {"ATEN_CPU_CAPABILITY": "default"} if capability == "default" else {}
        expected = test_torch.ask("tensors", **environment)
        for case in large(torch_cases()):
            if case.dtype in dtypes:
                seed = replay.torch(case.seed, cpu_capability=capability)
                yield line(test_torch.initializer(case)._with_seed(seed), case, expected)
    expected = test_jax.keras("keras", *test_jax.DTYPES)
    for case in large(keras_cases(dtypes=test_jax.DTYPES)):
        if 0 <= case.seed < 2**32:
            yield line(initializer(case.rule, replay.keras(case.seed, "jax")), case, expected)
    expected = test_torch.ask("keras", KERAS_BACKEND="torch")
    for case in large(keras_cases(KERAS_SEEDS["torch"])):
        yield line(initializer(case.rule, replay.keras(case.seed, "torch")), case, expected)


def large(cases: Iterator[Case]) -> list[Case]:
    """Those of the large shape."""
    return [case for case in cases if case.shape == LARGE]


def line(init: vs.Initializer, case: Case, expected: Mapping[str, Bits]) -> str:
    """The initializer as Python reads it, and the hash."""
    digest = hashlib.sha256(expected[case.name].tobytes()).hexdigest()
    typed = type(init).from_config(init.get_config() | {"dtype": case.dtype})
    shown = re.sub(r"<(replay\..*) of [^>]*>", r"\1", repr(typed))
    return f"{shown}: {digest[:16]}\n"


if __name__ == "__main__":
    FILE.write_text(HEADER + "".join(lines()), encoding="utf-8", newline="\n")
