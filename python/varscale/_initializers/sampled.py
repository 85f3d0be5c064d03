"""What the random initializers share: a seed, a dtype, a path, and a law for every shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, TypeVar

from .._arguments.dtypes import FloatType, float_type
from .._arguments.parts import Part
from .._arguments.shapes import ShapeLike, parse_shape
from .._sources.environment import in_default_environment
from .._sources.plan import Plan
from .._sources.replay import Replay
from .._sources.request import Law
from .._sources.seeds import Seed, parse_path, parse_seed
from .._sources.source import Source
from .builtin import Builtin

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
    """Base of the random initializers; a subclass says which law and which plan belong to a shape."""

    dtype: str
    """The name of the dtype that a call without one returns."""

    _dialect: ClassVar[tuple[str, ...]] = ("path",)
    _kind: FloatType
    _seed: Seed
    _plans: dict[tuple[str, tuple[int, ...]], Plan]
    """Those of the last shapes, which copies with other seeds and paths share: small calls are a sixth faster."""

    def _seal(self, seed: Any, dtype: Any) -> None:
        """Sets what every random initializer has; the last step of a constructor."""
        kind = float_type(dtype)
        self._set(dtype=kind.name, _kind=kind, _seed=parse_seed(seed), _plans={})

    @property
    def seed(self) -> int | Replay | None:
        """The initializer's own seed, what stands in its place, or None."""
        return self._seed._given

    @property
    def _path(self) -> tuple[int | str, ...]:
        """What `fold_in` was given."""
        return self._seed._path

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        """The law and its parameters as the user gave them, for seeds that replay a framework's stream."""
        raise NotImplementedError

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        """Which law a tensor of this shape follows, and where its values go."""
        raise NotImplementedError

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        """What `describe` returns."""
        raise NotImplementedError

    def describe(self, shape: ShapeLike) -> Description:
        """Fans, mean, standard deviation and bounds of the values for a shape, without drawing any.

        Example:
            >>> import varscale as vs
            >>> vs.lecun_normal().describe((100, 10)).stddev
            0.1
        """
        return self._describe(parse_shape(shape))

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
        return self._copy(_seed=self._seed.fold_in(*parsed)) if parsed else self

    def _named(self: Self, name: str) -> tuple[Self, bytes]:
        seed, stream = self._seed._named(name)
        return self if seed is self._seed else self._copy(_seed=seed), stream

    def _with_seed(self: Self, seed: Any) -> Self:
        parsed = parse_seed(seed)
        return self._copy(_seed=parsed.fold_in(*self._path) if self._path else parsed)

    def _copy(self: Self, **changes: Any) -> Self:
        """The same initializer but for these attributes."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        return copy

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        kind = self._kind if dtype is None else float_type(dtype)
        return self._seed._source(self, kind, part, stream)

    def _stream(self) -> bytes:
        return self._seed._stream()

    def _remembered_plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        """The plan, from memory if it was made before."""
        key = kind.name, full_shape
        try:
            return self._plans[key]  # without a lock where there is no GIL: `get` takes the dict's
        except KeyError:
            plan = in_default_environment(self._plan, full_shape, kind)
            if len(self._plans) >= _REMEMBERED:
                self._plans.clear()
            self._plans[key] = plan
            return plan

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-serializable: TensorFlow's keys, and others where not default."""
        config = super().get_config() | {"seed": self._seed.serialize()}
        return config | {"path": list(self._path)} if self._path else config

    @classmethod
    def _translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        if isinstance(config.get("seed"), Mapping):
            from ..replay import deserialize  # only here: importing the replays takes as long as importing varscale

            config["seed"] = deserialize(config["seed"])
        return config

    def _key(self) -> tuple[Any, ...]:
        return (*super()._key(), self._path)

    def _shown(self) -> dict[str, Any]:
        # A replay is shown as itself, not as its config: it says which framework's version it replays.
        return {name: self.seed if name == "seed" else value for name, value in self.get_config().items()}
