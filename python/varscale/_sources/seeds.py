"""Seeds: the global one, and the 128-bit identity that every stream of values is named by."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Any

from .._arguments.checks import integer

STREAM = 1
"""The version of the native stream: what makes words, and so values, of an identity."""
_UNSET, _INTEGER, _STRING, _CALL = range(4)
_PERSON = b"varscale-stream%d" % STREAM
_header = Struct("<BQ").pack


def _field(tag: int, payload: bytes) -> bytes:
    """A tag byte, the payload's length in 8 bytes, the payload: no two lists of fields have the same bytes."""
    return _header(tag, len(payload)) + payload


def _integer_bytes(value: int) -> bytes:
    """The shortest two's complement, at least one byte, little-endian."""
    return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "little", signed=True)


UNSET_FIELD = _field(_UNSET, b"")


def seed_field(seed: int | None) -> bytes:
    """The field of a seed."""
    return UNSET_FIELD if seed is None else _field(_INTEGER, _integer_bytes(seed))


def path_fields(path: tuple[int | str, ...]) -> bytes:
    """The fields of a path, one an element: 0 is not "0", and ("a", "b") is not ("a/b",)."""
    if len(path) == 1 and isinstance(path[0], str):
        return _field(_STRING, path[0].encode())  # a model's parameter
    return b"".join(_field(_STRING, p.encode()) if isinstance(p, str) else seed_field(p) for p in path)


class _GlobalSeed:
    """The seed that `set_random_seed` sets, and how many unseeded calls there have been since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seed: int | None = None
        self.field = UNSET_FIELD
        self._calls = 0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._new_lock)

    def _new_lock(self) -> None:
        self._lock = threading.Lock()  # a thread that held the old one does not exist in a forked child

    def set(self, seed: int | None) -> None:
        with self._lock:
            self.seed, self.field, self._calls = seed, seed_field(seed), 0

    def take_call(self) -> bytes | None:
        """The fields (seed, call number) of the next unseeded call, or None without a global seed."""
        with self._lock:
            if self.seed is None:
                return None
            call, self._calls = self._calls, self._calls + 1
            return self.field + _field(_CALL, _integer_bytes(call))


_global = _GlobalSeed()


def set_random_seed(seed: int | None) -> None:
    """Sets the global seed, as `tf.compat.v1.set_random_seed` does; None unsets it.

    What names the stream of a call:

    * no global seed, initializer seed *s*: *s* alone; every call repeats;
    * global seed *g*, initializer seed *s*: both; every call repeats, with other values than under *s* alone;
    * global seed *g*, no initializer seed: *g* and the number of this call among such calls since `set_random_seed`;
      after `fold_in`, *g* and the path instead, so that the order of calls does not matter;
    * neither: fresh entropy at every call, in forked children too.

    What `varscale.replay` makes is no seed of this kind, and draws the same whatever the global one.

    Unseeded calls from several threads take their numbers in the order in which they happen to come.

    Args:
        seed: Any Python or NumPy integer, or None.

    Raises:
        TypeError: `seed` is not an integer; bools are not integers here.
    """
    _global.set(parse_seed(seed))


def draws_entropy(seed: int | None) -> bool:
    """Whether an initializer of this seed draws fresh entropy at every call."""
    return seed is None and _global.seed is None


def parse_seed(seed: Any) -> int | None:
    """None or any integer."""
    return None if seed is None else integer("seed", seed)


def parse_path(path: tuple[Any, ...]) -> tuple[int | str, ...]:
    """Strings and integers."""
    for element in path:
        if isinstance(element, str):
            element.encode()  # a lone surrogate has no UTF-8
    return tuple(element if isinstance(element, str) else _path_integer(element) for element in path)


def _path_integer(element: Any) -> int:
    try:
        return integer("path", element)
    except TypeError:
        msg = f"`path` must hold strings and integers only, got {element!r}"
        raise TypeError(msg) from None


def identity(fields: bytes, *, seeded: bool, folded: bool) -> bytes:
    """The 16 bytes that name the stream of one call.

    `fields` are the initializer's own: its seed and its path. Nothing here is cached, because the global seed may
    change between two calls.
    """
    global_field = _global.field  # read once: another thread may set it
    if seeded or (folded and global_field != UNSET_FIELD):
        data = global_field + fields
    else:
        call = _global.take_call()
        if call is None:
            return os.urandom(16)
        data = call
    return _digest(data)


@lru_cache(maxsize=1024)
def _digest(data: bytes) -> bytes:
    """A pure function; the cache makes small calls of one initializer a tenth faster."""
    return blake2b(data, digest_size=16, person=_PERSON).digest()
