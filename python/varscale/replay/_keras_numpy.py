"""Keras 3's stream on NumPy, which is NumPy's own generator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._arguments.parts import Part
from .._sources.plan import STANDARD_BOUNDS, Plan
from .._sources.request import Request
from .._sources.source import Written
from ._scaling import Keras


@dataclass(frozen=True, repr=False)
class KerasNumpy(Keras):
    """The stream of Keras 3 on NumPy, for `keras.initializers` and the draws of a SeedGenerator.

    `numpy.random.default_rng` draws the values in float64, and they are cast. As NumPy's, they depend on the C library
    in the last place.
    """

    backend: ClassVar[str] = "numpy"
    version: ClassVar[str] = "keras-3.15 on numpy-2.4"

    def __post_init__(self) -> None:
        super().__post_init__()
        # Keras keeps both in one array of uint32.
        for name in ("seed", "draw"):
            if not 0 <= getattr(self, name) < 2**32:
                self._refuse(name, getattr(self, name), "from 0 to 2^32 - 1")

    def _answer(self, request: Request) -> Written:
        # Python writes these values with NumPy's own generator, which knows no element without those before it.
        self._refuse_parts(request)
        if request.law.name == "truncated_normal" and request.law.bounds != STANDARD_BOUNDS:
            self._refuse("lower` and `upper", request.law.bounds, "-2 and 2")
        plan = self._plan(request)
        if not plan.high - plan.low < inf:
            self._refuse("minval` and `maxval", (plan.low, plan.high), "closer together than float64's largest value")
        return Written(request.kind.dtype, partial(self._write, plan))

    def _write(self, plan: Plan, array: NDArray[Any], part: Part) -> None:
        """Fills `array` with the values that NumPy draws, in C order whatever the order in memory."""
        # A new generator for each array: two calls make the same values.
        generator = np.random.default_rng(np.array([self.seed, self.draw], np.uint32))
        law, _, mean, stddev, low, high = plan
        if law == "uniform":
            values = generator.uniform(low, high, array.size)
        elif law == "normal":
            values = generator.normal(mean, stddev, array.size)
        else:
            values = _truncated(generator, mean, stddev, array.size)
        array[...] = values.astype(array.dtype).reshape(array.shape)


def _truncated(generator: np.random.Generator, mean: float, stddev: float, count: int) -> NDArray[np.float64]:
    """The first `count` values within two standard deviations, from batches of `count` values, as Keras draws them."""
    found, held = [np.empty(0)], 0
    while held < count:
        batch = generator.normal(mean, stddev, count)
        found.append(batch[(batch >= mean - 2 * stddev) & (batch <= mean + 2 * stddev)])
        held += found[-1].size
    return np.concatenate(found)[:count]
