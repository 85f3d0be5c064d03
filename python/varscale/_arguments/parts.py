"""Parts of tensors: every way to name one, and the check that it lies inside its tensor."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from .immutable import Immutable
from .index import Picks, resolve_index, spread
from .keys import is_key
from .shapes import ShapeLike, parse_shape
from .show import show

WHOLE: Final = Ellipsis
"""The index of the whole tensor."""


class HasFullShape(Protocol):
    """An object such as TensorFlow 1's partitioners pass as `partition_info`."""

    @property
    def full_shape(self) -> ShapeLike:
        """The shape of the whole tensor."""

    @property
    def var_offset(self) -> ShapeLike:
        """Where the part starts, one number per dimension."""


class PartitionInfo(Immutable):
    """The place of a part in its full tensor, in the form of TensorFlow 1's `partition_info`.

    Args:
        full_shape: The shape of the whole tensor.
        var_offset: Where the part starts, one number per dimension.

    Raises:
        TypeError: An argument is not a sequence of integers.
        ValueError: The arguments have different lengths, or the offset lies outside the full shape.

    Example:
        >>> import varscale as vs
        >>> info = vs.PartitionInfo(full_shape=(100, 8), var_offset=(50, 0))
        >>> init = vs.lecun_normal(seed=1)
        >>> bool((init((50, 8), None, info) == init((100, 8))[50:]).all())
        True
    """

    _fields = ("full_shape", "var_offset")
    __slots__ = _fields
    full_shape: tuple[int, ...]
    var_offset: tuple[int, ...]

    def __init__(self, full_shape: ShapeLike, var_offset: ShapeLike) -> None:
        full = parse_shape(full_shape, "full_shape")
        offset = parse_shape(var_offset, "var_offset")
        if len(full) != len(offset):
            msg = f"`var_offset` must have the length of `full_shape` {show(full)}, got {show(offset)}"
            raise ValueError(msg)
        # An axis without elements has no inside; 0 is where its empty part starts.
        if any(start >= size and (start, size) != (0, 0) for start, size in zip(offset, full, strict=True)):
            msg = f"`var_offset` must lie inside `full_shape` {show(full)}, got {show(offset)}"
            raise ValueError(msg)
        self._set(full_shape=full, var_offset=offset)


class Part:
    """The part that an array of `shape` holds: the `picks` of a tensor of `full_shape`.

    Every call makes one. It has slots because they take half the time of a named tuple, which saves a small call a
    tenth of its time.
    """

    __slots__ = ("full_shape", "kept", "picks", "shape")

    def __init__(
        self,
        shape: tuple[int, ...],
        full_shape: tuple[int, ...],
        picks: list[Picks] | None = None,
        kept: list[bool] | None = None,
    ) -> None:
        """`picks` has one choice of indices per axis (None: the whole tensor); `kept` says which axes the array has."""
        self.shape = shape
        self.full_shape = full_shape
        self.picks = picks
        self.kept = kept

    def mesh(self, array: NDArray[Any]) -> NDArray[Any]:
        """A view of `array` with every axis of the tensor: those that an integer dropped are back, of size 1."""
        return array if self.kept is None else array[tuple(slice(None) if keep else None for keep in self.kept)]

    def is_whole(self) -> bool:
        """Whether the part is the whole tensor, in order."""
        if self.picks is None:
            return True
        # Nobody steps along an axis of one element, so there any step will do.
        axes = zip(self.picks, self.full_shape, strict=True)
        return all(
            isinstance(pick, tuple) and pick[0] == 0 and pick[2] == size and (pick[1] == 1 or size < 2)
            for pick, size in axes
        )

    def axes(self) -> Sequence[Picks]:
        """The choice of indices of each axis, of a whole tensor too."""
        return [(0, 1, size) for size in self.full_shape] if self.picks is None else self.picks

    def indices(self) -> list[NDArray[np.uint64]]:
        """The chosen indices of each axis, as arrays."""
        return list(map(spread, self.axes()))


def resolve_part(shape: Any, partition_info: Any, partition_shape: Any, partition_offset: Any, index: Any) -> Part:
    """The part that a call's arguments name.

    A call names it by `index`, by TensorFlow 2's `partition_shape` and `partition_offset`, or by TensorFlow 1's
    `partition_info`. In the first two ways `shape` is the full tensor's, in the third it is the part's.

    Raises:
        TypeError: A part is named in more than one way, or by half of one, or an object lacks `full_shape` or
            `var_offset`.
        ValueError: The part has another rank or lies outside the full tensor, or the tensor has more than 2^64
            elements.
        IndexError: NumPy would refuse the `index`, or it holds a boolean mask or None.
    """
    try:
        parsed = parse_shape(shape)
    except TypeError as error:
        if not is_key(shape):
            raise
        msg = f"{error}: where JAX's libraries call an initializer with a key, give one of `varscale.jax`"
        raise TypeError(msg) from None
    # Nearly every call makes a whole tensor, and a small one has no time for the rest.
    if index is WHOLE and partition_info is None and partition_shape is None and partition_offset is None:
        return Part(parsed, parsed)
    ways = (index is not WHOLE, partition_info is not None, partition_shape is not None or partition_offset is not None)
    if sum(ways) > 1:
        msg = "a part must be named in one way: `index`, `partition_info`, or `partition_shape` and `partition_offset`"
        raise TypeError(msg)
    if index is not WHOLE:
        return indexed_part(parsed, index)
    if partition_info is not None:
        if not hasattr(partition_info, "full_shape") or not hasattr(partition_info, "var_offset"):
            msg = f"`partition_info` must have `full_shape` and `var_offset`, got {show(partition_info)}"
            raise TypeError(msg)
        full = parse_shape(partition_info.full_shape, "partition_info.full_shape")
        part, offset = parsed, parse_shape(partition_info.var_offset, "partition_info.var_offset")
        named = "`shape` and `partition_info`"
    else:
        if partition_shape is None or partition_offset is None:
            msg = "`partition_shape` and `partition_offset` must be given together"
            raise TypeError(msg)
        full = parsed
        part = parse_shape(partition_shape, "partition_shape")
        offset = parse_shape(partition_offset, "partition_offset")
        named = "`partition_shape` and `partition_offset`"
    if not len(part) == len(full) == len(offset):
        msg = f"{named} must have the rank of the tensor {show(full)}, got the part {show(part)} at {show(offset)}"
        raise ValueError(msg)
    if any(start + size > extent for start, size, extent in zip(offset, part, full, strict=True)):
        msg = f"{named} must lie inside the tensor {show(full)}, got the part {show(part)} at {show(offset)}"
        raise ValueError(msg)
    check_elements(full)
    # An empty part may start at its tensor's end, which is no index: it starts at 0 instead.
    return Part(part, full, [(start if size else 0, 1, size) for start, size in zip(offset, part, strict=True)])


def indexed_part(full: tuple[int, ...], index: Any) -> Part:
    """The part `tensor[index]` of a tensor of shape `full`.

    Raises:
        IndexError: NumPy would refuse the `index`, or it holds a boolean mask or None.
        ValueError: The tensor has more than 2^64 elements.
    """
    check_elements(full)
    if index is WHOLE:
        return Part(full, full)
    picks, kept = resolve_index(index, full)
    counts = [pick[2] if isinstance(pick, tuple) else len(pick) for pick in picks]
    shape = tuple(count for count, keep in zip(counts, kept, strict=True) if keep)
    return Part(shape, full, picks, None if all(kept) else kept)


def check_elements(full: tuple[int, ...]) -> None:
    """Raises ValueError where a tensor has more than 2^64 elements, which is all that a stream numbers."""
    if prod(full) > 2**64:
        msg = f"`shape` must have at most 2^64 elements, got {show(full)}"
        raise ValueError(msg)
