"""Dask: arrays of any size, made chunk by chunk in threads, in processes or on a cluster.

It needs the extra: `pip install 'varscale[dask]'`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._arguments.dtypes import DTypeLike
from ._arguments.shapes import ShapeLike
from ._engines import lazy_tensor, missing
from ._filling.lazy import Lazy
from ._initializers.builtin import Builtin

try:
    import dask.array
except ModuleNotFoundError as error:
    raise missing("dask", error) from error

__all__ = ["array"]


def array(
    init: Builtin | Lazy, shape: ShapeLike | None, chunks: Any = "auto", dtype: DTypeLike | None = None
) -> dask.array.Array:
    """A Dask array that holds `init(shape, dtype)`, whatever the chunks and the scheduler.

    Only what is asked for is made, and only when it is computed or stored. The graph holds no values: a task is a lazy
    tensor and an index. Without a seed, the stream is chosen in this call, so that all chunks are of one tensor.

    Args:
        init: An initializer, or a lazy tensor such as `varscale.Model.lazy` returns.
        shape: The whole array's shape; None for that of a lazy tensor.
        chunks: As in `dask.array.from_array`.
        dtype: As in a call of the initializer; None for its own.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The initializer or Dask refuses the call.

    Example:
        >>> import varscale as vs
        >>> init = vs.lecun_normal(seed=7)
        >>> weights = vs.dask.array(init, (784, 256), chunks=(100, -1))
        >>> bool((weights[::-3, 5] == init((784, 256))[::-3, 5]).all().compute())
        True
    """
    tensor = lazy_tensor(init, shape, dtype)
    # Parts are NumPy arrays already; `meta` tells Dask so without making one. An inlined tensor takes no task.
    return dask.array.from_array(
        tensor,
        chunks=chunks,
        asarray=False,
        meta=np.empty((0,) * tensor.ndim, tensor.dtype),
        inline_array=True,
    )
