"""The scales of TensorFlow and Keras, which compute them in Python's float64, from fans of at least 1."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import Any, ClassVar

from .._arguments.checks import integer, not_negative_integer
from .._arguments.show import show
from .._sources.plan import STANDARD_BOUNDS, TRUNCATED_STDDEV, Plan
from .._sources.replay import Replay
from .._sources.request import Interval, Normal, Request, Variance


class Scaling(Replay):
    """Base of the replays of TensorFlow's and Keras' initializers."""

    def _plan(self, request: Request) -> Plan:
        """The plan in float64: uniform laws use its limits, normal ones its moments."""
        law, parameters = request.law.name, request.law.parameters
        if isinstance(parameters, Interval):
            return Plan(law, STANDARD_BOUNDS, 0.0, 1.0, parameters.minval, parameters.maxval)
        if isinstance(parameters, Normal):
            return Plan(law, STANDARD_BOUNDS, parameters.mean, parameters.stddev, 0.0, 0.0)
        scale = self._variance(parameters, request.part.full_shape)
        if law == "uniform":
            limit = sqrt(3.0 * scale)
            return Plan(law, STANDARD_BOUNDS, 0.0, 1.0, -limit, limit)
        stddev = sqrt(scale)
        if law == "truncated_normal":
            stddev /= TRUNCATED_STDDEV
        return Plan(law, STANDARD_BOUNDS, 0.0, stddev, 0.0, 0.0)

    def _variance(self, parameters: Variance, shape: tuple[int, ...]) -> float:
        """The variance `scale / n`, if the framework computes the same n."""
        if not self._has_axes(parameters, shape):
            self._refuse("in_axis`, `out_axis` and `batch_axis", parameters.axes, "-2, -1 and ()")
        self._refuse_fans_by_hand(parameters, shape)
        # Neither framework has the geometric mean.
        means = {
            "fan_in": parameters.fan_in,
            "fan_out": parameters.fan_out,
            "fan_avg": (parameters.fan_in + parameters.fan_out) / 2.0,
        }
        if parameters.mode not in means:
            self._refuse("mode", parameters.mode, " or ".join(map(show, means)))
        return parameters.scale / max(1.0, means[parameters.mode])

    def _has_axes(self, parameters: Variance, shape: tuple[int, ...]) -> bool:
        """Whether the framework computes the same fans for these axes; TensorFlow has only one choice of axes."""
        return parameters.axes == (-2, -1, ())


@dataclass(frozen=True, repr=False)
class Keras(Scaling):
    """Base of the replays of Keras 3, with one class per backend."""

    seed: int
    draw: int = 0
    name: ClassVar[str] = "keras"
    backend: ClassVar[str]

    def __post_init__(self) -> None:
        self._normalise(seed=integer("seed", self.seed), draw=not_negative_integer("draw", self.draw))

    def _arguments(self) -> dict[str, Any]:
        return super()._arguments() | {"backend": self.backend}

    def _has_axes(self, parameters: Variance, shape: tuple[int, ...]) -> bool:
        if super()._has_axes(parameters, shape):
            return True
        # Keras multiplies the sizes of `input_axes` and `output_axes` alone: other axes will do if they add nothing.
        ins, outs, _ = ((axes,) if isinstance(axes, int) else axes for axes in parameters.axes)
        fans = prod(shape[axis] for axis in ins), prod(shape[axis] for axis in outs)
        return fans == (parameters.fan_in, parameters.fan_out)
