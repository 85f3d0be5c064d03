"""Arrays as frameworks take them, and tensors in their memory of TensorFlow, which is given and not imported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._filling.arrays import ALIGN, SMALL


def handed_over(array: NDArray[Any]) -> NDArray[Any]:
    """What NumPy hands over of an array: the bits, where the dtype is one of ml_dtypes'."""
    return array if array.dtype.isbuiltin == 1 else array.view(np.dtype(f"int{8 * array.dtype.itemsize}"))


def tensorflow_tensor(tf: Any, array: NDArray[Any]) -> Any:
    """A tensor on the CPU that shares an array's memory where that is worth it, and where TensorFlow may read it."""
    # Its kernels trust that memory is aligned. That of small arrays is not, and copying them costs nothing.
    if array.nbytes <= SMALL or array.ctypes.data % ALIGN or array.dtype == bool:
        return tf.constant(array)
    shared = tf.experimental.dlpack.from_dlpack(handed_over(array).__dlpack__())
    return shared if array.dtype.isbuiltin == 1 else tf.bitcast(shared, tf.as_dtype(array.dtype))
