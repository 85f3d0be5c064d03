"""Initializers and rules as text, read without running any of it."""

from __future__ import annotations

import ast
from typing import Any

from .._arguments.show import show
from .._initializers.base import Initializer
from .._initializers.serialization import BY_NAME
from .._models.rules import Rule

_LONGEST = 10_000
"""The most characters of an initializer: Python's parser fails where a text is nested too deep."""


def parse_rule(text: str) -> Rule:
    """The rule of `PATTERN=initializer(argument, name=argument)`.

    Raises:
        ValueError: The text is no rule.
    """
    pattern, equals, initializer = text.partition("=")
    if not equals or not pattern:
        msg = f"a rule must be PATTERN=initializer, such as '*.weight=normal(0.0, 0.02)', got {show(text)}"
        raise ValueError(msg)
    return Rule(pattern, parse_initializer(initializer))


def parse_initializer(text: str) -> Initializer:
    """The initializer of `lecun_normal`, or of a call of its name with numbers, strings, lists and None.

    Raises:
        ValueError: The text is no such call, the name is unknown, or an argument is illegal.
    """
    name, args, kwargs = _call(text)
    if name not in BY_NAME:
        known = ", ".join(sorted(word for word in BY_NAME if word.islower()))
        msg = f"an initializer must be one of {known}, got {show(name)}"
        raise ValueError(msg)
    try:
        return BY_NAME[name](*args, **kwargs)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"the initializer {show(text)} must have legal arguments: {error}"
        raise ValueError(msg) from error


def _call(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    try:
        if len(text) > _LONGEST:
            raise ValueError
        node = ast.parse(text.strip(), mode="eval").body
        if isinstance(node, ast.Name):
            return node.id, [], {}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            args = [ast.literal_eval(argument) for argument in node.args]
            kwargs = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg}
            if len(kwargs) == len(node.keywords):
                return node.func.id, args, kwargs
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    msg = f"an initializer must be a name, or a call such as 'normal(0.0, stddev=0.02)', got {show(text)}"
    raise ValueError(msg)
