"""Keras 3's own values on the backend that KERAS_BACKEND names: runs in its environment, and knows nothing of varscale.

python tests/originals/keras_values.py values.npz keras|draws|models [float32 ...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cases import DTYPES, OTHERS, VARIANCE, Case, cases
from tensorflow_cases import DRAWS, GLOBAL_SEED, WEIGHTS

Values = Iterator[tuple[str, Any]]


def bits(array: Any) -> Any:
    """The raw bits, which NumPy's files hold for every dtype."""
    values = np.asarray(array)
    return values.view(f"u{values.itemsize}")


def make(module: Any, rule: str, seed: Any) -> Any:
    """The module's initializer for a rule of the table."""
    if rule in VARIANCE:
        return module.VarianceScaling(*VARIANCE[rule], seed=seed)
    name = "".join(word.capitalize() for word in rule.split("_"))
    return getattr(module, name)(*OTHERS[rule], seed=seed)


def attempt(init: Any, case: Case) -> Any:
    """The values, or nothing where the backend refuses the seed."""
    try:
        return np.zeros(0, np.uint8) if init is None else init(case.shape, case.dtype)
    except OverflowError:
        return np.zeros(0, np.uint8)


def keras() -> Values:
    """The initializers of Keras 3."""
    import keras as module

    for case in cases(dtypes=tuple(sys.argv[3:]) or DTYPES):
        yield case.name, attempt(make(module.initializers, case.rule, case.seed), case)
    axes = {"input_axes": [0], "output_axes": [1, 2]}
    init = module.initializers.VarianceScaling(1.0, "fan_avg", "uniform", seed=3, **axes)
    yield "axes", init((4, 3, 5), "float32")


def draws() -> Values:
    """Successive draws of a SeedGenerator of Keras 3."""
    import keras as module

    for case in DRAWS:
        try:
            init = make(module.initializers, case.rule, module.random.SeedGenerator(case.seed))
        except OverflowError:
            init = None
        for draw in range(5):
            yield f"{case.name} draw {draw}", attempt(init, case)


def model(module: Any) -> list[Any]:
    """The weights of a model of Keras 2 or 3, built without a seed of its own."""
    layers = module.layers
    module.utils.set_random_seed(GLOBAL_SEED)
    built = module.Sequential(
        [
            layers.Embedding(50, 12),
            layers.Conv1D(8, 3),
            layers.Dropout(0.5),
            layers.GRU(6),
            layers.Dense(16, kernel_initializer="he_normal"),
            layers.Dense(10, bias_initializer="truncated_normal"),
        ]
    )
    built.build((None, 20))
    return built.get_weights()


def models() -> Values:
    """A whole model."""
    import keras as module

    weights = model(module)
    for number, _, _ in WEIGHTS:
        yield f"keras {number}", weights[number]


MODES: dict[str, Callable[[], Values]] = {mode.__name__: mode for mode in (keras, draws, models)}

if __name__ == "__main__":
    np.savez(sys.argv[1], **{name: bits(values) for name, values in MODES[sys.argv[2]]()})
