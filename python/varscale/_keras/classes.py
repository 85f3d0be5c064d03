"""Classes: those of one framework, made of its base classes and our rules, and known to it by name."""

from __future__ import annotations

from typing import Any

from .base import Rules
from .drawing import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from .fixed import Constant, Identity, Ones, Zeros
from .framework import Framework
from .scaling import Preset, Scaling, VarianceScaling

PACKAGE = __name__.partition(".")[0]
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
    theirs = framework.module.initializers
    made = {}
    for rules, name, row in (
        *((rules, rules.__name__, None) for rules in _RULES),
        *((Preset, name, row) for name, row in _PRESETS.items()),
    ):
        base = theirs.VarianceScaling if issubclass(rules, Scaling) else theirs.Initializer
        body: dict[str, Any] = {"__module__": f"{PACKAGE}.{framework.name}", "_framework": framework}
        doc = rules.__doc__ or ""
        if row is not None:
            first, _, rest = doc.partition("\n")
            doc = f"The variance scaling of {row}, as `keras.initializers.{name}`.\n{rest}"
            body["_row"] = row
        made[name] = framework.module.saving.register_keras_serializable(PACKAGE)(
            type(name, (rules, base), body | {"__doc__": doc})
        )
    return made
