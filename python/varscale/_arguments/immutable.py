"""Immutable values: set once by their constructor, then compared, hashed, shown and pickled by their fields."""

from __future__ import annotations

from typing import Any


class Immutable:
    """Base of the public objects that never change; a class names its fields in `__slots__`.

    A frozen dataclass would do the same. But importing `dataclasses` and making such a class takes longer than all the
    rest of its module.
    """

    __slots__: tuple[str, ...] = ()

    def _set(self, **fields: Any) -> None:
        """Sets fields for good; only constructors call it."""
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _key(self) -> tuple[Any, ...]:
        """The values that equality and the hash go by: those of the fields, in order."""
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"{type(self).__name__} is immutable, cannot set `{name}`"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> None:
        msg = f"{type(self).__name__} is immutable, cannot delete `{name}`"
        raise AttributeError(msg)

    def __setstate__(self, state: tuple[dict[str, Any] | None, ...]) -> None:
        # Pickle and copy keep two dicts: a subclass's own attributes, if it has a __dict__, and the slots by name.
        for fields in state:
            self._set(**(fields or {}))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Immutable):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({fields})"
