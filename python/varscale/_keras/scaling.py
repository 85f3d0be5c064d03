"""The variance scalings of Keras: their fans come from the shape, from given axes, or from the layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .._arguments.fans import parse_axes
from .._arguments.layouts import as_tuple
from .._arguments.show import show
from .._initializers.builtin import Builtin
from .._initializers.variance_scaling import VarianceScaling as Plain
from .base import Drawing
from .framework import Place
from .layers import fitted, is_einsum


class Scaling(Drawing):
    """Base of the variance scalings."""

    _plain: Plain
    input_axes: list[int] | None
    output_axes: list[int] | None
    scale: float
    mode: str
    distribution: str

    def _scale(self, scale: Any, mode: Any, distribution: Any, seed: Any, ins: Any, outs: Any, by_path: Any) -> None:
        """Sets all that a variance scaling has."""
        self._seal(seed, by_path)
        self.input_axes, self.output_axes = _axes("input_axes", ins), _axes("output_axes", outs)
        if (self.input_axes is None) != (self.output_axes is None):
            msg = f"`input_axes` and `output_axes` must both be given, or neither, got {show(ins)} and {show(outs)}"
            raise ValueError(msg)
        if self.input_axes is not None and not self._framework.has_axes:
            msg = f"`input_axes` must be None here: the configs of this {self._framework.name} cannot hold axes"
            raise ValueError(msg)
        self._plain = Plain(scale, mode, distribution, self.seed)
        self.scale, self.mode, self.distribution = self._plain.scale, self._plain.mode, self._plain.distribution

    def _of_shape(self, shape: tuple[int, ...]) -> Builtin:
        return with_axes(self._plain, self.input_axes, self.output_axes, len(shape))

    def _fitted(self, place: Place, shape: tuple[int, ...]) -> Builtin:
        if self.input_axes is not None:
            return self._of_shape(shape)
        if not self._framework.has_axes and is_einsum(place.layer):  # which names no axes to its initializer there
            return fitted(self._plain, place.layer, "kernel", shape)
        return super()._fitted(place, shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, by Keras' keys alone, as long as the others have their defaults."""
        axes = {"input_axes": self.input_axes, "output_axes": self.output_axes} if self._framework.has_axes else {}
        return super().get_config() | axes


class VarianceScaling(Scaling):
    """Draws values whose variance is `scale / n`, as `keras.initializers.VarianceScaling`.

    Args:
        scale: A positive, finite number.
        mode: What n counts: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: Any integer, or None for one of Keras' global generator.
        input_axes: The axes of the inputs; None for Keras' guess by the shape, or the layer's own.
        output_axes: The axes of the outputs, likewise.
        by_path: Whether each variable has a stream of its own, named by its path.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, or only one of the axes is given.
    """

    _keys = ("scale", "mode", "distribution")

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
        *,
        by_path: bool = True,
    ) -> None:
        if mode == "fan_geo_avg":  # of which a file without varscale could make nothing
            msg = f"`mode` must be 'fan_in', 'fan_out' or 'fan_avg' in Keras, got {show(mode)}"
            raise ValueError(msg)
        self._scale(scale, mode, distribution, seed, input_axes, output_axes, by_path)


class Preset(Scaling):
    """A variance scaling whose class fixes the scale, the mode and the distribution.

    Args:
        seed: Any integer, or None for one of Keras' global generator.
        input_axes: The axes of the inputs; None for Keras' guess by the shape, or the layer's own.
        output_axes: The axes of the outputs, likewise.
        by_path: Whether each variable has a stream of its own, named by its path.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: Only one of the axes is given.
    """

    _row: ClassVar[tuple[float, str, str]]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
        *,
        by_path: bool = True,
    ) -> None:
        self._scale(*self._row, seed, input_axes, output_axes, by_path)


def with_axes(init: Plain, ins: Sequence[int] | None, outs: Sequence[int] | None, rank: int) -> Plain:
    """The rule with the axes of a config; Keras reads them where both are given, and counts the others for no fan."""
    if ins is None or outs is None:
        return init
    named = {axis % max(1, rank) for axis in (*ins, *outs)}
    return init._with_axes(tuple(ins), tuple(outs), tuple(axis for axis in range(rank) if axis not in named))


def _axes(name: str, axes: Any) -> list[int] | None:
    """Axes as a config holds them."""
    return None if axes is None else list(as_tuple(parse_axes(name, axes)))
