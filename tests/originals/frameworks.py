"""What a framework says: its script runs in its own environment and leaves raw bits in a file."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import varscale as vs
from cases import OTHERS, VARIANCE, Case
from varscale.replay import Replay

ROOT = Path(__file__).parents[2]
Bits = NDArray[np.unsignedinteger]


def answers(framework: str, script: str, *arguments: str, **environment: str) -> dict[str, Bits]:
    """The arrays that `script` writes when the framework's own Python runs it, by name."""
    python = ROOT / f".venv-replay-{framework}" / "bin" / "python"
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "values.npz"
        command = [python, Path(__file__).parent / script, file, *arguments]
        run = subprocess.run(
            command, env=os.environ | quiet | environment, capture_output=True, text=True, check=False, timeout=3600
        )
        assert run.returncode == 0, run.stderr
        with np.load(file) as values:
            return dict(values)


def initializer(rule: str, seed: Replay) -> vs.Initializer:
    """Ours for a rule of the table."""
    if rule in VARIANCE:
        return vs.VarianceScaling(*VARIANCE[rule], seed)
    others = {
        "random_normal": vs.RandomNormal,
        "truncated_normal": vs.TruncatedNormal,
        "random_uniform": vs.RandomUniform,
    }
    return others[rule](*OTHERS[rule], seed)


def bits(array: NDArray[np.generic]) -> Bits:
    """The raw bits."""
    return array.view(f"u{array.itemsize}")


def draw(case: Case, seed: Replay) -> Bits:
    """Our bits for a case of the table."""
    return bits(initializer(case.rule, seed)(case.shape, case.dtype))


def compare(expected: Mapping[str, Bits], found: Mapping[str, Bits], title: str) -> None:
    """Asserts that not one bit differs, and prints how much was compared."""
    assert expected.keys() == found.keys()
    assert all(expected[name].shape == found[name].shape for name in expected)
    counts = {name: int(np.count_nonzero(expected[name] != found[name])) for name in expected}
    differing = {name: count for name, count in counts.items() if count}
    total = sum(values.size for values in expected.values())
    print(f"\n{title}: {len(expected)} arrays, {total} values, {sum(counts.values())} differ", end="")
    assert not differing
