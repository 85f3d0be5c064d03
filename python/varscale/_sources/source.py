"""Sources: what an array is filled from, as plain data that knows no array.

The core draws from a source; so may a device that makes the same bits. Making a source checks all that can be wrong
with a call, and draws nothing: an unseeded call takes its number, or its entropy, only when the source is drawn from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import FloatType
from .._arguments.parts import Part
from .plan import Plan

Stream = bytes | tuple[str, tuple[Any, ...]]
"""Where words come from: the 16 bytes that name a native stream, or a framework and what its stream needs."""


class Naming(Protocol):
    """A seed whose stream has a name only once it is drawn from."""

    def _stream(self) -> bytes:
        """The name of the stream that the next draw takes."""


class Drawn:
    """Random values of one law: the element's dtype, the law with its place, and whose words they are made of.

    Like `Part` it has slots, because every call makes one.
    """

    __slots__ = ("in_order", "kind", "plan", "stream")

    def __init__(self, kind: FloatType, plan: Plan, stream: Stream | Naming, in_order: bool = False) -> None:
        """`in_order`: each element needs those before it, so that only an array in C order can be filled."""
        self.kind = kind
        self.plan = plan
        self.stream = stream
        self.in_order = in_order

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the array."""
        return self.kind.dtype


class Written(NamedTuple):
    """Values that Python writes, given the array and which part of the tensor it is."""

    dtype: np.dtype[Any]
    write: Callable[[NDArray[Any], Part], None]


Source = Drawn | Written
