"""TensorFlow 1's uniform unit scaling: a variance scaling that names a factor in the place of a scale."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import Any, ClassVar

from .._arguments.checks import positive
from .._arguments.dtypes import DTypeLike, FloatType
from .._arguments.fans import AxesLike, Rest
from .._arguments.layouts import Layout
from .._arguments.show import show
from .._sources.plan import STANDARD_BOUNDS, Plan, check_overflow, complex_plan
from .._sources.request import Interval, Law
from .._sources.seeds import SeedLike
from .presets import Preset
from .variance_scaling import VarianceScaling


class UniformUnitScaling(VarianceScaling):
    """Draws uniform values in [-limit, limit], limit = factor * sqrt(3 / fan_in).

    It is `VarianceScaling(factor**2, "fan_in", "uniform")`, but for vectors, whose fan_in is 1 here as in TensorFlow 1:
    the product of all axes but the last. Haiku's `UniformScaling` has the same law.

    Args:
        factor: A positive number: 1.0 for linear layers, about 1.43 for ReLU and 1.15 for tanh.
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point dtype.
        in_axis: The input axis or axes; None for those of the layout.
        out_axis: The output axis or axes, likewise.
        batch_axis: The axes along which independent tensors are stacked, which count for no fan; "rest" for all others.
        layout: "keras", "jax", "torch" or "mlx", whose weight it is; see `VarianceScaling` for this and the next four.
        groups: The number of groups of a convolution.
        transposed: Whether it is of a transposed convolution.
        depthwise: Whether it is Keras' depthwise kernel.
        blocks: The number of independent matrices along the output axis.
        fan_in: The number of inputs, or None for that of the axes.
        fan_out: The number of outputs, or None for that of the axes.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.

    References:
        Sussillo and Abbott, *Random walk initialization for training very deep feedforward networks*, 2014.

    Example:
        >>> import varscale as vs
        >>> vs.UniformUnitScaling(2.0).describe((300, 40)).high
        0.2
    """

    factor: float
    _parameters: ClassVar[dict[str, Any]] = (
        {"factor": Preset._REQUIRED} | Preset._parameters | {"dtype": Preset._REQUIRED}
    )

    def __init__(
        self,
        factor: float = 1.0,
        seed: SeedLike = None,
        dtype: DTypeLike = "float32",
        *,
        in_axis: AxesLike | None = None,
        out_axis: AxesLike | None = None,
        batch_axis: AxesLike | Rest = (),
        layout: Layout | None = None,
        groups: int = 1,
        transposed: bool = False,
        depthwise: bool = False,
        blocks: int = 1,
        fan_in: float | None = None,
        fan_out: float | None = None,
    ) -> None:
        number = positive("factor", factor)
        scale = number * number
        if not (scale and isfinite(scale)):
            msg = f"`factor` must be a number whose square float64 can hold, got {show(factor)}"
            raise ValueError(msg)
        axes: dict[str, Any] = {"in_axis": in_axis, "out_axis": out_axis, "batch_axis": batch_axis, "layout": layout}
        axes |= {"groups": groups, "transposed": transposed, "depthwise": depthwise, "blocks": blocks}
        super().__init__(scale, "fan_in", "uniform", seed, dtype, **axes, fan_in=fan_in, fan_out=fan_out)
        self._set(factor=number)

    def _fans(self, shape: tuple[int, ...]) -> tuple[float, float]:
        fan_in, fan_out = super()._fans(shape)
        return (1, fan_out) if len(shape) == 1 and self.in_axis == -2 and self.fan_in is None else (fan_in, fan_out)

    def _limit(self, shape: tuple[int, ...]) -> float:
        """The bound, in the order in which TensorFlow computes it."""
        return sqrt(3 / max(self._fans(shape)[0], 1.0)) * self.factor

    def _divided(self, by: float) -> UniformUnitScaling:
        # No VarianceScaling, in which vectors have other fans.
        return self._with(scale=positive("scale", self.scale / by), factor=self.factor / sqrt(by))

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        limit = self._limit(full_shape)
        if kind.part is not None:
            return complex_plan("uniform", limit * limit / 3.0, kind, STANDARD_BOUNDS)
        check_overflow(limit, kind)
        return Plan("uniform", STANDARD_BOUNDS, 0.0, limit, -limit, limit)

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        limit = self._limit(full_shape)
        return Law("uniform", Interval(-limit, limit))


uniform_unit_scaling = UniformUnitScaling
