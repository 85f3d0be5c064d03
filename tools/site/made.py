"""What Python makes when it imports, for griffe, which only reads: the names of the adapters that are set to a call."""

from __future__ import annotations

import ast
import re
from copy import copy
from pathlib import Path
from textwrap import dedent
from typing import Any

import griffe

RULES = ("fixed", "drawing", "scaling")
"""The files of `_keras` that have the classes' rules."""


class Made(griffe.Extension):
    """Puts classes and functions where the source has a call that returns them."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Our heading of examples is one that griffe takes for a remark."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.M)
        if obj.is_function and any(str(decorator.value) == "initializer" for decorator in obj.decorators):
            obj.returns = "Initializer"  # which the decorator makes of what the function returns

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Looks at the public modules whose names are made by functions."""
        if pkg.name != "varscale":
            return
        for name in ("keras", "tf_keras", "jax.haiku"):
            module = pkg[name]
            for member in list(module.members.values()):
                value = member.value if member.kind is griffe.Kind.ATTRIBUTE and not member.is_alias else None
                if isinstance(value, griffe.Expr) and (found := made(pkg, module, member.name, str(value))):
                    module.set_member(member.name, found)


def made(package: griffe.Module, module: griffe.Module, name: str, value: str) -> griffe.Object | griffe.Alias | None:
    """What a name's value is, if a function of ours returns it."""
    function, _, argument = value.partition("(")
    if value.startswith("_classes["):
        cls = value.split("'")[1]
        home = next((rules for rules in RULES if cls in package[f"_keras.{rules}"].members), None)
        return griffe.Alias(name, package[f"_keras.{home}.{cls}"] if home else preset(package, cls), parent=module)
    if function == "_drawn":
        return griffe.Alias(name, package[f"jax.{argument.rstrip(')')}"], parent=module)
    if function in {"init_of", "defaults_of"}:
        return inner(package[f"_keras.{'models' if function == 'init_of' else 'defaults'}"], function, name, module)
    return None


def preset(package: griffe.Module, name: str) -> griffe.Class:
    """The class of a row of `_PRESETS`."""
    cls = copy(package["_keras.scaling.Preset"])
    cls.name = name
    cls.docstring = copy(cls.docstring)
    rest = cls.docstring.value.partition("\n")[2]
    cls.docstring.value = f"The variance scaling that Keras calls `keras.initializers.{name}`.\n{rest}"
    return cls


def inner(source: griffe.Module, outer: str, name: str, module: griffe.Module) -> griffe.Function:
    """The function that another one returns."""
    text = Path(source.filepath).read_text(encoding="utf-8")
    [maker] = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == outer]
    [found] = [node for node in maker.body if isinstance(node, ast.FunctionDef) and node.name == name]
    code = dedent("\n".join(text.splitlines()[found.lineno - 1 : found.end_lineno]))
    function = griffe.visit(module.path, source.filepath, code, docstring_parser=griffe.Parser.google)[name]
    function.parent = module
    return function
