"""JAX's own values: runs in its environment, and knows nothing of varscale.

python tests/originals/jax_values.py values.npz cases|keys|models [jit] [x64] [original]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import flax.linen
import flax.nnx
import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import initializers

from cases import SEEDS, VARIANCE, Case
from jax_cases import AXES, DTYPES, FOLDS, MODEL_SEED, NORMAL, SPLITS, TRUNCATED, UNIFORM, WIDTHS, table
from keras_values import Values, bits

OPTIONS = set(sys.argv[3:])


def initializer(rule: str) -> Any:
    """JAX's for a rule; its "normal" is not truncated."""
    if rule in VARIANCE:
        scale, mode, distribution = VARIANCE[rule]
        return initializers.variance_scaling(scale, mode, distribution.replace("untruncated_", ""))
    if rule in AXES:
        scale, mode, distribution, *axes = AXES[rule]
        return initializers.variance_scaling(scale, mode, distribution.replace("untruncated_", ""), *axes)
    if rule in TRUNCATED:
        stddev, lower, upper = TRUNCATED[rule]
        return initializers.truncated_normal(stddev, lower=lower, upper=upper)
    return initializers.normal(NORMAL[rule]) if rule in NORMAL else initializers.uniform(UNIFORM[rule])


@cache
def compiled(rule: str) -> Any:
    """The initializer, under `jit` where that is asked for."""
    init = initializer(rule)
    return jax.jit(init, static_argnums=(1, 2)) if "jit" in OPTIONS else init


def make(case: Case) -> Any:
    """The values, or nothing where JAX refuses."""
    try:
        return compiled(case.rule)(jax.random.key(case.seed), case.shape, jnp.dtype(case.dtype))
    except ValueError:
        return np.zeros(0, np.uint8)


def cases() -> Values:
    """The table."""
    for case in table((*DTYPES, "float64") if "x64" in OPTIONS else DTYPES):
        yield case.name, make(case)


def keys() -> Values:
    """What seeds, folds and splits give."""
    for seed in SEEDS:
        key = jax.random.key(seed)
        yield f"{seed}", jax.random.key_data(key)
        for path in FOLDS:
            folded = key
            for number in path:
                folded = jax.random.fold_in(folded, number)
            yield f"{seed} folded {path}", jax.random.key_data(folded)
        for number in SPLITS:
            yield f"{seed} split {number}", jax.random.key_data(jax.random.split(key, number))


class NnxMLP(flax.nnx.Module):
    """Three linear layers, with biases that draw too."""

    def __init__(self, rngs: flax.nnx.Rngs) -> None:
        bias = initializers.normal(0.01)
        self.layers = flax.nnx.List(flax.nnx.Linear(*widths, bias_init=bias, rngs=rngs) for widths in pairwise(WIDTHS))


class LinenMLP(flax.linen.Module):
    """The same."""

    @flax.linen.compact
    def __call__(self, x: Any) -> Any:
        for width in WIDTHS[1:]:
            x = flax.linen.Dense(width, bias_init=initializers.normal(0.01))(x)
        return x


def models() -> Values:
    """Multilayer perceptrons of both Flax interfaces."""
    for number, layer in enumerate(NnxMLP(flax.nnx.Rngs(MODEL_SEED)).layers):
        yield f"nnx {number} kernel", layer.kernel[...]
        yield f"nnx {number} bias", layer.bias[...]
    variables = LinenMLP().init(jax.random.key(MODEL_SEED), jnp.zeros((1, WIDTHS[0])))
    for number in range(len(WIDTHS) - 1):
        for name in ("kernel", "bias"):
            yield f"linen {number} {name}", variables["params"][f"Dense_{number}"][name]


MODES: dict[str, Callable[[], Values]] = {"cases": cases, "keys": keys, "models": models}

if __name__ == "__main__":
    jax.config.update("jax_enable_x64", "x64" in OPTIONS)
    jax.config.update("jax_threefry_partitionable", "original" not in OPTIONS)
    np.savez(sys.argv[1], **{name: bits(values) for name, values in MODES[sys.argv[2]]()})
