"""The floating-point environment: another library may have changed how this thread rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .._core import exchange_environment

T = TypeVar("T")


def in_default_environment(function: Callable[..., T], *arguments: Any) -> T:
    """The result of `function`, computed in the default environment; the caller's is restored after it."""
    environment = exchange_environment()
    try:
        return function(*arguments)
    finally:
        exchange_environment(environment)
