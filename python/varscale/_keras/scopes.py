"""Scopes: whether initializers that layers make of strings and configs get the fans of the family, by thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_FAMILY: ContextVar[bool] = ContextVar("family", default=False)


def family_fans() -> bool:
    """Whether an initializer that is made now counts the fans of its layer."""
    return _FAMILY.get()


@contextmanager
def fans(family: bool) -> Iterator[None]:
    """Inside, initializers count the family's fans, or Keras'."""
    token = _FAMILY.set(family)
    try:
        yield
    finally:
        _FAMILY.reset(token)
