"""What all random initializers share: a seed, a dtype, a path, and the job that they give to the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import FloatType, float_type
from .._arguments.parts import Part
from .._arguments.shapes import ShapeLike
from .._sources.environment import in_default_environment
from .._sources.plan import Plan, core_job
from .._sources.request import Law, Request
from .._sources.seeds import identity, parse_path, parse_seed, path_fields, seed_field
from .builtin import Builtin, Job

if TYPE_CHECKING:
    from ..replay import Replay

Self = TypeVar("Self", bound="Sampled")
_REMEMBERED = 256
"""Plans that an initializer keeps."""


class Description(NamedTuple):
    """What an initializer draws for one shape, exactly and without drawing."""

    fan_in: int
    fan_out: int
    mean: float
    """Of the values drawn, after truncation."""
    stddev: float
    """Of the values drawn, after truncation."""
    low: float
    """No value is less, once this is rounded to the dtype; -inf for normal laws."""
    high: float
    """No value is greater, once this is rounded to the dtype; inf for normal laws."""


class Sampled(Builtin):
    """Base of the random initializers; a subclass says which plan belongs to a shape."""

    seed: int | Replay | None
    """The initializer's own seed, what stands in its place, or None."""
    dtype: str
    """The name of the dtype that a call without one returns."""
    path: tuple[int | str, ...]
    """What `fold_in` was given."""

    parameters: ClassVar[dict[str, Any]] = {"path": ()}
    _kind: FloatType
    _replay: Replay | None
    _fields: bytes
    _plans: dict[tuple[str, tuple[int, ...]], Plan]
    """Those of the last shapes, which copies with other seeds and paths share: small calls are a sixth faster."""

    def _seal(self, seed: Any, dtype: Any) -> None:
        """Sets what every random initializer has; the last step of a constructor."""
        kind = float_type(dtype)
        self._set(dtype=kind.name, path=(), _kind=kind, _plans={}, **_seeding(seed, ()))

    def law(self, full_shape: tuple[int, ...]) -> Law:
        """The law and its parameters as the user gave them, for the seeds that replay a framework's stream."""
        raise NotImplementedError

    def plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        """Which law a tensor of this shape follows, and where its values go."""
        raise NotImplementedError

    def describe(self, shape: ShapeLike) -> Description:
        """Fans, mean, standard deviation and bounds of the values for a shape, without drawing any."""
        raise NotImplementedError

    def fold_in(self: Self, *path: int | str) -> Self:
        """The same rule with an independent stream, named by strings and integers.

        `fold_in("a").fold_in("b")` is `fold_in("a", "b")` and differs from `fold_in("a/b")`; 0 differs from "0".

        Raises:
            TypeError: An element that is neither a string nor an integer.
            ValueError: The seed replays a framework that has no such thing.

        Example:
            >>> import varscale as vs
            >>> init = vs.lecun_normal(seed=7)
            >>> bool((init.fold_in("query")((8, 8)) == init.fold_in("key")((8, 8))).any())
            False
        """
        parsed = parse_path(path)
        if self._replay is not None:
            return self._with_seed(self._replay.fold_in(*parsed)) if parsed else self
        return self._copy(path=self.path + parsed, _fields=self._fields + path_fields(parsed))

    def _named(self: Self, name: str) -> tuple[Self, bytes]:
        """An initializer and a stream that make what `fold_in(name)` would, without a copy where none is needed."""
        if self._replay is not None:
            return self.fold_in(name), b""
        return self, identity(self._fields + path_fields((name,)), seeded=self.seed is not None, folded=True)

    def _with_seed(self: Self, seed: Any) -> Self:
        """The same rule and path with another seed."""
        return self._copy(**_seeding(seed, self.path))

    def _copy(self: Self, **changes: Any) -> Self:
        """The same initializer but for these attributes."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        return copy

    @classmethod
    def translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        """A path comes out of JSON as a list, a replay as a mapping."""
        if "path" in config:
            config["path"] = tuple(config["path"])
        if isinstance(config.get("seed"), Mapping):
            from ..replay import deserialize

            config["seed"] = deserialize(config["seed"])
        return config

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-serializable: TensorFlow's keys, and others where not default."""
        config = super().get_config()
        if self._replay is not None:
            config["seed"] = self._replay.serialize()
        return config

    def _shown(self, name: str, value: Any) -> str:
        return repr(self.seed if name == "seed" else value)

    def _prepare(self, part: Part, dtype: Any) -> tuple[np.dtype[Any], tuple[Any, Any]]:
        kind = self._kind if dtype is None else float_type(dtype)
        if self._replay is not None:
            return kind.dtype, in_default_environment(self._request, part, kind)
        key = kind.name, part.full_shape
        try:
            plan = self._plans[key]  # without a lock where there is no GIL: `get` takes the dict's
        except KeyError:
            plan = in_default_environment(self.plan, part.full_shape, kind)
            if len(self._plans) >= _REMEMBERED:
                self._plans.clear()
            self._plans[key] = plan
        return kind.dtype, (kind, plan)

    def _request(self, part: Part, kind: FloatType) -> tuple[Request, Any]:
        """What is asked of a replay, and its answer."""
        assert self._replay is not None
        self.plan(part.full_shape, kind)  # what overflows the dtype is an error here too
        request = Request(self.law(part.full_shape), kind, part)
        return request, self._replay.prepare(request)

    def _stream(self) -> bytes:
        if self._replay is not None:
            return b""
        return identity(self._fields, seeded=self.seed is not None, folded=bool(self.path))

    def _job(self, array: NDArray[Any], part: Part, prepared: tuple[Any, Any], stream: bytes) -> Job | None:
        if self._replay is not None:
            return self._replay.job(array, *prepared)
        return core_job(array, part, *prepared, stream)


def seed_or_replay(seed: Any) -> int | Replay | None:
    """None, any integer, or what replays a framework's stream in a seed's place.

    Raises:
        TypeError: Anything else.
    """
    if seed is None or isinstance(seed, int):
        return parse_seed(seed)
    from ..replay import Replay

    return seed if isinstance(seed, Replay) else parse_seed(seed)


def _seeding(seed: Any, path: tuple[int | str, ...]) -> dict[str, Any]:
    """The attributes that a seed and a path make."""
    parsed = seed_or_replay(seed)
    if parsed is None or isinstance(parsed, int):
        return {"seed": parsed, "_replay": None, "_fields": seed_field(parsed) + path_fields(path)}
    return {"seed": parsed, "_replay": parsed, "_fields": b""}
