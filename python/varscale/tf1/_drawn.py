"""The base of the initializers that draw: TensorFlow's calls and configs, and our values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import tensorflow as tf

from .._arguments.checks import boolean, integer
from .._initializers.sampled import Sampled
from .._sources.identity import without_stream
from ._tensors import tensor_of

Self = TypeVar("Self", bound="Drawn")


class Drawn:
    """What the initializers have in common: an operation that draws our values, and the `embed` of their configs.

    Attributes may be set anew, as in TensorFlow; a call reads them.
    """

    seed: int | None
    dtype: tf.DType
    embed: bool
    autograph_info__: ClassVar[None] = None
    """What `tf.autograph.experimental.do_not_convert` leaves on a function, so that nothing in a call is converted."""

    def _seal(self, seed: Any, dtype: Any, embed: Any) -> None:
        """Sets the attributes of every initializer as the last step of a constructor, and checks all of them."""
        self.seed = None if seed is None else integer("seed", seed)
        self.dtype = tf.as_dtype(dtype)
        self.embed = boolean("embed", embed)
        self._rule()

    def _rule(self) -> Sampled:
        """The initializer of NumPy arrays that makes the values."""
        raise NotImplementedError

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> tf.Tensor:
        """Makes the tensor, or the part of it that a partitioner asks for.

        In a graph it is an operation that draws when it is run; in eager mode, and with `embed`, it holds the values.

        Args:
            shape: The tensor's shape, known when the graph is built.
            dtype: A floating-point dtype of TensorFlow, or its name; None for the initializer's.
            partition_info: The part's place in its tensor, as partitioners give it.

        Raises:
            TypeError: An argument is of the wrong kind.
            ValueError: An argument has a wrong value, or an orthogonal matrix is partitioned without a seed.
        """
        return tensor_of(self._rule(), shape, self.dtype if dtype is None else dtype, partition_info, self.embed)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments under TensorFlow's keys, and `embed` where it is True."""
        config: dict[str, Any] = super().get_config()  # type: ignore[misc]
        return config | {"embed": True} if self.embed else config

    @classmethod
    def from_config(cls: type[Self], config: Mapping[str, Any]) -> Self:
        """Makes an initializer of what `get_config` returned."""
        return cls(**without_stream(config))
