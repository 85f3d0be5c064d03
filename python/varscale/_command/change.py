"""Changes of a source's model: other laws, another dtype, fewer tensors."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .._arguments.dtypes import any_dtype
from .._arguments.show import show
from .._engines import matched
from .._models.model import Model, model_layout
from .._models.rules import Rule
from .options import by_options


def with_rules(model: Model, rules: list[Rule], layout: Any) -> Model:
    """The same model with other laws for what a rule matches.

    Raises:
        ValueError: A rule matches nothing, or its law depends on a layout that nobody knows.
    """
    entries: dict[str, Any] = dict(model)
    for name, (shape, dtype, _) in model.items():
        rule = next((rule for rule in rules if rule.matches(name, shape)), None)
        if rule is not None:
            entries[name] = shape, dtype, rule.initializer
    check_rules(model, rules)
    return Model(entries, layout=layout or model_layout(model))


def check_rules(names: Collection[str], rules: list[Rule]) -> None:
    """Raises ValueError for a rule of the command's, which says nothing of shapes, that matches none of the names."""
    for rule in rules:
        if not any(rule.matches(name, ()) for name in names):
            msg = f"--rule must match a tensor, got the pattern {show(rule.pattern)}, which matches none"
            raise ValueError(msg)


def with_dtype(model: Model, dtype: Any) -> Model:
    """The same model with another dtype of its real numbers; counters and masks stay as they are.

    Raises:
        ValueError: The dtype is none of real numbers, or an initializer cannot make it.
    """
    if dtype is None:
        return model
    if not _is_real(any_dtype(dtype).name):
        msg = f"`dtype` must be a dtype of real numbers, such as bfloat16, got {show(dtype)}"
        raise ValueError(msg)
    entries = {
        name: parameter._replace(dtype=any_dtype(dtype)) if _is_real(parameter.dtype.name) else parameter
        for name, parameter in model.items()
    }
    return Model(entries, layout=model_layout(model))


def _is_real(name: str) -> bool:
    return name.startswith(("float", "bfloat"))


def only(model: Model, patterns: list[str]) -> Model:
    """The tensors of these names; all without patterns.

    Raises:
        ValueError: A pattern matches nothing.
    """
    if not patterns:
        return model
    with by_options("names"):
        chosen = matched("names", patterns, model, "a tensor")
    return Model({name: model[name] for name in model if name in chosen}, layout=model_layout(model))
