"""Tensors of TensorFlow in the memory of arrays; TensorFlow itself is given, not imported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._filling.arrays import ALIGN, SMALL


def tensorflow_tensor(tf: Any, array: NDArray[Any]) -> Any:
    """A tensor on the CPU that shares an array's memory where that is worth it, and where TensorFlow may read it."""
    # Its kernels trust that memory is aligned. That of small arrays is not, and copying them costs nothing.
    if array.nbytes <= SMALL or array.ctypes.data % ALIGN or array.dtype == bool:
        return tf.constant(array)
    if array.dtype.isbuiltin == 1:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    # NumPy hands over none of ml_dtypes' types, but their bits.
    bits = array.view(np.dtype(f"int{8 * array.dtype.itemsize}"))
    return tf.bitcast(tf.experimental.dlpack.from_dlpack(bits.__dlpack__()), tf.as_dtype(array.dtype))
