"""The base of all our classes for Keras, and of those that draw."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from .._arguments.checks import boolean, integer
from .._arguments.dtypes import any_dtype
from .._arguments.show import show
from .._initializers.builtin import Builtin
from .._sources.identity import without_stream
from .._sources.replay import Replay
from .framework import Framework, Place
from .layers import fitted
from .places import check_alone, layer_above
from .scopes import family_fans

Self = TypeVar("Self", bound="Rules")


class Rules:
    """What a class for Keras has beside its framework's base class: a rule of ours, called as Keras calls initializers.

    A subclass has the constructor of Keras' class of its name, and its config.
    """

    _framework: ClassVar[Framework]
    _plain: Builtin
    """The rule, with the seed that it draws from."""
    _layer: Any = None
    """The layer whose fans count, where they are the family's; None for Keras' fans."""
    _keys: ClassVar[tuple[str, ...]] = ()
    """The keys of a config, which are Keras' own."""

    def __call__(
        self,
        shape: Any,
        dtype: Any = None,
        layout: Any = None,
        *,
        partition_shape: Any = None,
        partition_offset: Any = None,
    ) -> Any:
        """Makes a tensor.

        Args:
            shape: The tensor's shape.
            dtype: A name or a dtype; None for `floatx()`.
            layout: A layout of `keras.distribution`, or the backend's own: each device's part is then made alone.
            partition_shape: The part's shape, `shape` being the full tensor's (a partitioner of TensorFlow).
            partition_offset: Where that part starts.

        Raises:
            TypeError: An argument is of the wrong kind.
            ValueError: There are no values of the shape or the dtype, or a layer calls it for no variable.
        """
        framework = self._framework
        kind = any_dtype(framework.module.backend.floatx() if dtype is None else dtype)
        place = self._place()
        if place.is_read:
            return framework.module.ops.zeros(shape, kind.name)
        init = self._rule(place, tuple(shape))
        if layout is not None:
            return framework.shards(init.lazy(shape, kind), layout)
        return framework.tensor(init(shape, kind, partition_shape=partition_shape, partition_offset=partition_offset))

    def _place(self) -> Place:
        """Where it is called: two frames above."""
        return Place("", None)

    def _of_shape(self, shape: tuple[int, ...]) -> Builtin:
        """The rule of tensors of a shape, as `__call__` and `init_` begin with it."""
        return self._plain

    def _rule(self, place: Place, shape: tuple[int, ...]) -> Builtin:
        """The rule of a tensor."""
        return self._of_shape(shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, by Keras' keys alone, as long as the others have their defaults."""
        return {key: getattr(self, key) for key in self._keys}

    @classmethod
    def from_config(cls: type[Self], config: Mapping[str, Any]) -> Self:
        """Makes an initializer of what `get_config` returned."""
        made = cls(**without_stream(config))
        if family_fans():
            made._layer = layer_above(sys._getframe(1), cls._framework.module.layers.Layer)
        return made

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={show(value)}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class Drawing(Rules):
    """Base of those that draw: a seed, and by default a stream for each variable, named by its path."""

    seed: int
    """The seed that it draws from; where none was given, one of Keras' global generator."""
    by_path: bool
    _given: int | None

    def _seal(self, seed: Any, by_path: Any) -> None:
        """Sets what all of them have, before the rule is made."""
        if isinstance(seed, Replay):
            msg = (
                f"`seed` must be an integer or None, got {show(seed)}: a replay draws one tensor, and Keras' configs "
                "cannot hold it; give that layer the plain initializer of `varscale`"
            )
            raise ValueError(msg)
        self._given = None if seed is None else integer("seed", seed)
        self.seed = draw_seed() if self._given is None else self._given
        self.by_path = boolean("by_path", by_path)

    def _place(self) -> Place:
        if not self.by_path and self._layer is None and self._framework.has_axes:
            return Place("", None)
        return self._framework.place(sys._getframe(2))

    def _rule(self, place: Place, shape: tuple[int, ...]) -> Builtin:
        init = self._fitted(place, shape)
        if not self.by_path:
            return init
        if not place.variable:
            check_alone(place.layer)
            return init
        return init.fold_in(place.variable)

    def _fitted(self, place: Place, shape: tuple[int, ...]) -> Builtin:
        """The rule with the fans of a tensor."""
        if self._layer is None:
            return self._plain
        path, _, name = place.variable.rpartition("/")
        # The layer that had it made may have handed it on, to one that nobody knows once it has left the stack.
        own = self._layer if path.rpartition("/")[2] == self._layer.name else None
        return fitted(self._plain, place.layer or own, name, shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, by Keras' keys alone, as long as the others have their defaults."""
        config = super().get_config() | {"seed": self._given}
        return config if self.by_path else config | {"by_path": False}


def draw_seed() -> int:
    """A seed of Keras' global generator, which is Python's: `keras.utils.set_random_seed` sets it."""
    return random.randint(1, 10**9)
