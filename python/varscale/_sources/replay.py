"""Replays: what stands in a seed's place, and draws a framework's own numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, NoReturn, TypeVar

from numpy.typing import NDArray

from .plan import Plan, core_job
from .request import Request

Self = TypeVar("Self", bound="Replay")
Prepared = tuple[Plan, tuple[str, tuple[Any, ...]]]
"""The plan in the framework's arithmetic, and the stream that crosses: the framework's name and what its core needs."""


@dataclass(frozen=True)
class Replay:
    """Base of the replays: immutable, hashable, compared and pickled by its arguments, like an integer seed.

    A class is a frozen dataclass whose fields are the arguments of the function `name` of `varscale.replay`; it says in
    `prepare` what the framework would draw, in the framework's own arithmetic.
    """

    name: ClassVar[str]
    """The function of `varscale.replay` that makes it."""
    version: ClassVar[str]
    """The framework and the version whose numbers these are."""

    def normalise(self, **arguments: Any) -> None:
        """Sets arguments as they have been checked; for `__post_init__`."""
        self.__dict__.update(arguments)

    def prepare(self, request: Request) -> Any:
        """What `job` needs; raises for all that the framework does not have or that cannot be had exactly.

        Raises:
            ValueError: A law, bounds, dtype or option without an exact replay.
        """
        raise NotImplementedError

    def job(self, array: NDArray[Any], request: Request, prepared: Any) -> tuple[Any, ...] | None:
        """The core's job that fills `array`, or None where this method has filled it."""
        return core_job(array, request.part, request.kind, *prepared)

    def fold_in(self: Self, *path: int | str) -> Self:
        """The replay of a folded key, where the framework has such.

        Raises:
            ValueError: It has not.
        """
        msg = f"`fold_in` must be of a seed that folds, got {self!r}: {self.version} has no such thing"
        raise ValueError(msg)

    def arguments(self) -> dict[str, Any]:
        """Of the function that makes it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def get_config(self) -> dict[str, Any]:
        """The arguments and the version, JSON-serializable."""
        return self.arguments() | {"version": self.version}

    def serialize(self) -> dict[str, Any]:
        """What stands in an initializer's config; `replay.deserialize` reads it."""
        return {"class_name": self.name, "config": self.get_config()}

    def refuse_parts(self, request: Request) -> None:
        """Raises for a part of a tensor; for streams where an element is what those before it left over."""
        if not request.part.is_whole():
            whole = request.part.full_shape
            self.refuse("shape", request.part.shape, f"the whole tensor's, {whole}, as elements have no random access,")

    def refuse(self, argument: str, got: Any, legal: str) -> NoReturn:
        """Raises for what has no exact replay."""
        msg = f"`{argument}` must be {legal} to replay {self.version}, got {got!r}"
        raise ValueError(msg)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments().items())
        return f"<replay.{self.name}({arguments}) of {self.version}>"
