"""The identity matrix."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any, ClassVar

import numpy as np

from .._arguments.checks import finite
from .._arguments.dtypes import DTypeLike, float_type
from .._arguments.parts import Part
from .._arguments.show import show
from .._sources.environment import in_default_environment
from .._sources.plan import check_overflow
from .._sources.source import Known, Source
from .builtin import Builtin
from .constant import Fixed


class Identity(Fixed):
    """Makes matrices with `gain` on the main diagonal and zeros elsewhere.

    Args:
        gain: A finite number.
        dtype: What a call without a dtype returns: a floating-point dtype.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: `gain` is not finite, or `dtype` not floating-point. A call also raises it for a shape whose rank
            is not 2, and for a gain that overflows the dtype.

    Example:
        >>> import varscale as vs
        >>> vs.Identity(2.0)((2, 3))
        array([[2., 0., 0.],
               [0., 2., 0.]], dtype=float32)
    """

    gain: float
    _parameters: ClassVar[dict[str, Any]] = {"gain": Builtin._REQUIRED, "dtype": Builtin._REQUIRED}

    def __init__(self, gain: float = 1.0, dtype: DTypeLike = "float32") -> None:
        self._set(gain=finite("gain", gain), dtype=float_type(dtype).name)

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        kind = float_type(self.dtype if dtype is None else dtype)
        if len(part.full_shape) != 2:
            msg = f"`shape` must have two dimensions for an identity matrix, got {show(part.full_shape)}"
            raise ValueError(msg)
        check_overflow(abs(self.gain), kind)
        gain = in_default_environment(np.array(self.gain).astype, kind.dtype)
        return Known(kind.dtype, 0, gain)

    def _divided(self, by: float) -> Identity:
        return Identity(self.gain / sqrt(by), self.dtype)

    def _moments(self, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        if not prod(shape):
            return (np.nan,) * 4
        share = 1 / max(shape)  # of the elements that lie on the diagonal
        rest = self.gain if share == 1 else 0.0
        mean, stddev = share * self.gain, sqrt(share * (1 - share)) * abs(self.gain)
        return mean, stddev, min(rest, self.gain), max(rest, self.gain)


identity = Identity
