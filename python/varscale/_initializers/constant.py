"""Constants, and the base of the initializers that draw nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arguments.checks import boolean, check_config
from .._arguments.dtypes import DTypeLike, numeric_dtype
from .._arguments.fans import compute_fans
from .._arguments.numbers import real_numbers
from .._arguments.parts import Part
from .._arguments.shapes import ShapeLike, parse_shape
from .._arguments.show import show
from .._filling.assign import assign
from .._sources.environment import in_default_environment
from .._sources.source import Known, Source, Written
from .builtin import Builtin
from .sampled import Description


class Fixed(Builtin):
    """Base of the initializers that draw nothing; it takes any numeric dtype, unless a subclass takes fewer."""

    dtype: str
    _number: ClassVar[int]
    """The value of all elements, in subclasses that have one value only."""
    _parameters: ClassVar[dict[str, Any]] = {"dtype": Builtin._REQUIRED}

    def __init__(self, dtype: DTypeLike = "float32") -> None:
        self._set(dtype=numeric_dtype(dtype).name)

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        return Known(numeric_dtype(self.dtype if dtype is None else dtype), self._number)

    def describe(self, shape: ShapeLike) -> Description:
        """The fans, mean, standard deviation and bounds of the values for a shape, without making any.

        Raises:
            TypeError: `shape` is not a sequence of integers.
            ValueError: `shape` holds a negative size, or no call could make it.

        Example:
            >>> import varscale as vs
            >>> vs.Constant([1, 2, 3, 4]).describe((2, 2)).mean
            2.5
        """
        full = parse_shape(shape)
        self._source(Part(full, full), "float64")  # raises for shapes that a call would refuse, in any dtype
        return Description(*self._fans(full), *in_default_environment(self._moments, full))

    def _fans(self, full_shape: tuple[int, ...]) -> tuple[int, int]:
        return compute_fans(full_shape)

    def _moments(self, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        """The mean, the standard deviation, the least and the greatest value."""
        number = float(self._number)
        return number, 0.0, number, number


class Constant(Fixed):
    """Makes tensors of one value, or of a list of values in C order.

    Args:
        value: A real number or bool, or an array or nested list with as many values as each shape that is asked for.
        dtype: What a call without a dtype returns: any numeric or bool dtype.
        verify_shape: Whether `value` must have the tensor's shape, and not only as many values; a number has none.

    Raises:
        TypeError: `value` holds something else, such as complex numbers, which have no place in a JSON config.
        ValueError: `dtype` is not numeric. A call also raises it for a value that the dtype cannot hold, and for too
            few or too many values, or another shape where that is verified.

    Example:
        >>> import varscale as vs
        >>> vs.Constant([1, 2, 3, 4])((2, 2))
        array([[1., 2.],
               [3., 4.]], dtype=float32)
    """

    _values: NDArray[Any]
    verify_shape: bool
    _parameters: ClassVar[dict[str, Any]] = {
        "value": Builtin._REQUIRED,
        "dtype": Builtin._REQUIRED,
        "verify_shape": False,
    }

    def __init__(self, value: ArrayLike = 0, dtype: DTypeLike = "float32", verify_shape: bool = False) -> None:
        self._set(
            dtype=numeric_dtype(dtype).name,
            _values=real_numbers("value", value),
            verify_shape=boolean("verify_shape", verify_shape),
        )

    @property
    def value(self) -> Any:
        """The number, or tuples of numbers, as they stand in a config."""
        # JSON has lists, not arrays or NumPy scalars. Made when it is asked for: a mask has millions of them.
        return _tuples(self._values.tolist())

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        kind = numeric_dtype(self.dtype if dtype is None else dtype)
        values = self._values
        if self.verify_shape and values.shape != part.full_shape:
            msg = f"`value` must have the `shape`, {show(part.full_shape)}, to verify it, got {show(values.shape)}"
            raise ValueError(msg)
        if values.ndim:
            if values.size != prod(part.full_shape):
                msg = (
                    f"`value` must hold one number or {show(prod(part.full_shape))}, as `shape` does, got {values.size}"
                )
                raise ValueError(msg)
            values = _chosen(values, part)
        held, fits = in_default_environment(_held, values, kind)
        if not fits:
            msg = f"`value` must be one that the dtype {show(kind.name)} can hold, got {show(self.value)}"
            raise ValueError(msg)
        return Written(kind, partial(_write, held)) if held.ndim else Known(kind, held)

    def _moments(self, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        values = self._values.reshape(-1).astype(np.float64)
        if not values.size:
            return (np.nan,) * 4
        low, high = float(values.min()), float(values.max())
        if low == high:  # infinite ones too
            return low, 0.0, low, high
        with np.errstate(all="ignore"):
            return float(values.mean()), float(values.std()), low, high

    @classmethod
    def _translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        value = config.get("value")
        # Keras writes an array, or a tensor of its backend, as an object of its own. The lists are exact in its dtype.
        if isinstance(value, Mapping) and value.get("class_name") in ("__numpy__", "__tensor__"):
            config["value"] = check_config(value["class_name"], value.get("config"), ("value", "dtype")).get("value")
        return config

    def _key(self) -> tuple[Any, ...]:
        # By bits, so that NaN is itself and -0 is not 0. Numbers that are equal have equal ones in float64, but for
        # large integers. Those have 64 bits, which mean another number without a sign.
        values = self._values
        low, high = (0, 0) if values.dtype.kind == "f" or not values.size else (int(values.min()), int(values.max()))
        exact = max(-low, high) <= 2**53
        bits = (values.astype(np.float64) if exact else values).tobytes()
        return values.shape, exact, not exact and low < 0, bits, self.dtype, self.verify_shape

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

    def _divided(self, by: float) -> Zeros:
        return self


class Ones(Fixed):
    """Makes tensors of ones.

    Args:
        dtype: What a call without a dtype returns: any numeric or bool dtype.

    Raises:
        TypeError: `dtype` is not a dtype or its name.
        ValueError: `dtype` is not numeric.
    """

    _number = 1


def _write(values: ArrayLike, array: NDArray[Any], part: Part) -> None:
    """Writes one value to each element."""
    assign(array, values)


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
