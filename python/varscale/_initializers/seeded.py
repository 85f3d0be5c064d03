"""The base of the initializers that have a seed: an integer or a replay, a path that was folded in, and a dtype."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from .._arguments.checks import check_config
from .._sources.identity import without_stream
from .._sources.replay import Replay
from .._sources.seeds import Seed, parse_path, parse_seed
from .builtin import Builtin

Self = TypeVar("Self", bound="Seeded")


class Seeded(Builtin):
    """Base of the initializers that draw: a seed names the stream, with the path that was folded in."""

    dtype: str
    """The name of the dtype that a call returns when it is given none."""

    _dialect: ClassVar[tuple[str, ...]] = ("path", "stream")
    _seed: Seed

    @property
    def seed(self) -> int | Replay | None:
        """The initializer's own seed: an integer, a replay in its place, or None."""
        return self._seed._given

    @property
    def _path(self) -> tuple[int | str, ...]:
        """The path that was folded in."""
        return self._seed._path

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

    def _changed(self, rule: Callable[[Builtin], Builtin]) -> Builtin:
        changed = rule(self._copy(_seed=parse_seed(None)))
        return changed._copy(_seed=self._seed) if isinstance(changed, Seeded) else changed

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

    def _stream(self) -> bytes:
        return self._seed._stream()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-serializable values, with the path if there is one."""
        config = super().get_config() | {"seed": self._seed.serialize()}
        return config | {"path": list(self._path)} if self._path else config

    @classmethod
    def _translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        config = without_stream(config)
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
