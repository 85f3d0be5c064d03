"""The initializer whose logarithms are uniform: the time steps of state-space models."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._arguments.checks import boolean, finite, not_negative, positive
from .._arguments.dtypes import FLOAT_TYPES, DTypeLike, FloatType, float_type
from .._arguments.fans import compute_fans
from .._arguments.parts import Part
from .._arguments.show import show
from .._filling.assign import assign
from .._filling.fill import make
from .._sources.environment import in_default_environment
from .._sources.plan import STANDARD_BOUNDS, Plan, check_overflow
from .._sources.request import Interval, Law
from .._sources.seeds import Seed, SeedLike
from .._sources.source import Naming, Source, Written
from .elementary import exp, inverse_softplus, ln
from .sampled import Description, Sampled

_FLOAT64 = FLOAT_TYPES["float64"]


class LogUniform(Sampled):
    """Draws values between `minval` and `maxval` whose logarithms are uniform.

    The time steps of Mamba start so: `LogUniform(0.001, 0.1, floor=1e-4, inverse_softplus=True)` makes its `dt_bias`.
    Values are computed in float64, in an arithmetic that is the same everywhere, and rounded once.

    Args:
        minval: The least value, a positive number.
        maxval: The greatest value, a finite number greater than `minval`.
        seed: Any integer or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point dtype.
        floor: Values below it become it.
        inverse_softplus: Whether each value x becomes ln(e^x - 1), whose softplus is x.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value. A call also raises it for a seed that replays a framework.

    Example:
        >>> import varscale as vs
        >>> steps = vs.LogUniform(0.001, 0.1, seed=7)((1000,))
        >>> bool(0.001 <= steps.min() < steps.max() <= 0.1)
        True
    """

    minval: float
    maxval: float
    floor: float
    inverse_softplus: bool
    _parameters: ClassVar[dict[str, Any]] = dict.fromkeys(("minval", "maxval", "seed", "dtype"), Sampled._REQUIRED) | {
        "floor": 0.0,
        "inverse_softplus": False,
    }

    def __init__(
        self,
        minval: float = 0.001,
        maxval: float = 0.1,
        seed: SeedLike = None,
        dtype: DTypeLike = "float32",
        *,
        floor: float = 0.0,
        inverse_softplus: bool = False,
    ) -> None:
        low, high = positive("minval", minval), finite("maxval", maxval)
        if not low < high:
            msg = f"`minval` must be less than `maxval`, got {show(minval)} and {show(maxval)}"
            raise ValueError(msg)
        self._set(
            minval=low,
            maxval=high,
            floor=not_negative("floor", floor),
            inverse_softplus=boolean("inverse_softplus", inverse_softplus),
        )
        self._seal(seed, dtype)

    def _source_of_piece(self, seed: Seed, part: Part, dtype: Any, stream: bytes | Naming | None) -> Source:
        kind = self._kind if dtype is None else float_type(dtype)
        # Raises for a replay, as no framework has this law in its streams.
        drawn = seed._source(self, _FLOAT64, part, stream)
        check_overflow(max(map(abs, self._ends())), kind)
        return Written(kind.dtype, partial(_write, self, drawn))

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        low, high = ln(self.minval), ln(self.maxval)
        return Plan("uniform", STANDARD_BOUNDS, high / 2 + low / 2, high / 2 - low / 2, low, high)

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        return Law("log_uniform", Interval(self.minval, self.maxval))

    def _values(self, logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values whose logarithms were drawn."""
        values = np.maximum(np.clip(exp(logarithms), self.minval, self.maxval), self.floor)
        return inverse_softplus(values) if self.inverse_softplus else values

    def _ends(self) -> tuple[float, float]:
        """The least and the greatest value."""
        low, high = self._values(np.array([ln(self.minval), ln(self.maxval)])).tolist()
        return low, high

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        low, high = ln(self.minval), ln(self.maxval)
        # Gauss and Legendre's rule, apart where the floor makes a corner.
        corner = min(max(ln(self.floor), low), high) if self.floor else low
        nodes, weights = np.polynomial.legendre.leggauss(64)
        moments = [0.0, 0.0]
        for start, stop in ((low, corner), (corner, high)):
            values = self._values((stop - start) / 2 * nodes + (stop + start) / 2)
            share = (stop - start) / (high - low) / 2
            moments = [moment + share * float(weights @ values**n) for n, moment in enumerate(moments, 1)]
        stddev = max(moments[1] - moments[0] ** 2, 0.0) ** 0.5
        return Description(*compute_fans(full_shape), moments[0], stddev, *self._ends())


def _write(init: LogUniform, drawn: Source, array: NDArray[Any], part: Part) -> None:
    """Draws the logarithms, and writes the values; they are rounded to the array's dtype as they are written."""
    logarithms = make(drawn, part)
    in_default_environment(lambda: assign(array, init._values(logarithms)))


log_uniform = LogUniform
