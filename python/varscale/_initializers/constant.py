"""Initializers that draw nothing: constants and the identity matrix."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arguments.checks import finite
from .._arguments.diagonal import diagonal_places
from .._arguments.dtypes import DTypeLike, float_type, numeric_dtype
from .._arguments.parts import Part
from .._arguments.show import show
from .._filling.assign import assign
from .._sources.environment import in_default_environment
from .._sources.plan import check_overflow
from .._sources.source import Source, Written
from .builtin import Builtin


class Fixed(Builtin):
    """Base of the initializers that draw nothing; it takes any numeric dtype, unless a subclass takes fewer."""

    dtype: str
    _number: ClassVar[int]
    """The value of all elements, in subclasses that have one value only."""
    _parameters: ClassVar[dict[str, Any]] = {"dtype": Builtin._REQUIRED}

    def __init__(self, dtype: DTypeLike = "float32") -> None:
        self._set(dtype=numeric_dtype(dtype).name)

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        return Written(numeric_dtype(self.dtype if dtype is None else dtype), partial(_write, self._number))


class Constant(Fixed):
    """Makes tensors of one value, or of a list of values in C order.

    Args:
        value: A real number or bool, or an array or nested list with as many values as each shape that is asked for.
        dtype: What a call without a dtype returns: any numeric or bool dtype.

    Raises:
        TypeError: `value` holds something else, such as complex numbers, which have no place in a JSON config.
        ValueError: `dtype` is not numeric. A call also raises it for a value that the dtype cannot hold, and for too
            few or too many values.

    Example:
        >>> import varscale as vs
        >>> vs.Constant([1, 2, 3, 4])((2, 2))
        array([[1., 2.],
               [3., 4.]], dtype=float32)
    """

    _values: NDArray[Any]
    _parameters: ClassVar[dict[str, Any]] = {"value": Builtin._REQUIRED, "dtype": Builtin._REQUIRED}

    def __init__(self, value: ArrayLike = 0, dtype: DTypeLike = "float32") -> None:
        try:
            array = np.asarray(value)
        except ValueError:  # the lists are ragged, which no array of numbers is
            array = np.empty(0, object)
        if array.dtype.kind not in "biuf" and array.dtype.type.__module__ != "ml_dtypes":
            msg = f"`value` must be a real number or bool, or an array or nested list of them, got {show(value)}"
            raise TypeError(msg)
        # Of ml_dtypes, whose numbers no later check would know, or a long double, which JSON would not.
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            array = array.astype(np.float64)
        self._set(dtype=numeric_dtype(dtype).name, _values=array.copy())

    @property
    def value(self) -> Any:
        """The number, or the numbers as nested tuples: JSON has lists, not arrays or NumPy scalars."""
        return _tuples(self._values.tolist())

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        kind = numeric_dtype(self.dtype if dtype is None else dtype)
        values = self._values
        if values.ndim:
            if values.size != prod(part.full_shape):
                msg = (
                    f"`value` must hold one number or {show(prod(part.full_shape))}, as `shape` does, got {values.size}"
                )
                raise ValueError(msg)
            values = _chosen(values, part)
        held, fits = in_default_environment(_held, values, kind)
        if not fits:
            msg = f"`value` must be one that the dtype {kind.name!r} can hold, got {show(self.value)}"
            raise ValueError(msg)
        return Written(kind, partial(_write, held))

    def _key(self) -> tuple[Any, ...]:
        # By bits, so that NaN is itself and -0 is not 0. Numbers that are equal have equal ones in float64, but for
        # large integers.
        values = self._values
        exact = values.dtype.kind == "f" or not values.size or max(-int(values.min()), int(values.max())) <= 2**53
        return values.shape, exact, (values.astype(np.float64) if exact else values).tobytes(), self.dtype

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Constant):
            return NotImplemented
        return self._key() == other._key()

    __hash__ = Fixed.__hash__


class Zeros(Fixed):
    """Makes tensors of zeros.

    Args:
        dtype: What a call without a dtype returns: any numeric or bool dtype.

    Raises:
        TypeError: `dtype` is not a dtype or its name.
        ValueError: `dtype` is not numeric.
    """

    _number = 0


class Ones(Fixed):
    """Makes tensors of ones.

    Args:
        dtype: What a call without a dtype returns: any numeric or bool dtype.

    Raises:
        TypeError: `dtype` is not a dtype or its name.
        ValueError: `dtype` is not numeric.
    """

    _number = 1


class Identity(Fixed):
    """Makes matrices with `gain` on the main diagonal and zeros elsewhere.

    Args:
        gain: A finite number.
        dtype: What a call without a dtype returns: float16, bfloat16, float32 or float64.

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
        return Written(kind.dtype, partial(_write_diagonal, gain))


def _write(values: ArrayLike, array: NDArray[Any], part: Part) -> None:
    """Writes one value to all elements, or one to each."""
    assign(array, values)


def _write_diagonal(gain: NDArray[Any], array: NDArray[Any], part: Part) -> None:
    """Writes `gain` where an element's row index equals its column index, and zeros elsewhere."""
    mesh = part.mesh(array)
    assign(mesh, 0)
    rows, columns = part.picks or [(0, 1, size) for size in part.full_shape]
    mesh[diagonal_places(rows, columns)] = gain


def _chosen(values: NDArray[Any], part: Part) -> NDArray[Any]:
    """The values of the part, chosen from those of the whole tensor in C order."""
    if part.picks is None:
        return values.reshape(part.full_shape)
    # Beside an extent of 0, others may be too large to be listed.
    if not prod(part.shape):
        return values.reshape(-1)[:0].reshape(part.shape)
    return values.reshape(part.full_shape)[np.ix_(*part.indices())].reshape(part.shape)


def _held(values: NDArray[Any], dtype: np.dtype[Any]) -> tuple[NDArray[Any], bool]:
    """The values in a dtype, and whether it can hold them.

    An integer dtype holds a value if it is the same number; a floating-point one, if it is not infinite only there.
    """
    with np.errstate(all="ignore"):
        held = values.astype(dtype)
        if dtype.kind in "iu" or "int" in dtype.name:  # ml_dtypes' small integers are of kind "V"
            # Compared as Python's integers: int64 and uint64 have no common type that holds both.
            exact = np.array_equal(held.astype(object), values.astype(object))
            fits = (values.dtype.kind in "biu" and exact) or (
                values.dtype.kind == "f" and np.array_equal(held.astype(np.float64), values)
            )
            return held, fits
        # As complex128, to which every numeric dtype casts, complex ones included.
        return held, not np.any(np.isfinite(values) & ~np.isfinite(held.astype(np.complex128)))


def _tuples(value: Any) -> Any:
    """`value` with tuples for lists."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


constant = Constant
zeros = Zeros
ones = Ones
identity = Identity
