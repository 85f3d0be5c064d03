"""Seeds: the global one, and the native ones that initializers hold."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np

from .._arguments.checks import integer
from .._arguments.dtypes import FloatType
from .._arguments.parts import Part
from .identity import UNSET_FIELD, call_field, identity, path_fields, seed_field
from .replay import Replay
from .request import HasLaw
from .source import Drawn


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
        self._lock = threading.Lock()  # in a forked child, no thread is there to release the old one

    def set(self, seed: int | None) -> None:
        with self._lock:
            self.seed, self.field, self._calls = seed, seed_field(seed), 0

    def take_call(self) -> bytes | None:
        """The fields (seed, call number) of the next unseeded call, or None without a global seed."""
        # The seed is read under the lock too: a number counts the calls of the seed that it is hashed with.
        with self._lock:
            if self.seed is None:
                return None
            call, self._calls = self._calls, self._calls + 1
            return self.field + call_field(call)


_global = _GlobalSeed()


def set_random_seed(seed: int | None) -> None:
    """Sets the global seed, as `tf.compat.v1.set_random_seed` does; None unsets it.

    The values of a call depend on both seeds:

    * With an initializer seed *s* alone, every call repeats the values of *s*.
    * With a global seed *g* and an initializer seed *s*, every call repeats too, but not the values of *s* alone.
    * With a global seed *g* alone, values depend on *g* and on how many such calls came before this one since
      `set_random_seed`. After `fold_in` they depend on *g* and the path, so that the order of calls does not matter.
    * With neither, every call draws fresh entropy, in forked children too.

    A seed from `varscale.replay` draws the same under every global seed.

    Unseeded calls from several threads are numbered in the order in which they happen to come.

    Args:
        seed: Any Python or NumPy integer, or None.

    Raises:
        TypeError: `seed` is not an integer; bools are not integers here.
    """
    _global.set(None if seed is None else integer("seed", seed))


def draws_entropy(seed: Any) -> bool:
    """Whether an initializer with this seed draws fresh entropy at every call."""
    return seed is None and _global.seed is None


class Native:
    """A seed of the native stream, and the path that was folded in: together they name the stream of a call.

    It has the hooks of `Replay`, so that no initializer needs to know which of the two it holds.
    """

    __slots__ = ("_fields", "_given", "_path")
    _given: int | None
    _path: tuple[int | str, ...]
    _fields: bytes
    """The seed and the path as the bytes that are hashed; every call needs them, so they are made once."""

    def __init__(self, given: int | None, path: tuple[int | str, ...], fields: bytes) -> None:
        self._given = given
        self._path = path
        self._fields = fields

    def fold_in(self, *path: int | str) -> Native:
        """The seed of an independent stream, named by the path too."""
        return Native(self._given, self._path + path, self._fields + path_fields(path))

    def _stream(self) -> bytes:
        return self._identity(self._fields, folded=bool(self._path))

    def _named(self, name: str) -> tuple[Native, bytes]:
        # The stream of `fold_in(name)` without making that seed: models have thousands of names.
        return self, self._identity(self._fields + path_fields((name,)), folded=True)

    def _identity(self, fields: bytes, *, folded: bool) -> bytes:
        """The 16 bytes that name the stream of one call; an unseeded call takes its number here.

        No caller keeps them, because the global seed may change between two calls.
        """
        global_field = _global.field  # read once: another thread may set it
        # A path under a global seed names a stream by itself, so such a call takes no number.
        if self._given is not None or (folded and global_field != UNSET_FIELD):
            return identity(global_field + fields)
        call = _global.take_call()
        return os.urandom(16) if call is None else identity(call)

    def _source(self, rule: HasLaw, kind: FloatType, part: Part, stream: bytes | None) -> Drawn:
        plan = rule._remembered_plan(part.full_shape, kind)
        # Without a name the seed itself goes along, and names its stream only when it is drawn from.
        return Drawn(kind, plan, self if stream is None else stream)

    def serialize(self) -> int | None:
        return self._given


Seed = Native | Replay
SeedLike = int | np.integer[Any] | Replay | None
"""What users give as a seed."""


def parse_seed(seed: Any) -> Seed:
    """The seed that None, an integer or a replay stands for.

    Raises:
        TypeError: `seed` is anything else.
    """
    if isinstance(seed, Replay):
        return seed
    given = None if seed is None else integer("seed", seed)
    return Native(given, (), seed_field(given))


def parse_path(path: tuple[Any, ...]) -> tuple[int | str, ...]:
    """`path` as strings and ints.

    Raises:
        TypeError: An element is neither a string nor an integer.
        ValueError: A string has no UTF-8, for it holds a lone surrogate.
    """
    for element in path:
        if isinstance(element, str):
            element.encode()  # raises now, not in the first call
    return tuple(element if isinstance(element, str) else _path_integer(element) for element in path)


def _path_integer(element: Any) -> int:
    try:
        return integer("path", element)
    except TypeError:
        msg = f"`path` must hold strings and integers only, got {element!r}"
        raise TypeError(msg) from None
