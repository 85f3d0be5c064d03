"""Seeds: the global one, and the native ones that initializers hold."""

from __future__ import annotations

import os
from itertools import count
from typing import Any, SupportsIndex

from .._arguments.checks import as_integer, integer
from .._arguments.dtypes import FloatType
from .._arguments.parts import Part
from .._arguments.show import show
from .._core import identity
from .identity import call_field, path_fields, seed_field
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

    __slots__ = ("_fields", "_given", "_known", "_path")
    _given: int | None
    _path: tuple[int | str, ...]
    _fields: bytes
    """The seed and the path as the bytes that are hashed."""
    _known: tuple[_GlobalSeed | None, bytes | None]
    """A global seed, and what `_repeated` says under it; hashed once, as small calls are a fifth faster."""

    def __init__(self, given: int | None, path: tuple[int | str, ...], fields: bytes) -> None:
        self._given = given
        self._path = path
        self._fields = fields
        self._known = None, None

    def fold_in(self, *path: int | str) -> Native:
        """The seed of an independent stream, named by the path too."""
        return Native(self._given, self._path + path, self._fields + path_fields(path))

    def _stream(self) -> bytes:
        now = _global  # read once: another thread, or a signal handler, may set it
        name = self._repeated(now)
        if name is not None:
            return name
        call = now.take_call()
        return os.urandom(16) if call is None else identity(call)

    def _named(self, name: str) -> tuple[Native, bytes]:
        # The stream of `fold_in(name)` without making that seed: models have thousands of names.
        return self, identity(self._before_names() + path_fields((name,)))

    def _repeated(self, now: _GlobalSeed | None = None) -> bytes | None:
        """The name of the stream that all calls draw from; None where each call has a stream of its own."""
        now = now or _global
        known = self._known
        if known[0] is now:
            return known[1]
        # A path under a global seed names a stream by itself, so such a call takes no number.
        repeats = self._given is not None or (self._path and now.is_set)
        name = identity(now.field + self._fields) if repeats else None
        # With the global seed under which it is the name, since that may change between two calls.
        self._known = now, name
        return name

    def _before_names(self) -> bytes:
        """The fields before the names that are folded in: entropy where there is no seed at all."""
        now = _global
        return os.urandom(32) if self._given is None and not now.is_set else now.field + self._fields

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
