"""Replays: they stand in a seed's place, and draw a framework's own numbers."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeVar

from .._arguments.dtypes import FloatType
from .._arguments.fans import compute_fans
from .._arguments.parts import Part
from .._arguments.show import show
from .environment import in_default_environment
from .plan import STANDARD_BOUNDS, Plan
from .request import LAWS, HasLaw, Request, Variance
from .source import Drawn, Naming, Written

Self = TypeVar("Self", bound="Replay")
Prepared = tuple[Plan, tuple[str, tuple[Any, ...]]]
"""The plan in the framework's arithmetic, and the stream that crosses: a framework's name and what its stream needs."""
_DTYPES = ("float16", "bfloat16", "float32", "float64")
"""The dtypes of replays, of which a framework may have fewer."""


class Replay:
    """Base of the replays: immutable, hashable, compared and pickled by its arguments, like an integer seed.

    A subclass is a frozen dataclass whose fields are the arguments of the function `name` of `varscale.replay`. Its
    `_prepare` says what the framework would draw, in the framework's own arithmetic.
    """

    version: ClassVar[str]
    """The framework and the version whose numbers these are."""
    name: ClassVar[str]
    """The function of `varscale.replay` that makes it."""
    _in_order: ClassVar[bool] = False
    """Whether each element needs those before it."""
    _path: ClassVar[tuple[int | str, ...]] = ()
    """Always empty: what was folded in is part of the arguments."""

    def fold_in(self: Self, *path: int | str) -> Self:
        """The replay of the key that the framework makes by folding `path` into this one.

        Raises:
            ValueError: The framework cannot fold these elements, or none at all.
        """
        msg = f"`fold_in` must be called on a seed that folds, got {show(self)}: {self.version} has no such function"
        raise ValueError(msg)

    def get_config(self) -> dict[str, Any]:
        """The arguments and the version, as JSON-serializable values."""
        return self._arguments() | {"version": self.version}

    # The hooks that initializers call on any seed; `Native` has them too.

    @property
    def _given(self: Self) -> Self:
        """The seed that the initializer was given."""
        return self

    def _stream(self) -> bytes:
        """The name of a call's stream; a replay needs none, for its arguments say all."""
        return b""

    def _repeated(self) -> None:
        """The name of the native stream that all calls draw from; a replay draws from none."""

    def _named(self: Self, name: str) -> tuple[Self, bytes]:
        """A seed and the name of a stream, which together draw what `fold_in(name)` would."""
        return self.fold_in(name), b""

    def _source(self, rule: HasLaw, kind: FloatType, part: Part, stream: bytes | Naming | None) -> Drawn | Written:
        """The source of a part, for an initializer's rule and a dtype."""
        rule._remembered_plan(part.full_shape, kind)  # raises where values overflow the dtype, as a native seed would
        law = rule._law(part.full_shape)
        if law.name not in LAWS:
            self._refuse("law", law.name, f"{', '.join(LAWS[:-1])} or {LAWS[-1]}")
        if isinstance(law.parameters, Variance) and law.bounds != STANDARD_BOUNDS:
            self._refuse("lower` and `upper", law.bounds, "-2 and 2 in variance scalings")
        return self._source_of(Request(law, kind, part))

    def _source_of(self, request: Request) -> Drawn | Written:
        """The source of what is asked for, which may be more than any framework has."""
        if request.kind.name not in _DTYPES:
            self._refuse("dtype", request.kind.name, f"{', '.join(_DTYPES[:-1])} or {_DTYPES[-1]}")
        return in_default_environment(self._answer, request)

    def serialize(self) -> dict[str, Any]:
        """The entry of an initializer's config, which `replay.deserialize` reads."""
        return {"class_name": self.name, "config": self.get_config()}

    # The hooks that a framework's file defines, and the helpers that it uses.

    def _answer(self, request: Request) -> Drawn | Written:
        """The source of the part that is asked for."""
        plan, stream = self._prepare(request)
        return Drawn(request.kind, plan, stream, self._in_order)

    def _prepare(self, request: Request) -> Prepared:
        """The plan and the stream of what is asked for.

        Raises:
            ValueError: The framework lacks the law, bounds, dtype or option, or there is no exact replay of it.
        """
        raise NotImplementedError

    def _arguments(self) -> dict[str, Any]:
        """The arguments, by name, of the function that makes this replay."""
        from dataclasses import fields  # here, because only replays need it, and importing varscale must stay quick

        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def _normalise(self, **arguments: Any) -> None:
        """Sets fields while the replay is being made, such as arguments in their checked form."""
        # A frozen dataclass refuses attributes, but not entries of its dict.
        self.__dict__.update(arguments)

    def _refuse_parts(self, request: Request) -> None:
        """Raises ValueError for a part of a tensor, for streams where each element needs those before it."""
        if not request.part.is_whole():
            whole = request.part.full_shape
            self._refuse(
                "shape", request.part.shape, f"the whole tensor's, {show(whole)}, as elements have no random access,"
            )

    def _refuse_fans_by_hand(self, parameters: Variance, shape: tuple[int, ...]) -> None:
        """Raises ValueError for fans that are not those of the axes, because frameworks have no others."""
        own = compute_fans(shape, *parameters.axes)
        if own != (parameters.fan_in, parameters.fan_out):
            self._refuse("fan_in` and `fan_out", (parameters.fan_in, parameters.fan_out), f"those of the axes, {own},")

    def _refuse(self, argument: str, got: Any, legal: str) -> NoReturn:
        """Raises ValueError for an argument that has no exact replay; `legal` says what it must be."""
        # Two arguments come as "lower` and `upper", between the outer marks that stand here.
        msg = f"`{argument}` must be {legal} to replay {self.version}, got {show(got)}"
        raise ValueError(msg)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={show(value)}" for name, value in self._arguments().items())
        return f"<replay.{self.name}({arguments}) of {self.version}>"
