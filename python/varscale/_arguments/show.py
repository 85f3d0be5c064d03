"""Values in messages and reprs, shown in bounded time and length whatever they are."""

from __future__ import annotations

import reprlib
from collections import deque
from collections.abc import Iterable, Sized
from itertools import islice
from typing import Any

_LONGEST = 300
"""The most characters of a value. A message shows four values at most."""
_BITS = 128
"""An integer of more bits is told by their number. Python itself writes none of more than 4300 digits."""

_CONTAINERS = (tuple, list, dict, set, frozenset, deque)
_MOST = 1000
"""An object of another class with more entries is told by their number."""


class _Show(reprlib.Repr):
    """The standard library's bounded repr, which here knows arrays, large integers and all subclasses of containers."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxtuple = self.maxlist = self.maxarray = self.maxset = self.maxdict = self.maxdeque = 8
        self.maxstring = self.maxother = 200
        self._left = _LONGEST

    def repr1(self, x: Any, level: int) -> str:
        # What stands behind the last character that is shown need not be made: eight in each of eight are thousands.
        if self._left <= 0:
            return ""
        text = self._bounded(x, level)
        self._left -= 2 if isinstance(x, _CONTAINERS) else len(text)  # of those the entries have been counted
        return text

    def _bounded(self, x: Any, level: int) -> str:
        # By the first class of Python's, NumPy's or torch's that it derives from: a named tuple is a tuple here.
        for cls in type(x).__mro__:
            bounded = getattr(self, f"repr_{cls.__name__}", None)
            if bounded is not None and cls.__module__ in {"builtins", "collections", "array", "numpy", "torch"}:
                return str(bounded(x, level))
        return self.repr_instance(x, level)

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() <= _BITS else f"<integer of {x.bit_length()} bits>"

    def repr_bytes(self, x: bytes, level: int) -> str:
        return repr(x) if len(x) <= self.maxstring else f"<{len(x)} bytes>"

    repr_bytearray = repr_bytes

    def repr_slice(self, x: slice | range, level: int) -> str:
        ends = (x.start, x.stop) if isinstance(x, range) and x.step == 1 else (x.start, x.stop, x.step)
        return f"{type(x).__name__}({', '.join(self.repr1(end, level - 1) for end in ends)})"

    repr_range = repr_slice

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        return self._braces(x, (f"{self.repr1(key, level - 1)}: {self.repr1(x[key], level - 1)}" for key in x), level)

    def repr_set(self, x: set[Any] | frozenset[Any], level: int) -> str:
        return self._braces(x, (self.repr1(entry, level - 1) for entry in x), level) if x else f"{type(x).__name__}()"

    def repr_frozenset(self, x: frozenset[Any], level: int) -> str:
        return f"frozenset({self.repr_set(x, level)})" if x else "frozenset()"

    def _braces(self, x: Any, entries: Iterable[str], level: int) -> str:
        # In their own order: the standard library would sort all of them for the few that it shows.
        shown = [*islice(entries, self.maxdict if level > 0 else 0), *(["..."] if len(x) > self.maxdict else [])]
        return f"{{{', '.join(shown)}}}"

    def repr_ndarray(self, x: Any, level: int) -> str:
        # An array of objects may hold anything.
        if x.size <= self.maxlist and x.dtype.kind in "biufc":
            return repr(x)
        return f"<array of shape {self.repr1(x.shape, level)} and dtype {x.dtype.name}>"

    def repr_dtype(self, x: Any, level: int) -> str:
        fields = getattr(x, "fields", None)  # torch's have none
        return repr(x) if fields is None else f"<dtype of {len(fields)} fields>"

    def repr_instance(self, x: Any, level: int) -> str:
        # Whoever wrote its repr may have thought of fewer entries.
        if isinstance(x, Sized) and len(x) > _MOST:
            return f"<{type(x).__name__} of {len(x)} entries>"
        return super().repr_instance(x, level)

    def repr_Tensor(self, x: Any, level: int) -> str:  # noqa: N802
        # Its values are weights, which belong in no log.
        return f"<tensor of shape {self.repr1(tuple(x.shape), level)} and dtype {x.dtype}>"


def show(value: Any) -> str:
    """The repr of `value`, but at most 300 characters of it; of arrays that are not small, the shape and the dtype."""
    try:
        text = _Show().repr(value)
    except Exception:  # its own methods failed, which the error that is being made does not depend on
        text = f"<{type(value).__name__} object>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
