"""Dtypes: those that the core fills, what they are computed in, and every spelling that users may pass."""

from __future__ import annotations

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
"""A name such as "bfloat16", a dtype of NumPy, ml_dtypes, torch or TensorFlow, or None for the default."""


class FloatType(NamedTuple):
    """A floating-point dtype that the core can fill."""

    name: str
    dtype: np.dtype[Any]
    value: type[np.float32] | type[np.float64]
    """The type that values are computed in. A 16-bit value is the float32 value, rounded once."""
    overflow: float
    """Values of this magnitude and above round to infinity."""
    reach: float
    """No standard normal value is larger: those of 32-bit words reach 6.7637, those of 64-bit words 9.4927."""

    crosses_as: np.dtype[Any] | None
    """The dtype of the view that crosses into the core; None where the array itself crosses."""


_BITS = np.dtype(np.uint16)
# A dtype overflows halfway from its largest number to the power of two above: ties round to even, which is infinity.
_ROWS = (
    FloatType("float16", np.dtype(np.float16), np.float32, 65520.0, 6.77, _BITS),
    FloatType("bfloat16", np.dtype(ml_dtypes.bfloat16), np.float32, (2 - 2.0**-8) * 2.0**127, 6.77, _BITS),
    FloatType("float32", np.dtype(np.float32), np.float32, (2 - 2.0**-24) * 2.0**127, 6.77, None),
    FloatType("float64", np.dtype(np.float64), np.float64, float("inf"), 9.5, None),
)
FLOAT_TYPES = {row.name: row for row in _ROWS}
_BY_DTYPE = {row.dtype: row for row in _ROWS}
_TENSORFLOW_WORDS = {"half": "float16", "float": "float32", "double": "float64"}


def any_dtype(dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype of a name, of a NumPy, ml_dtypes, torch or Python type, or of an object with `as_numpy_dtype`.

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
    elif type(dtype).__module__ == "torch":  # known by its module and its repr, because torch may not be imported here
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


def float_type(dtype: Any) -> FloatType:
    """The floating-point dtype that `dtype` stands for.

    Raises:
        TypeError: `dtype` is not a dtype or its name.
        ValueError: The core does not fill this dtype.
    """
    # Most calls pass one of four names, and small ones feel every step.
    if type(dtype) is str and dtype in FLOAT_TYPES:
        return FLOAT_TYPES[dtype]
    found = any_dtype(dtype)
    long = found.char == "g"  # a long double equals float64 on platforms where it has 64 bits, and is refused on all
    row = None if long else _BY_DTYPE.get(found)
    if row is None:
        name = "longdouble" if long else found.name
        msg = f"`dtype` must be a floating-point dtype: {', '.join(FLOAT_TYPES)}, got {show(name)}"
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
