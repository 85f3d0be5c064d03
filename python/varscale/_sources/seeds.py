"""Seeds: the global one, and the native ones that initializers hold."""

from __future__ import annotations

import os
from itertools import count
from typing import Any, SupportsIndex

from .._arguments.checks import as_integer, integer
from .._arguments.dtypes import FloatType
from .._arguments.parts import Part
from .._arguments.show import show
from .identity import call_field, identity, path_fields, seed_field
from .replay import Replay
from .request import HasLaw
from .source import Drawn, Naming


class _GlobalSeed:
    """The seed that `set_random_seed` sets, and the numbers of the unseeded calls since.

    It never changes: another seed is another object. So no lock is needed, which a signal handler or a fork could find
    held for ever.
    """

    __slots__ = ("_numbers", "field", "is_set")

    def __init__(self, seed: int | None) -> None:
        self.is_set = seed is not None
        self.field = seed_field(seed)
        self._numbers = count()

    def take_call(self) -> bytes | None:
        """The fields (seed, call number) of the next unseeded call, or None without a global seed."""
        # `next` is one step, which no other thread and no signal handler comes between.
        return self.field + call_field(next(self._numbers)) if self.is_set else None


_global = _GlobalSeed(None)


def set_random_seed(seed: SupportsIndex | None) -> None:
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
        seed: Any integer, or None.

    Raises:
        TypeError: `seed` is not an integer; bools are not integers here.
    """
    global _global
    _global = _GlobalSeed(None if seed is None else integer("seed", seed))


def draws_entropy(seed: Any) -> bool:
    """Whether an initializer with this seed draws fresh entropy at every call."""
    return seed is None and not _global.is_set


def repeats(seed: Any, path: tuple[int | str, ...]) -> bool:
    """Whether every call of an initializer with this seed and this path draws from one stream."""
    return seed is not None or (bool(path) and _global.is_set)


def fields_around(path: tuple[int | str, ...]) -> tuple[bytes, bytes]:
    """What is hashed before and after the field of a seed, for whoever hashes one of unknown value."""
    return _global.field, path_fields(path)


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
        now = _global  # read once: another thread, or a signal handler, may set it
        # A path under a global seed names a stream by itself, so such a call takes no number.
        if self._given is not None or (folded and now.is_set):
            return identity(now.field + fields)
        call = now.take_call()
        return os.urandom(16) if call is None else identity(call)

    def _source(self, rule: HasLaw, kind: FloatType, part: Part, stream: bytes | Naming | None) -> Drawn:
        plan = rule._remembered_plan(part.full_shape, kind)
        # Without a name the seed itself goes along, and names its stream only when it is drawn from.
        return Drawn(kind, plan, self if stream is None else stream)

    def serialize(self) -> int | None:
        return self._given


Seed = Native | Replay
SeedLike = SupportsIndex | Replay | None
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


def parse_native(seed: Any) -> Native:
    """The seed that names are folded into.

    Raises:
        TypeError: `seed` is neither an integer nor None.
        ValueError: `seed` is a replay, into which no framework folds names.
    """
    parsed = parse_seed(seed)
    if isinstance(parsed, Replay):
        msg = (
            f"`seed` must be an integer or None where parameters have names, got {show(seed)}: a replay draws one "
            "tensor; the layers of a network come from `replay.torch(…).draws()`"
        )
        raise ValueError(msg)
    return parsed


def parse_path(path: tuple[Any, ...]) -> tuple[int | str, ...]:
    """`path` as strings and ints.

    Raises:
        TypeError: An element is neither a string nor an integer.
        ValueError: A string has no UTF-8, for it holds a lone surrogate.
    """
    for element in path:
        try:
            if isinstance(element, str):
                element.encode()  # raises now, not in the first call
        except UnicodeEncodeError:
            msg = f"`path` must hold strings that have UTF-8, got {show(element)}"
            raise ValueError(msg) from None
    return tuple(element if isinstance(element, str) else _path_integer(element) for element in path)


def _path_integer(element: Any) -> int:
    number = as_integer(element)
    if number is None:
        msg = f"`path` must hold strings and integers only, got {show(element)}"
        raise TypeError(msg)
    return number
