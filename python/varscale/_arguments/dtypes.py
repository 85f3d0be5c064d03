"""Dtypes: which ones there are, what they compute in, and every way users write them."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike as NumpyDTypeLike


class HasNumpyDType(Protocol):
    """What TensorFlow's dtypes have."""

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy type."""


class TorchDType(Protocol):
    """What torch's dtypes have."""

    @property
    def is_floating_point(self) -> bool:
        """Whether its numbers have fractions."""


DTypeLike = NumpyDTypeLike | HasNumpyDType | TorchDType
"""A name ("bfloat16"), a NumPy or ml_dtypes dtype, a torch or TensorFlow dtype; None where a default is meant."""


class FloatType(NamedTuple):
    """A floating-point dtype that the core can fill."""

    name: str
    dtype: np.dtype[Any]
    value: type[np.float32] | type[np.float64]
    """The type its law is computed in; 16-bit values are that float32 value, rounded once."""
    overflow: float
    """From this magnitude on, values round to infinity."""
    reach: float
    """No value of the standard normal law is larger: words of 32 and 64 bits reach 6.7637 and 9.4927."""

    crosses_as: np.dtype[Any] | None
    """The dtype of the view that crosses into the core, where that is not the dtype itself."""


_BITS = np.dtype(np.uint16)
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
    """The NumPy dtype meant by a name, a NumPy, ml_dtypes, torch or Python type, or an object with `as_numpy_dtype`.

    Python's `float` and the words "half", "float" and "double" mean what they mean in TensorFlow: float32, float16,
    float32 and float64.
    """
    if isinstance(dtype, np.dtype):
        found = dtype
    elif isinstance(dtype, str):
        name = _TENSORFLOW_WORDS.get(dtype, dtype)
        try:
            found = np.dtype(getattr(ml_dtypes, name, name))
        except TypeError:
            msg = f"`dtype` must name a dtype, got {dtype!r}"
            raise ValueError(msg) from None
    elif type(dtype).__module__ == "torch":  # a torch.dtype, which prints as "torch.float32"
        return any_dtype(str(dtype).rpartition(".")[2])
    elif dtype is float:
        found = np.dtype(np.float32)
    else:
        meant = getattr(dtype, "as_numpy_dtype", dtype)
        if not isinstance(meant, type | np.dtype):
            msg = f"`dtype` must be a dtype or its name, got {dtype!r}"
            raise TypeError(msg)
        found = np.dtype(meant)
    if not found.isnative:
        msg = f"`dtype` must have native byte order, got {dtype!r}"
        raise ValueError(msg)
    return found


def float_type(dtype: Any) -> FloatType:
    """The floating-point dtype meant by `dtype`."""
    if type(dtype) is str and dtype in FLOAT_TYPES:
        return FLOAT_TYPES[dtype]
    found = any_dtype(dtype)
    long = found.char == "g"  # a long double, which has 64 bits on some platforms and equals float64 there
    row = None if long else _BY_DTYPE.get(found)
    if row is None:
        name = "longdouble" if long else found.name
        msg = f"`dtype` must be a floating-point dtype: {', '.join(FLOAT_TYPES)}, got {name!r}"
        raise ValueError(msg)
    return row


def numeric_dtype(dtype: Any) -> np.dtype[Any]:
    """The dtype meant by `dtype`, if it holds numbers or bools."""
    found = any_dtype(dtype)
    if found.kind not in "biufc" and found.type.__module__ != "ml_dtypes":
        msg = f"`dtype` must be a numeric or bool dtype, got {found.name!r}"
        raise ValueError(msg)
    return found
