"""The random initializers of Keras whose scale does not depend on the shape."""

from __future__ import annotations

from typing import Any

from .._initializers.orthogonal import Orthogonal as PlainOrthogonal
from .._initializers.random import RandomNormal as PlainNormal
from .._initializers.random import RandomUniform as PlainUniform
from .._initializers.random import TruncatedNormal as PlainTruncated
from .base import Drawing


class RandomNormal(Drawing):
    """Draws normal values, as `keras.initializers.RandomNormal`.

    Args:
        mean: A finite number.
        stddev: A finite number that is not negative.
        seed: Any integer, or None for one of Keras' global generator.
        by_path: Whether each variable has a stream of its own, named by its path.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    _keys = ("mean", "stddev")

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None, *, by_path: bool = True) -> None:
        self._seal(seed, by_path)
        self._plain = PlainNormal(mean, stddev, self.seed)
        self.mean, self.stddev = self._plain.mean, self._plain.stddev


class TruncatedNormal(Drawing):
    """Draws normal values truncated at two standard deviations, as `keras.initializers.TruncatedNormal`.

    Args:
        mean: A finite number.
        stddev: The standard deviation before truncation, a finite number that is not negative.
        seed: Any integer, or None for one of Keras' global generator.
        by_path: Whether each variable has a stream of its own, named by its path.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    _keys = ("mean", "stddev")

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None, *, by_path: bool = True) -> None:
        self._seal(seed, by_path)
        self._plain = PlainTruncated(mean, stddev, self.seed)
        self.mean, self.stddev = self._plain.mean, self._plain.stddev


class RandomUniform(Drawing):
    """Draws uniform values in [minval, maxval), as `keras.initializers.RandomUniform`.

    Args:
        minval: The least value, a finite number.
        maxval: The bound that no value reaches, a finite number not less than `minval`.
        seed: Any integer, or None for one of Keras' global generator.
        by_path: Whether each variable has a stream of its own, named by its path.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    _keys = ("minval", "maxval")

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None, *, by_path: bool = True) -> None:
        self._seal(seed, by_path)
        self._plain = PlainUniform(minval, maxval, self.seed)
        self.minval, self.maxval = self._plain.minval, self._plain.maxval


class Orthogonal(Drawing):
    """Makes orthogonal matrices of the shape (all axes but the last, the last), as `keras.initializers.Orthogonal`.

    Args:
        gain: A finite number.
        seed: Any integer, or None for one of Keras' global generator.
        by_path: Whether each variable has a stream of its own, named by its path.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """

    _keys = ("gain",)

    def __init__(self, gain: float = 1.0, seed: Any = None, *, by_path: bool = True) -> None:
        self._seal(seed, by_path)
        self._plain = PlainOrthogonal(gain, self.seed)
        self.gain = self._plain.gain
