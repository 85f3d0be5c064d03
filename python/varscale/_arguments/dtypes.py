"""Dtypes: those that the core fills, what they are computed in, and every spelling that users may pass."""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple, Protocol

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike as NumpyDTypeLike

from .show import show


class HasNumpyDType(Protocol):
    """A dtype of TensorFlow, which knows its NumPy type."""

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy type that it stands for."""


class TorchDType(Protocol):
    """A dtype of torch, known by a property that all of them have."""

    @property
    def is_floating_point(self) -> bool:
        """Whether it is a floating-point dtype."""


DTypeLike = NumpyDTypeLike | HasNumpyDType | TorchDType
"""A name such as "bfloat16", a dtype of NumPy, ml_dtypes, torch, MLX or TensorFlow, or None for the default."""


class FloatType(NamedTuple):
    """A floating-point or complex dtype of random values."""

    name: str
    dtype: np.dtype[Any]
    value: type[np.float32] | type[np.float64]
    """The type that values are computed in. A value of fewer bits is the float32 value, rounded once."""
    overflow: float
    """Values of this magnitude and above round to infinity, or to NaN."""
    reach: float
    """No standard normal value is larger: those of 32-bit words reach 6.7637, those of 64-bit words 9.4927."""

    crosses_as: np.dtype[Any] | None = None
    """The dtype of the view that crosses into the core; None where the array itself crosses."""
    part: FloatType | None = None
    """Of a complex dtype, that of the real and of the imaginary part."""


_BITS, _BYTES = np.dtype(np.uint16), np.dtype(np.uint8)
# A dtype overflows halfway from its largest number to the next one that it would have: ties round to even, which is
# infinity. What float32 rounds to a tie lies half a place below it. Of e4m3fn a tie rounds to its largest, 448.
_ROWS = (
    FloatType("float8_e4m3fn", np.dtype(ml_dtypes.float8_e4m3fn), np.float32, 464.0, 6.77, _BYTES),
    FloatType("float8_e5m2", np.dtype(ml_dtypes.float8_e5m2), np.float32, 61440.0 - 2.0**-9, 6.77, _BYTES),
    FloatType("float16", np.dtype(np.float16), np.float32, 65520.0 - 2.0**-9, 6.77, _BITS),
    FloatType("bfloat16", np.dtype(ml_dtypes.bfloat16), np.float32, (2 - 2.0**-8 - 2.0**-24) * 2.0**127, 6.77, _BITS),
    FloatType("float32", np.dtype(np.float32), np.float32, (2 - 2.0**-24) * 2.0**127, 6.77),
    FloatType("float64", np.dtype(np.float64), np.float64, float("inf"), 9.5),
)
FLOAT_TYPES = {row.name: row for row in _ROWS}
# Of a complex normal value whose variance is 1, each part has the variance 1/2.
_COMPLEX_ROWS = tuple(
    FloatType(name, np.dtype(name), part.value, part.overflow, part.reach / sqrt(2.0), None, part)
    for name, part in (("complex64", FLOAT_TYPES["float32"]), ("complex128", FLOAT_TYPES["float64"]))
)
_BY_DTYPE = {row.dtype: row for row in _ROWS + _COMPLEX_ROWS}
_TENSORFLOW_WORDS = {"half": "float16", "float": "float32", "double": "float64"}


def any_dtype(dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype of a name, of a NumPy, ml_dtypes, torch, MLX or Python type, or of one with `as_numpy_dtype`.

    Python's `float` and the word "float" mean float32, "half" float16 and "double" float64, as in TensorFlow.

    Raises:
        TypeError: `dtype` is of none of these kinds.
        ValueError: `dtype` is an unknown name, or has foreign byte order.
    """
    if type(dtype) is str and dtype in FLOAT_TYPES:  # nearly always, and NumPy takes its time
        return FLOAT_TYPES[dtype].dtype
    if isinstance(dtype, np.dtype):
        found = dtype
    elif isinstance(dtype, str):
        word = str.__str__(dtype)  # a subclass may have no hash
        name = _TENSORFLOW_WORDS.get(word, word)
        special = getattr(ml_dtypes, name, None)
        try:
            # The module has other names too, such as `__doc__`.
            found = np.dtype(special if isinstance(special, type) and issubclass(special, np.generic) else name)
        except Exception:  # NumPy reads a string as a whole language of dtypes, with errors of many classes
            msg = f"`dtype` must name a dtype, got {show(dtype)}"
            raise ValueError(msg) from None
    elif type(dtype).__module__ in {"torch", "mlx.core"}:  # known by repr, because neither may be imported here
        return any_dtype(str(dtype).rpartition(".")[2])
    elif dtype is float:
        found = np.dtype(np.float32)
    else:
        meant = getattr(dtype, "as_numpy_dtype", dtype)
        if not isinstance(meant, type | np.dtype):
            msg = f"`dtype` must be a dtype or its name, got {show(dtype)}"
            raise TypeError(msg)
        found = np.dtype(meant)
    if not found.isnative:
        msg = f"`dtype` must have native byte order, got {show(dtype)}"
        raise ValueError(msg)
    return found


def float_type(dtype: Any, has_complex: bool = False) -> FloatType:
    """The floating-point dtype that `dtype` stands for, or the complex one where there are such values.

    Raises:
        TypeError: `dtype` is not a dtype or its name.
        ValueError: There are no values of this dtype.
    """
    # Most calls pass one of these names, and small ones feel every step.
    if type(dtype) is str and dtype in FLOAT_TYPES:
        return FLOAT_TYPES[dtype]
    found = any_dtype(dtype)
    # A long double equals float64 on platforms where it has 64 bits, and is refused on all.
    long = {"g": "longdouble", "G": "clongdouble"}.get(found.char)
    row = None if long else _BY_DTYPE.get(found)
    if row is None or (row.part is not None and not has_complex):
        kinds, rows = ("floating-point or complex", _ROWS + _COMPLEX_ROWS) if has_complex else ("floating-point", _ROWS)
        names = ", ".join(row.name for row in rows)
        msg = f"`dtype` must be a {kinds} dtype: {names}, got {show(long or found.name)}"
        raise ValueError(msg)
    return row


def numeric_dtype(dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype that `dtype` stands for, which must hold numbers or bools."""
    found = any_dtype(dtype)
    # ml_dtypes' numbers are of kind "V", as records are.
    if found.kind not in "biufc" and found.type.__module__ != "ml_dtypes":
        msg = f"`dtype` must be a numeric or bool dtype, got {show(found.name)}"
        raise ValueError(msg)
    return found
