"""Immutable values: set once by their constructor, then compared, hashed, shown and pickled by their fields."""

from __future__ import annotations

from typing import Any, ClassVar

from .show import show


class Immutable:
    """Base of the public objects that never change; a class names its constructor's arguments in `_fields`.

    `__slots__` would not do for that: those of a user's subclass are its own.

    A frozen dataclass would do the same. But importing `dataclasses` and making such a class takes longer than all the
    rest of its module.
    """

    __slots__: tuple[str, ...] = ("__weakref__",)
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _fields: ClassVar[tuple[str, ...]] = ()

    def _set(self, **fields: Any) -> None:
        """Sets fields for good; only constructors call it."""
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _key(self) -> tuple[Any, ...]:
        """The values that equality and the hash go by: those of the fields, in order."""
        return tuple(getattr(self, name) for name in self._fields)

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"{type(self).__name__} is immutable, cannot set `{name}`"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> None:
        msg = f"{type(self).__name__} is immutable, cannot delete `{name}`"
        raise AttributeError(msg)

    def __getstate__(self) -> dict[str, Any]:
        # By name, so that a later version may have more fields; with what a user's subclass keeps.
        return {name: getattr(self, name) for name in self._fields} | getattr(self, "__dict__", {})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(**state)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Immutable):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={show(getattr(self, name))}" for name in self._fields)
        return f"{type(self).__name__}({fields})"
