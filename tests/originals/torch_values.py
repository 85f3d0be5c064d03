"""torch's own values, and those of Keras on torch and on NumPy: runs in their environment, knows nothing of varscale.

python tests/originals/torch_values.py values.npz tensors|draws|skips|perceptron|keras|generators|model
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes  # noqa: F401  NumPy then knows bfloat16
import numpy as np
import torch

from cases import OTHERS, VARIANCE, Case
from cases import cases as keras_cases
from torch_cases import DRAWS, GLOBAL_SEED, KERAS_SEEDS, LAYERS, RULES, SKIPS, cases, sequence

Values = Iterator[tuple[str, Any]]
INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def bits(values: Any) -> Any:
    """The raw bits, which NumPy's files hold for every dtype."""
    if isinstance(values, torch.Tensor):
        values = values.detach().contiguous().view(INTEGERS[values.element_size()]).numpy()
    return values.view(f"u{values.itemsize}")


def draw(case: Case, generator: torch.Generator) -> torch.Tensor:
    """A new tensor."""
    tensor = torch.empty(case.shape, dtype=getattr(torch, case.dtype))
    rule = RULES[case.rule]
    return getattr(torch.nn.init, rule.function)(tensor, **rule.arguments, generator=generator)


def tensors() -> Values:
    """Each case from a generator of its own, and what that draws next: where it is, and which value it keeps."""
    for case in cases():
        generator = torch.Generator().manual_seed(case.seed)
        yield case.name, draw(case, generator)
        yield f"{case.name} next", torch.rand(3, generator=generator)
        yield f"{case.name} kept", torch.randn(3, generator=generator)


def draws() -> Values:
    """All cases from one generator."""
    generator = torch.Generator().manual_seed(GLOBAL_SEED)
    for number, case in enumerate(sequence()):
        yield f"{number} {case.name}", draw(case, generator)


def skips() -> Values:
    """What a generator draws after so many words."""
    for skip in SKIPS:
        generator = torch.Generator().manual_seed(GLOBAL_SEED)
        torch.rand(skip, generator=generator)
        yield str(skip), torch.rand(1500, generator=generator)


def perceptron() -> Values:
    """Models built after one seed is set."""
    for dtype in ("float32", "bfloat16", "float64"):
        torch.manual_seed(GLOBAL_SEED)
        layers = [torch.nn.Linear(*layer, dtype=getattr(torch, dtype)) for layer in LAYERS]
        for name, parameter in torch.nn.Sequential(*layers, torch.nn.Embedding(7, 5)).named_parameters():
            yield f"{dtype} {name}", parameter


def make(rule: str, seed: Any) -> Any:
    """The initializer of Keras for a rule of the table."""
    import keras

    if rule in VARIANCE:
        return keras.initializers.VarianceScaling(*VARIANCE[rule], seed=seed)
    name = "".join(word.capitalize() for word in rule.split("_"))
    return getattr(keras.initializers, name)(*OTHERS[rule], seed=seed)


def seeds() -> tuple[int, ...]:
    """Those that Keras takes on this backend."""
    import keras

    return KERAS_SEEDS[keras.backend.backend()]


def keras() -> Values:
    """The initializers of Keras 3."""
    for case in keras_cases(seeds()):
        yield case.name, make(case.rule, case.seed)(case.shape, case.dtype)


def generators() -> Values:
    """Successive draws of a SeedGenerator of Keras 3."""
    import keras

    for rule, dtype, seed, shape in keras_cases(seeds()):
        if shape == (5,) and seed < 2**31:
            generator = keras.random.SeedGenerator(seed)
            for number in range(DRAWS):
                yield f"{rule} {dtype} {seed} draw {number}", make(rule, generator)(shape, dtype)


def model() -> Values:
    """A whole model of Keras without a seed of its own."""
    import keras

    keras.utils.set_random_seed(GLOBAL_SEED)
    layers = [keras.layers.Dense(12), keras.layers.Dense(7, kernel_initializer="he_normal"), keras.layers.Dense(3)]
    whole = keras.Sequential(layers)
    whole.build((None, 9))
    for number, kernel in enumerate(whole.get_weights()[::2]):
        yield str(number), kernel


MODES: dict[str, Callable[[], Values]] = {
    mode.__name__: mode for mode in (tensors, draws, skips, perceptron, keras, generators, model)
}


if __name__ == "__main__":
    if sys.argv[2] == "tensors":
        print(torch.backends.cpu.get_cpu_capability())
    np.savez(sys.argv[1], **{name: bits(values) for name, values in MODES[sys.argv[2]]()})
