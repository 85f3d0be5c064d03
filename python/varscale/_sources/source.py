"""Sources: the values of an array, as plain data that knows no array.

The core draws from a source, and so may a device that makes the same bits. Making a source checks all that can be
wrong with a call, and draws nothing. An unseeded call takes its number, or its entropy, when the source is drawn from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .._arguments.boxes import Place
from .._arguments.dtypes import FloatType
from .._arguments.parts import Part
from .plan import Plan

Stream = bytes | tuple[str, tuple[Any, ...]]
"""The origin of words: the 16 bytes that name a native stream, or a framework's name and what its stream needs."""


class Naming(Protocol):
    """A seed whose stream has a name only once it is drawn from."""

    def _stream(self) -> bytes:
        """The name of the stream that the next draw takes."""


class Drawn:
    """Random values of one law: their dtype, their plan, and the stream whose words they are made of.

    Like `Part` it has slots, because every call makes one.
    """

    __slots__ = ("in_order", "kind", "plan", "stream")

    def __init__(self, kind: FloatType, plan: Plan, stream: Stream | Naming, in_order: bool = False) -> None:
        """`in_order` means that each element needs those before it: the core can then fill arrays in C order only."""
        self.kind = kind
        self.plan = plan
        self.stream = stream
        self.in_order = in_order

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the array."""
        return self.kind.dtype

    def named(self) -> Stream:
        """The stream as plain data, for whoever is about to draw: an unseeded call takes its number here."""
        stream = self.stream
        return stream if isinstance(stream, (bytes, tuple)) else stream._stream()


class Known(NamedTuple):
    """One value for all elements; in a matrix those of the diagonal may have another one."""

    dtype: np.dtype[Any]
    value: Any
    diagonal: NDArray[Any] | None = None
    """The value where an element's row index equals its column index; None for the same as elsewhere."""


class Written(NamedTuple):
    """Values that Python writes: `write` takes the array and the part of the tensor that it holds."""

    dtype: np.dtype[Any]
    write: Callable[[NDArray[Any], Part], None]


class Joined(NamedTuple):
    """Values of several sources, each of which fills a place of its own in the mesh of the part's array."""

    dtype: np.dtype[Any]
    pieces: tuple[tuple[Place, Part, Source], ...]
    """The places, which do not overlap, the parts of the tensor that they hold, and their sources."""


class Once:
    """A seed whose stream is named once, for several sources that draw from it in one call."""

    __slots__ = ("_name", "_seed")

    def __init__(self, seed: Naming) -> None:
        self._seed = seed
        self._name: bytes | None = None

    def _stream(self) -> bytes:
        if self._name is None:
            self._name = self._seed._stream()
        return self._name


Source = Drawn | Known | Written | Joined
