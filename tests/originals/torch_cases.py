"""What is drawn from torch: functions of `torch.nn.init`, their initializers here, and sequences of draws."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import sqrt
from typing import Any, NamedTuple

from cases import DTYPES, LARGE, SEEDS, SMALL, Case


class Rule(NamedTuple):
    """A function of `torch.nn.init` with its arguments, and a class of varscale with its own."""

    function: str
    arguments: dict[str, Any]
    initializer: str
    ours: tuple[Any, ...]

    @property
    def scales(self) -> bool:
        """Whether it needs fans, and so two axes."""
        return self.initializer == "VarianceScaling"


def scaling(function: str, scale: float, mode: str, law: str, /, **arguments: Any) -> Rule:
    """A rule with fans."""
    return Rule(function, arguments, "VarianceScaling", (scale, mode, law))


def truncated(mean: float, std: float, lower: float, upper: float) -> Rule:
    """A rule with bounds, which torch takes as values."""
    bounds = {"a": mean + lower * std, "b": mean + upper * std}
    return Rule("trunc_normal_", {"mean": mean, "std": std} | bounds, "TruncatedNormal", (mean, std, lower, upper))


TANH = 5.0 / 3
SLOPE = 0.3
UNIFORM, NORMAL = "uniform", "untruncated_normal"
RULES = {
    "uniform": Rule("uniform_", {}, "RandomUniform", (0.0, 1.0)),
    "uniform limits": Rule("uniform_", {"a": -0.3, "b": 1.1}, "RandomUniform", (-0.3, 1.1)),
    "normal": Rule("normal_", {}, "RandomNormal", (0.0, 1.0)),
    "normal moments": Rule("normal_", {"mean": 0.3, "std": 0.05}, "RandomNormal", (0.3, 0.05)),
    "truncated": truncated(0.0, 1.0, -2.0, 2.0),
    "truncated as torch does": truncated(0.0, 0.02, -100.0, 100.0),
    "truncated on one side": truncated(0.1, 0.7, -0.5, float("inf")),
    "truncated at the tail": truncated(0.3, 0.7, 1.0, 3.0),
    "truncated narrowly": truncated(0.123, 0.77, -0.1, 0.3),
    "kaiming_uniform": scaling("kaiming_uniform_", 2.0, "fan_in", UNIFORM, nonlinearity="relu"),
    "kaiming_uniform of a layer": scaling("kaiming_uniform_", 2.0 / (1 + sqrt(5) ** 2), "fan_in", UNIFORM, a=sqrt(5)),
    "kaiming_normal": scaling("kaiming_normal_", 2.0 / (1 + SLOPE**2), "fan_out", NORMAL, a=SLOPE, mode="fan_out"),
    "kaiming_normal linear": scaling("kaiming_normal_", 1.0, "fan_in", NORMAL, nonlinearity="linear"),
    "xavier_uniform": scaling("xavier_uniform_", TANH * TANH, "fan_avg", UNIFORM, gain=TANH),
    "xavier_normal": scaling("xavier_normal_", 1.0, "fan_avg", NORMAL),
}
VECTORS = ((1,), (2,), (3,), (4,), (5,), (15,), (16,), (17,), (31,), (257,))
MATRICES = ((1, 1), (3, 5), (4, 4), (1, 17), (29, 9), (3, 3, 5, 7))
CAPABILITIES = ("avx2", "default")


def cases() -> Iterator[Case]:
    """Every rule, dtype and seed with two small shapes in turn, and every rule and dtype with the large one."""
    for number, (name, dtype, seed) in enumerate(product(RULES, DTYPES, SEEDS)):
        shapes = MATRICES if RULES[name].scales else (*VECTORS, *SMALL[-1:])
        for shape in {shapes[number % len(shapes)], shapes[(number // len(SEEDS) + 3) % len(shapes)]}:
            yield Case(name, dtype, seed, shape)
    for number, (name, dtype) in enumerate(product(RULES, DTYPES)):
        yield Case(name, dtype, SEEDS[number % len(SEEDS)], LARGE)


def sequence() -> list[Case]:
    """Draws of one generator, one after another: every rule and dtype, in an order that mixes long and short ones."""
    drawn = list(dict.fromkeys((case.rule, case.dtype, case.shape) for case in cases() if case.shape != LARGE))
    return [Case(rule, dtype, None, shape) for rule, dtype, shape in sorted(drawn, key=lambda one: hash_of(str(one)))]


def hash_of(text: str) -> int:
    """An order that looks random and is the same everywhere."""
    return sum(ord(letter) * 31**place for place, letter in enumerate(text)) % 10007


LAYERS = ((20, 50, True), (50, 30, False), (30, 10, True))
"""A perceptron's: inputs, outputs, whether there is a bias."""
SKIPS = (2**21 + 1, 2**22 + 3, 2**24 + 5, 2**27 + 7)
"""Words that are drawn before: the core goes through few of them, and jumps over many."""
KERAS_SEEDS = {"torch": SEEDS, "numpy": tuple(seed for seed in SEEDS if 0 <= seed < 2**32)}
GLOBAL_SEED = 11
DRAWS = 4
