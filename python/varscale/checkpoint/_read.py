"""Reading: the bytes of tensors in files, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .._arguments.show import show
from .._models.headers import Stored

Bytes = NDArray[np.uint8]
PIECE = 1 << 20
"""The bytes of a piece, which stays in a cache while all that looks at it does. Moments are summed piece by piece."""


def read_pieces(tensor: Stored, run: range | None = None, most: int = PIECE) -> Iterator[Bytes]:
    """The bytes of a tensor, or a run of them, piece by piece. Each piece takes the place of the one before it.

    Raises:
        ValueError: The file has become shorter.
    """
    todo = range(tensor.nbytes) if run is None else run
    buffer = np.empty(min(most, len(todo)), np.uint8)
    # Read, and not mapped: where a mapped file becomes shorter, the process is killed.
    with tensor.file.open("rb", buffering=0) as stream:
        stream.seek(tensor.start + todo.start)
        for place in range(0, len(todo), most):
            piece = buffer[: min(most, len(todo) - place)]
            view = piece.data
            while view:
                count = stream.readinto(view)
                if not count:
                    msg = f"{show(str(tensor.file))} must stay as it is while it is read, got fewer bytes"
                    raise ValueError(msg)
                view = view[count:]
            yield piece
