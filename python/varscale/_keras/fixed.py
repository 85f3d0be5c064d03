"""The initializers of Keras that draw nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._initializers.builtin import Builtin
from .._initializers.constant import Constant as PlainConstant
from .._initializers.constant import Ones as PlainOnes
from .._initializers.constant import Zeros as PlainZeros
from .._initializers.diagonal import Identity as PlainIdentity
from .base import Rules


class Zeros(Rules):
    """Makes zeros, of any numeric dtype."""

    _plain = PlainZeros()


class Ones(Rules):
    """Makes ones, of any numeric dtype."""

    _plain = PlainOnes()


class Constant(Rules):
    """Makes tensors of one value, or of an array's values, broadcast to the shape.

    Args:
        value: A real number or bool, or an array, nested list or tensor of them.

    Raises:
        TypeError: `value` holds something else.
    """

    _plain: PlainConstant
    _keys = ("value",)

    def __init__(self, value: ArrayLike = 0.0) -> None:
        self._plain = PlainConstant(value if isinstance(value, int | float | list | tuple) else np.asarray(value))

    @property
    def value(self) -> Any:
        """The number, or lists of numbers."""
        return self._plain.get_config()["value"]

    def _of_shape(self, shape: tuple[int, ...]) -> Builtin:
        values = np.asarray(self._plain.value)
        return PlainConstant(np.broadcast_to(values, shape)) if values.ndim else self._plain

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Makes an initializer of what `get_config` returned, here or in Keras."""
        return cls(PlainConstant.from_config(config).value)


class Identity(Rules):
    """Makes matrices with `gain` on the main diagonal and zeros elsewhere.

    Args:
        gain: A finite number.

    Raises:
        TypeError: `gain` is not a number.
        ValueError: `gain` is not finite.
    """

    _keys = ("gain",)

    def __init__(self, gain: float = 1.0) -> None:
        self._plain = PlainIdentity(gain)
        self.gain = self._plain.gain
