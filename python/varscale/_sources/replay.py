"""Replays: what stands in a seed's place, and draws a framework's own numbers."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeVar

from .._arguments.dtypes import FloatType
from .._arguments.parts import Part
from .environment import in_default_environment
from .plan import Plan
from .request import HasLaw, Request
from .source import Drawn, Source

Self = TypeVar("Self", bound="Replay")
Prepared = tuple[Plan, tuple[str, tuple[Any, ...]]]
"""The plan in the framework's arithmetic, and the stream that crosses: the framework's name and what its core needs."""


class Replay:
    """Base of the replays: immutable, hashable, compared and pickled by its arguments, like an integer seed.

    A class is a frozen dataclass whose fields are the arguments of the function `name` of `varscale.replay`. It says
    in `_prepare` what the framework would draw, in the framework's own arithmetic.
    """

    version: ClassVar[str]
    """The framework and the version whose numbers these are."""
    name: ClassVar[str]
    """The function of `varscale.replay` that makes it."""
    _in_order: ClassVar[bool] = False
    """Whether each element needs those before it."""
    _path: ClassVar[tuple[int | str, ...]] = ()
    """Nothing: what was folded in is part of the arguments."""

    def fold_in(self: Self, *path: int | str) -> Self:
        """The replay of a folded key, where the framework has such.

        Raises:
            ValueError: It has not.
        """
        msg = f"`fold_in` must be of a seed that folds, got {self!r}: {self.version} has no such thing"
        raise ValueError(msg)

    def get_config(self) -> dict[str, Any]:
        """The arguments and the version, JSON-serializable."""
        return self._arguments() | {"version": self.version}

    # What an initializer asks of any seed; `Native` has the same.

    @property
    def _given(self: Self) -> Self:
        """What the initializer was given as its seed."""
        return self

    def _stream(self) -> bytes:
        """The name of a call's stream: a replay needs none, for its arguments say all."""
        return b""

    def _named(self: Self, name: str) -> tuple[Self, bytes]:
        """A seed and the name of a stream that draw what `fold_in(name)` would."""
        return self.fold_in(name), b""

    def _source(self, rule: HasLaw, kind: FloatType, part: Part, stream: bytes | None) -> Source:
        """What fills a part, for an initializer's rule and the element's dtype."""
        rule._remembered_plan(part.full_shape, kind)  # what overflows the dtype is an error here too
        return in_default_environment(self._answer, Request(rule._law(part.full_shape), kind, part))

    def serialize(self) -> dict[str, Any]:
        """What stands in an initializer's config; `replay.deserialize` reads it."""
        return {"class_name": self.name, "config": self.get_config()}

    # What a framework's file says, and the means to say it.

    def _answer(self, request: Request) -> Source:
        """What fills the part that is asked for."""
        plan, stream = self._prepare(request)
        return Drawn(request.kind, plan, stream, self._in_order)

    def _prepare(self, request: Request) -> Prepared:
        """The plan and the stream; raises for all that the framework does not have or that cannot be had exactly.

        Raises:
            ValueError: A law, bounds, dtype or option without an exact replay.
        """
        raise NotImplementedError

    def _arguments(self) -> dict[str, Any]:
        """Of the function that makes it."""
        from dataclasses import fields  # here, because importing varscale needs no dataclass, and replays have it

        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def _normalise(self, **arguments: Any) -> None:
        """Sets arguments as they have been checked; for `__post_init__`."""
        self.__dict__.update(arguments)

    def _refuse_parts(self, request: Request) -> None:
        """Raises for a part of a tensor; for streams where an element is what those before it left over."""
        if not request.part.is_whole():
            whole = request.part.full_shape
            self._refuse(
                "shape", request.part.shape, f"the whole tensor's, {whole}, as elements have no random access,"
            )

    def _refuse(self, argument: str, got: Any, legal: str) -> NoReturn:
        """Raises for what has no exact replay."""
        msg = f"`{argument}` must be {legal} to replay {self.version}, got {got!r}"
        raise ValueError(msg)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments().items())
        return f"<replay.{self.name}({arguments}) of {self.version}>"
