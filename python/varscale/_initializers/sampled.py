"""The base of the random initializers: a seed, a dtype, a path, and a law for every shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, TypeVar

from .._arguments.checks import check_config
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
"""The number of plans that an initializer keeps."""


class Description(NamedTuple):
    """The exact description of the values that an initializer makes for one shape."""

    fan_in: float
    fan_out: float
    mean: float
    """The mean of the values after truncation."""
    stddev: float
    """The standard deviation of the values after truncation."""
    low: float
    """No value is less than this number rounded to the dtype; -inf for normal laws."""
    high: float
    """No value is greater than this number rounded to the dtype; inf for normal laws."""


class Sampled(Builtin):
    """Base of the random initializers; a subclass finds the law and the plan of a shape."""

    dtype: str
    """The name of the dtype that a call returns when it is given none."""

    _dialect: ClassVar[tuple[str, ...]] = ("path",)
    _kind: FloatType
    _seed: Seed
    _plans: dict[tuple[str, tuple[int, ...]], Plan]
    """The plans of the last shapes, shared with copies of other seeds and paths; small calls are a sixth faster."""

    def _seal(self, seed: Any, dtype: Any) -> None:
        """Sets the attributes of every random initializer, as the last step of a constructor."""
        kind = float_type(dtype)
        self._set(dtype=kind.name, _kind=kind, _seed=parse_seed(seed), _plans={})

    @property
    def seed(self) -> int | Replay | None:
        """The initializer's own seed: an integer, a replay in its place, or None."""
        return self._seed._given

    @property
    def _path(self) -> tuple[int | str, ...]:
        """The path that was folded in."""
        return self._seed._path

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        """The law and its parameters as the user gave them, for seeds that replay a framework's stream."""
        raise NotImplementedError

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        """The law of a tensor of this shape as a plan for the core."""
        raise NotImplementedError

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        """The description that `describe` returns."""
        raise NotImplementedError

    def describe(self, shape: ShapeLike) -> Description:
        """The fans, mean, standard deviation and bounds of the values for a shape, without drawing any.

        Raises:
            TypeError: `shape` is not a sequence of integers.
            ValueError: `shape` holds a negative size or lacks an axis, or the values overflow the initializer's dtype.

        Example:
            >>> import varscale as vs
            >>> vs.lecun_normal().describe((100, 10)).stddev
            0.1
        """
        return in_default_environment(self._describe, parse_shape(shape))

    def fold_in(self: Self, *path: int | str) -> Self:
        """The same rule with an independent stream, named by strings and integers.

        `fold_in("a").fold_in("b")` is `fold_in("a", "b")` and differs from `fold_in("a/b")`; 0 differs from "0".

        Raises:
            TypeError: An element is neither a string nor an integer.
            ValueError: The seed replays a framework that cannot fold these elements, or a string has no UTF-8.

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
        # The path stays: it was folded into the rule, not into one seed.
        return self._copy(_seed=parsed.fold_in(*self._path) if self._path else parsed)

    def _copy(self: Self, **changes: Any) -> Self:
        """The same initializer, but for these attributes."""
        # Past the constructor, which would check all arguments again.
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        return copy

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        kind = self._kind if dtype is None else float_type(dtype)
        return self._seed._source(self, kind, part, stream)

    def _stream(self) -> bytes:
        return self._seed._stream()

    def _remembered_plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        """The plan of a shape and a dtype, from memory if it was made before."""
        key = kind.name, full_shape
        try:
            return self._plans[key]  # `get` would take the dict's lock in a Python without the GIL; this does not
        except KeyError:
            plan = in_default_environment(self._plan, full_shape, kind)
            # All are dropped at once, which needs no order and no lock; copies in other threads share this dict.
            if len(self._plans) >= _REMEMBERED:
                self._plans.clear()
            self._plans[key] = plan
            return plan

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-serializable values, with the path if there is one."""
        config = super().get_config() | {"seed": self._seed.serialize()}
        return config | {"path": list(self._path)} if self._path else config

    @classmethod
    def _translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        seed = config.get("seed")
        if isinstance(seed, Mapping) and seed.get("class_name") == "SeedGenerator":
            # Keras' generator draws on from its seed at every call. A seed of ours names one stream: the first.
            config["seed"] = check_config("SeedGenerator", seed.get("config"), ("seed", "name")).get("seed")
        elif isinstance(seed, Mapping):
            from ..replay import deserialize  # here, because importing the replays takes as long as varscale

            config["seed"] = deserialize(seed)
        return config

    def _key(self) -> tuple[Any, ...]:
        return (*super()._key(), self._path)

    def _shown(self) -> dict[str, Any]:
        # A replay shows itself rather than its config, because it names the version that it replays.
        return {name: self.seed if name == "seed" else value for name, value in self.get_config().items()}
