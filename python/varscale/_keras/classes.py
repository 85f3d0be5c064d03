"""Classes: those of one framework, made of its base classes and our rules, and known to it by name."""

from __future__ import annotations

from typing import Any

from .base import Rules
from .drawing import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from .fixed import Constant, Identity, Ones, Zeros
from .framework import PACKAGE, Framework
from .scaling import Preset, Scaling, VarianceScaling

_RULES: tuple[type[Rules], ...] = (
    Constant,
    Identity,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
_PRESETS = {
    "GlorotNormal": (1.0, "fan_avg", "truncated_normal"),
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "HeNormal": (2.0, "fan_in", "truncated_normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "truncated_normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
}


def classes_of(framework: Framework) -> dict[str, Any]:
    """The classes by name, registered in the framework as "varscale>LecunNormal" and so on.

    A layer counts its axes for subclasses of its own `VarianceScaling` alone.
    """
    made = {rules.__name__: _made(framework, rules, rules.__name__, {"__doc__": rules.__doc__}) for rules in _RULES}
    for name, row in _PRESETS.items():
        rest = (Preset.__doc__ or "").partition("\n")[2]
        doc = f"The variance scaling of {row}, as `keras.initializers.{name}`.\n{rest}"
        made[name] = _made(framework, Preset, name, {"__doc__": doc, "_row": row})
    return made


def _made(framework: Framework, rules: type[Rules], name: str, body: dict[str, Any]) -> Any:
    theirs = framework.module.initializers
    base = theirs.VarianceScaling if issubclass(rules, Scaling) else theirs.Initializer
    body |= {"__module__": framework.face, "_framework": framework}
    return framework.module.saving.register_keras_serializable(PACKAGE)(type(name, (rules, base), body))
