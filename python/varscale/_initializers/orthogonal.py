"""Initializers of orthogonal matrices, each of which is as likely as any other."""

from __future__ import annotations

from functools import partial
from math import prod, sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._arguments.boxes import cut, parse_box, uncovered
from .._arguments.checks import finite, integer, positive_integer
from .._arguments.dtypes import FLOAT_TYPES, DTypeLike, FloatType, float_type
from .._arguments.fans import compute_fans
from .._arguments.layouts import KernelAxes, Layout, kernel_axes, layout_word
from .._arguments.parts import Part
from .._arguments.show import show
from .._core import orthogonalize
from .._filling.arrays import new_array
from .._filling.assign import assign
from .._filling.fill import fill
from .._sources.plan import Plan, check_overflow, normal_plan
from .._sources.request import Law, Normal
from .._sources.seeds import Seed, SeedLike
from .._sources.source import Drawn, Joined, Known, Naming, Once, Source, Written
from .complex import complex_source, make_unitary
from .sampled import Description, Sampled

_ROUNDING = 1 + 2.0**-16
"""No element of an orthogonal matrix is larger than 1, but for its rounding."""


class Orthogonal(Sampled):
    """Makes orthogonal matrices, each as likely as any other (Haar's measure), times `gain`.

    A matrix has the sizes (the product of the other axes, the out axis). Its columns are orthonormal, or its rows where
    it has fewer. It is Q times the signs of R's diagonal, for the QR factorization of a matrix of standard normal
    values: those of `RandomNormal(0, 1, seed)`, with as many rows as columns at least (a wide matrix is transposed).
    The factorization takes one order of operations, so that bits do not depend on machine or threads. Complex matrices
    are unitary. Values of fewer bits than float32's are the float32 values, rounded once.

    A part costs as much as the whole tensor. The matrices of the last part are kept for the next.

    Args:
        gain: A finite number.
        seed: Any integer or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        axis: The out axis: -1 as in TensorFlow, Keras and JAX, 0 as in torch.
        blocks: The number of independent matrices that lie side by side along the out axis, such as the gates of an
            LSTM. As one matrix, its gates would have singular values of some 0.43.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value. A call also raises it for a shape of fewer than two axes, where
            `blocks` do not divide the out axis, and for a seed that replays a framework.

    References:
        Saxe, McClelland, Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural
        networks*, ICLR 2014; Mezzadri, *How to generate random matrices from the classical compact groups*, 2007.

    Example:
        >>> import numpy as np, varscale as vs
        >>> kernel = vs.Orthogonal(seed=7)((3, 3, 16, 32)).reshape(-1, 32)
        >>> bool(np.allclose(kernel.T @ kernel, np.eye(32), atol=1e-5))
        True
    """

    gain: float
    axis: int
    blocks: int
    _kept: dict[tuple[Any, ...], NDArray[Any]]
    """The matrices of the last part, by all that they depend on; shared with copies."""
    _complex = True
    _parameters: ClassVar[dict[str, Any]] = dict.fromkeys(("gain", "seed", "dtype"), Sampled._REQUIRED) | {
        "axis": -1,
        "blocks": 1,
    }

    def __init__(
        self,
        gain: float = 1.0,
        seed: SeedLike = None,
        dtype: DTypeLike = "float32",
        *,
        axis: int = -1,
        blocks: int = 1,
    ) -> None:
        self._set(
            gain=finite("gain", gain), axis=integer("axis", axis), blocks=positive_integer("blocks", blocks), _kept={}
        )
        self._seal(seed, dtype)

    def _with_axis(self, axis: int, blocks: int = 1) -> Orthogonal:
        """The same rule with this out axis, in so many blocks, unless it names an axis or blocks of its own."""
        if self.axis != -1 or (axis, blocks) == (-1, 1):
            return self
        return self._with(axis=axis, blocks=blocks if self.blocks == 1 else self.blocks)

    def _sizes(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """The rows and the columns of each matrix."""
        if len(shape) < 2:
            msg = f"`shape` must have two axes at least, got {show(shape)}"
            raise ValueError(msg)
        if not -len(shape) <= self.axis < len(shape):
            msg = f"`axis` must be one of the shape {show(shape)}, got {show(self.axis)}"
            raise ValueError(msg)
        out = shape[self.axis]
        if out % self.blocks:
            msg = f"`blocks` must divide the out axis, which has {show(out)} elements, got {show(self.blocks)}"
            raise ValueError(msg)
        others = shape[: self.axis % len(shape)] + shape[self.axis % len(shape) + 1 :]
        return prod(others), out // self.blocks

    def _source_of_piece(self, seed: Seed, part: Part, dtype: Any, stream: bytes | Naming | None) -> Source:
        kind = self._kind if dtype is None else float_type(dtype, self._complex)
        check_overflow(abs(self.gain) * _ROUNDING, kind)
        rows, columns = self._sizes(part.full_shape)
        tall = self.blocks, max(rows, columns), min(rows, columns)
        # Raises for a replay: what a framework makes depends on the machine's LAPACK.
        drawn, whole = FLOAT_TYPES[kind.value.__name__] if kind.part is None else kind, Part(tall, tall)
        normals: Any = seed._source(self, drawn, whole, stream)
        if kind.part is not None:
            complex_source(normals, whole)  # raises where there are too many
        return Written(kind.dtype, partial(self._write, normals, tall))

    def _write(self, normals: Drawn, tall: tuple[int, int, int], array: NDArray[Any], part: Part) -> None:
        """Writes a part of the tensor whose matrices are made of these values."""
        shape, whole = part.full_shape, part.is_whole()
        in_place = self.blocks == 1 and self.axis % len(shape) == len(shape) - 1 and shape[-1] == tall[2]
        if whole and in_place and array.dtype == normals.dtype and array.flags.c_contiguous:
            self._make(normals, array.reshape(tall))
        elif whole:
            matrices = new_array(tall, normals.dtype)
            self._make(normals, matrices)
            assign(array, self._tensor(matrices, shape))
        else:
            tensor = self._tensor(self._keep(normals, tall), shape)
            assign(part.mesh(array), tensor[np.ix_(*part.indices())])

    def _make(self, normals: Drawn, matrices: NDArray[Any]) -> None:
        """Makes the matrices in the memory of a new array, or of one that is being written."""
        if normals.kind.part is None:
            fill([(matrices, Part(matrices.shape, matrices.shape), normals)])
            orthogonalize(matrices, self.gain)
        else:
            make_unitary(normals, matrices, self.gain)

    def _keep(self, normals: Drawn, tall: tuple[int, int, int]) -> NDArray[Any]:
        """The matrices of these values, from memory if they are those of the last part."""
        named = Drawn(normals.kind, normals.plan, normals.named())
        key = named.stream, named.kind.name, tall, self.gain
        try:
            return self._kept[key]
        except KeyError:
            self._kept.clear()  # before others take its place in memory
            matrices = new_array(tall, named.dtype)
            self._make(named, matrices)
            self._kept[key] = matrices
            return matrices

    def _tensor(self, matrices: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """The tensor of these matrices: a view, unless there are several."""
        rows, columns = self._sizes(shape)
        wide = matrices if rows >= columns else matrices.transpose(0, 2, 1)
        axis = self.axis % len(shape)
        flat = wide.transpose(1, 0, 2).reshape(*shape[:axis], *shape[axis + 1 :], shape[axis])
        return np.moveaxis(flat, -1, axis)

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        return normal_plan(0.0, 1.0, kind)

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        return Law("orthogonal", Normal(0.0, 1.0))

    def _divided(self, by: float) -> Orthogonal:
        return self._with(gain=finite("gain", self.gain / sqrt(by)))

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        gain, most = abs(self.gain), max(self._sizes(full_shape))
        check_overflow(gain * _ROUNDING, self._kind)
        # The squares of a row or column of so many elements, all alike, have the sum 1.
        return Description(*compute_fans(full_shape), 0.0, gain / sqrt(max(1, most)), -gain, gain)


class DeltaOrthogonal(Sampled):
    """Makes kernels of convolutions that are zero but for the centre, which is an orthogonal matrix times `gain`.

    A kernel has 1 to 3 places, and the centre of one of size k is at (k - 1) // 2, as in JAX and TensorFlow. The matrix
    of the shape (in, out), whose rows are orthonormal, is that of `Orthogonal(gain, seed)`: with circular padding a
    convolution keeps the norm of its input.

    Args:
        gain: A finite number.
        seed: Any integer or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        layout: The order of the kernel's axes: "keras" and "jax" are (*places, in, out), "torch" is (out, in, *places),
            "mlx" is (out, *places, in). None means the layout of the model, or else Keras'.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value. A call also raises it for a shape without 3 to 5 axes or with more
            inputs than outputs, and for a seed that replays a framework.

    References:
        Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington, *Dynamical isometry and a mean field theory of CNNs*,
        ICML 2018.

    Example:
        >>> import varscale as vs
        >>> bool((vs.DeltaOrthogonal(seed=7)((3, 16, 32))[1] == vs.Orthogonal(seed=7)((16, 32))).all())
        True
    """

    gain: float
    layout: str | None
    _matrix: Orthogonal
    _complex = True
    _parameters: ClassVar[dict[str, Any]] = dict.fromkeys(("gain", "seed", "dtype"), Sampled._REQUIRED) | {
        "layout": None
    }

    def __init__(
        self,
        gain: float = 1.0,
        seed: SeedLike = None,
        dtype: DTypeLike = "float32",
        *,
        layout: Layout | None = None,
    ) -> None:
        self._set(gain=finite("gain", gain), layout=layout_word(layout), _matrix=Orthogonal(gain))
        self._seal(seed, dtype)

    def _with_layout(self, layout: str) -> DeltaOrthogonal:
        """The same rule for kernels in this layout, unless it names one."""
        return self if self.layout is not None else self._with(layout=layout)

    def _axes(self, shape: tuple[int, ...]) -> KernelAxes:
        """The axes of a kernel of this shape.

        Raises:
            ValueError: No kernel has this shape, or it has more inputs than outputs.
        """
        axes = kernel_axes(self.layout, len(shape)) if 3 <= len(shape) <= 5 else None
        if axes is None or shape[axes.ins] > shape[axes.out]:
            msg = f"`shape` must have 1 to 3 places, and no more inputs than outputs, got {show(shape)}"
            msg += f" in the layout {show(self.layout or 'keras')}"
            raise ValueError(msg)
        return axes

    def _source_of_piece(self, seed: Seed, part: Part, dtype: Any, stream: bytes | Naming | None) -> Source:
        kind, full = self._kind if dtype is None else float_type(dtype, self._complex), part.full_shape
        axes = self._axes(full)
        sizes = full[axes.ins], full[axes.out]
        name = Once(seed) if stream is None else stream  # a part may hold the centre in several places
        matrix: Any = self._matrix._source_of_piece(seed, Part(sizes, sizes), kind.dtype, name)
        sources = Known(kind.dtype, 0), Written(kind.dtype, partial(_write_centre, matrix, axes))
        centre = tuple((size - 1) // 2 if n in axes.places else slice(None) for n, size in enumerate(full))
        boxes = [parse_box("shape", index, full) for index in ((...,), centre)] if prod(full) else []
        return Joined(
            kind.dtype,
            tuple(
                (place, inner, sources[number]) for number, box in uncovered(boxes) for place, inner in cut(part, box)
            ),
        )

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        return self._matrix._law(full_shape)

    def _divided(self, by: float) -> DeltaOrthogonal:
        matrix = self._matrix._divided(by)
        return self._with(gain=matrix.gain, _matrix=matrix)

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        out, ins, places = self._axes(full_shape)
        matrix = self._matrix._describe((full_shape[ins], full_shape[out]))
        fan_in, fan_out = compute_fans(full_shape, ins, out)
        field = max(1, prod(full_shape[place] for place in places))
        return matrix._replace(fan_in=fan_in, fan_out=fan_out, stddev=matrix.stddev / sqrt(field))


def _write_centre(matrix: Written, axes: KernelAxes, array: NDArray[Any], part: Part) -> None:
    """Writes the matrix, or its part, to the centre of a kernel; a part of a kernel may hold it several times."""
    assert part.picks is not None
    every = array.transpose(*axes.places, axes.ins, axes.out)
    first = every[(0,) * len(axes.places)]
    full = part.full_shape[axes.ins], part.full_shape[axes.out]
    matrix.write(first, Part(first.shape, full, [part.picks[axes.ins], part.picks[axes.out]]))
    every[...] = first


orthogonal = Orthogonal
delta_orthogonal = DeltaOrthogonal
