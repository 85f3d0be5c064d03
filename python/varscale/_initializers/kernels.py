"""Kernels of convolutions that draw nothing: the one that changes nothing, and the one that interpolates."""

from __future__ import annotations

from functools import partial
from math import prod, sqrt
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._arguments.checks import positive_integer
from .._arguments.diagonal import diagonal_places
from .._arguments.dtypes import DTypeLike, FloatType, float_type, numeric_dtype
from .._arguments.fans import compute_fans
from .._arguments.index import spread
from .._arguments.layouts import KernelAxes, Layout, kernel_axes, layout_word
from .._arguments.parts import Part
from .._arguments.show import show
from .._filling.assign import assign
from .._sources.environment import in_default_environment
from .._sources.source import Source, Written
from .builtin import Builtin
from .constant import Fixed

Self = TypeVar("Self", bound="Kernel")


class Kernel(Fixed):
    """Base of the initializers whose axes have a meaning, which the layout tells."""

    layout: str | None
    _ranks: ClassVar[range]
    _whose: ClassVar[str]
    """The words for these ranks in an error."""

    def _with_layout(self: Self, layout: str) -> Self:
        """The same kernel in this layout, unless it names one."""
        if self.layout is not None:
            return self
        return type(self).from_config(self.get_config() | {"layout": layout})

    def _axes(self, full_shape: tuple[int, ...]) -> KernelAxes:
        """The axes of a kernel of this shape.

        Raises:
            ValueError: No kernel has this shape.
        """
        if len(full_shape) not in self._ranks:
            msg = f"`shape` must have {self._whose} dimensions for this kernel, got {show(full_shape)}"
            raise ValueError(msg)
        return kernel_axes(self.layout, len(full_shape))

    def _fans(self, full_shape: tuple[int, ...]) -> tuple[int, int]:
        axes = self._axes(full_shape)
        return compute_fans(full_shape, axes.ins, axes.out)


class Dirac(Kernel):
    """Makes kernels of convolutions that pass their inputs on: 1 at the centre where output d meets input d, else 0.

    The outputs are in `groups`, each of which passes on the inputs of its own group. The centre is at k // 2. The rule
    is that of torch's `dirac_`, in any layout. Only as many channels are passed on as there are inputs and outputs.

    Args:
        groups: The groups of the convolution, a positive integer that divides the outputs.
        dtype: What a call without a dtype returns: any numeric or bool dtype.
        layout: The order of the kernel's axes: "keras" and "jax" are (*places, in, out), "torch" is (out, in, *places),
            "mlx" is (out, *places, in). None means the layout of the model, or else Keras'.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value. A call also raises it for a shape whose rank is not 3, 4 or 5, and
            for outputs that the groups do not divide.

    Example:
        >>> import varscale as vs
        >>> vs.Dirac(layout="torch")((2, 2, 3))
        array([[[0., 1., 0.],
                [0., 0., 0.]],
        <BLANKLINE>
               [[0., 0., 0.],
                [0., 1., 0.]]], dtype=float32)
    """

    groups: int
    _parameters: ClassVar[dict[str, Any]] = {"groups": 1, "dtype": Builtin._REQUIRED, "layout": None}
    _ranks = range(3, 6)
    _whose = "three to five"

    def __init__(self, groups: int = 1, dtype: DTypeLike = "float32", *, layout: Layout | None = None) -> None:
        self._set(
            groups=positive_integer("groups", groups), dtype=numeric_dtype(dtype).name, layout=layout_word(layout)
        )

    def _axes(self, full_shape: tuple[int, ...]) -> KernelAxes:
        axes = super()._axes(full_shape)
        if full_shape[axes.out] % self.groups:
            msg = f"`groups` must divide the {show(full_shape[axes.out])} outputs of `shape`, got {show(self.groups)}"
            raise ValueError(msg)
        return axes

    def _grouped(self, groups: int) -> Dirac:
        """The same kernel with these groups, unless it names its own."""
        if self.groups != 1 or groups == 1:
            return self
        return Dirac(groups, self.dtype, layout=self.layout)  # type: ignore[arg-type]

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        kind = numeric_dtype(self.dtype if dtype is None else dtype)
        return Written(kind, partial(_write_dirac, self._axes(part.full_shape), self.groups))

    def _fans(self, full_shape: tuple[int, ...]) -> tuple[int, int]:
        fan_in, fan_out = super()._fans(full_shape)
        return fan_in, fan_out // self.groups

    def _moments(self, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        if not prod(shape):
            return (np.nan,) * 4
        axes = self._axes(shape)
        share = self.groups * min(shape[axes.out] // self.groups, shape[axes.ins]) / prod(shape)
        return share, sqrt(share * (1 - share)), float(share == 1), 1.0


class Bilinear(Kernel):
    """Makes kernels of transposed convolutions that interpolate: all channels get the same one, whatever they are.

    Along each of its two places, of size k, it is 1 - |x - (k - 1) / 2| / f with f = ceil(k / 2): with the stride f,
    and one channel in each group, it enlarges images f times. It is Caffe's filler. MXNet's `Bilinear` equals it where
    k is 2 f - f % 2, and is off the centre in other sizes; Paddle's rows lie between those of the kernel in all.

    Args:
        dtype: What a call without a dtype returns: a floating-point dtype.
        layout: The order of the kernel's axes: "keras" and "jax" are (*places, in, out), "torch" is (out, in, *places),
            "mlx" is (out, *places, in). None means the layout of the model, or else Keras'.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value. A call also raises it for a shape whose rank is not 4.

    Example:
        >>> import varscale as vs
        >>> vs.Bilinear(layout="torch")((1, 1, 3, 3))[0, 0]
        array([[0.25, 0.5 , 0.25],
               [0.5 , 1.  , 0.5 ],
               [0.25, 0.5 , 0.25]], dtype=float32)
    """

    _parameters: ClassVar[dict[str, Any]] = {"dtype": Builtin._REQUIRED, "layout": None}
    _ranks = range(4, 5)
    _whose = "four"

    def __init__(self, dtype: DTypeLike = "float32", *, layout: Layout | None = None) -> None:
        self._set(dtype=float_type(dtype).name, layout=layout_word(layout))

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        kind = float_type(self.dtype if dtype is None else dtype)
        return Written(kind.dtype, partial(_write_bilinear, self._axes(part.full_shape), kind))

    def _moments(self, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        if not prod(shape):
            return (np.nan,) * 4
        slopes = [
            _slope(np.arange(size), size) / (size + size % 2)
            for size in map(shape.__getitem__, self._axes(shape).places)
        ]
        mean, square, low, high = (
            float(np.prod([of(slope) for slope in slopes]))
            for of in (np.mean, lambda slope: np.mean(slope * slope), np.min, np.max)
        )
        return mean, sqrt(max(0.0, square - mean * mean)), low, high


def _write_dirac(axes: KernelAxes, groups: int, array: NDArray[Any], part: Part) -> None:
    assign(array, 0)
    picks, sizes = part.axes(), part.full_shape
    outs = picks[axes.out]
    if groups > 1:
        outs = spread(outs) % np.uint64(sizes[axes.out] // groups)
    first, second = diagonal_places(outs, picks[axes.ins])
    centres = (np.flatnonzero(spread(picks[axis]) == sizes[axis] // 2) for axis in axes.places)
    # The pairs of channels, beside the mesh of the centres.
    pairs = (channels.reshape(-1, *(1,) * len(axes.places)) for channels in (first, second))
    ones = (*pairs, *np.ix_(*centres))
    part.mesh(array).transpose(axes.out, axes.ins, *axes.places)[ones] = 1


def _write_bilinear(axes: KernelAxes, kind: FloatType, array: NDArray[Any], part: Part) -> None:
    picks = part.axes()
    kernel = in_default_environment(_product, *((spread(picks[axis]), part.full_shape[axis]) for axis in axes.places))
    values = kernel.astype(kind.value)
    mesh = part.mesh(array).transpose(axes.out, axes.ins, *axes.places)
    in_default_environment(assign, mesh, values)


def _slope(places: NDArray[Any], size: int) -> NDArray[np.float64]:
    """The weights at these places of an axis, times twice the stride, which makes them integers."""
    return (size + size % 2) - np.abs(2.0 * places - (size - 1))


def _product(*axes: tuple[NDArray[Any], int]) -> NDArray[np.float64]:
    """The kernel: a product of integers, which one division makes the exact values, rounded."""
    first, second = (_slope(*axis) for axis in axes)
    return np.multiply.outer(first, second) / prod(float(size + size % 2) for _, size in axes)


dirac = Dirac
bilinear = Bilinear
