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
    """The stream of Keras 3 on NumPy: the initializers of `keras.initializers`, and draws of a SeedGenerator.

    float64 values of `numpy.random.default_rng`, cast. They depend on the C library in the last place, as NumPy's do.
    """

    backend: ClassVar[str] = "numpy"
    version: ClassVar[str] = "keras-3.15 on numpy-2.4"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("seed", "draw"):
            if not 0 <= getattr(self, name) < 2**32:
                self._refuse(name, getattr(self, name), "from 0 to 2^32 - 1")

    def _answer(self, request: Request) -> Written:
        """NumPy's own generator, scaled in float64.

        Raises:
            ValueError: A part of a tensor, or bounds that Keras does not have.
        """
        self._refuse_parts(request)
        if request.law.name == "truncated_normal" and request.law.bounds != STANDARD_BOUNDS:
            self._refuse("lower` and `upper", request.law.bounds, "-2 and 2")
        plan = self._plan(request)
        if not plan.high - plan.low < inf:
            self._refuse("minval` and `maxval", (plan.low, plan.high), "less apart than float64's largest value")
        return Written(request.kind.dtype, partial(self._write, plan))

    def _write(self, plan: Plan, array: NDArray[Any], part: Part) -> None:
        """Fills `array` with what NumPy draws, whatever its order."""
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
    """The first `count` values within two standard deviations; each batch is as large as the tensor."""
    found, held = [np.empty(0)], 0
    while held < count:
        batch = generator.normal(mean, stddev, count)
        found.append(batch[(batch >= mean - 2 * stddev) & (batch <= mean + 2 * stddev)])
        held += found[-1].size
    return np.concatenate(found)[:count]
