"""Parts of tensors: every way to name one, and that it lies in its tensor."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple, Protocol

from ._shapes import ShapeLike, parse_shape


class HasFullShape(Protocol):
    """What TensorFlow 1's partitioners pass as `partition_info`."""

    @property
    def full_shape(self) -> ShapeLike:
        """The shape of the whole tensor."""

    @property
    def var_offset(self) -> ShapeLike:
        """Where the part starts, one number a dimension."""


class PartitionInfo:
    """Where a part lies in its full tensor, as TensorFlow 1's `partition_info` says it.

    Args:
        full_shape: The shape of the whole tensor.
        var_offset: Where the part starts, one number a dimension.

    Raises:
        TypeError: Not sequences of integers.
        ValueError: Different lengths, or an offset outside the full shape.

    Example:
        >>> import varscale as vs
        >>> info = vs.PartitionInfo(full_shape=(100, 8), var_offset=(50, 0))
        >>> init = vs.lecun_normal(seed=1)
        >>> bool((init((50, 8), None, info) == init((100, 8))[50:]).all())
        True
    """

    __slots__ = ("full_shape", "var_offset")
    full_shape: tuple[int, ...]
    var_offset: tuple[int, ...]

    def __init__(self, full_shape: ShapeLike, var_offset: ShapeLike) -> None:
        full = parse_shape(full_shape, "full_shape")
        offset = parse_shape(var_offset, "var_offset")
        if len(full) != len(offset):
            msg = f"`var_offset` must have the length of `full_shape` {full}, got {offset}"
            raise ValueError(msg)
        if any(start >= size and (start, size) != (0, 0) for start, size in zip(offset, full, strict=True)):
            msg = f"`var_offset` must lie inside `full_shape` {full}, got {offset}"
            raise ValueError(msg)
        object.__setattr__(self, "full_shape", full)
        object.__setattr__(self, "var_offset", offset)

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"PartitionInfo is immutable, cannot set `{name}`"
        raise AttributeError(msg)

    def __reduce__(self) -> tuple[type[PartitionInfo], tuple[tuple[int, ...], tuple[int, ...]]]:
        return PartitionInfo, (self.full_shape, self.var_offset)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartitionInfo):
            return NotImplemented
        return (self.full_shape, self.var_offset) == (other.full_shape, other.var_offset)

    def __hash__(self) -> int:
        return hash((self.full_shape, self.var_offset))

    def __repr__(self) -> str:
        return f"PartitionInfo(full_shape={self.full_shape}, var_offset={self.var_offset})"


class Part(NamedTuple):
    """What to make: an array of `shape`, which lies at `offset` in a tensor of `full_shape`."""

    shape: tuple[int, ...]
    full_shape: tuple[int, ...]
    offset: tuple[int, ...] | None
    """None for the whole tensor."""


def resolve_part(shape: Any, partition_info: Any, partition_shape: Any, partition_offset: Any) -> Part:
    """The part that a call's arguments name.

    By TensorFlow 1's `partition_info`, `shape` being the part's, or by TensorFlow 2's `partition_shape` and
    `partition_offset`, `shape` being the full tensor's.

    Raises:
        TypeError: More than one way, half of one, or an object without `full_shape` and `var_offset`.
        ValueError: A part of another rank or outside the full tensor, or a tensor of more than 2^64 elements.
    """
    parsed = parse_shape(shape)
    if partition_info is None and partition_shape is None and partition_offset is None:
        return Part(parsed, parsed, None)
    if partition_info is not None:
        if partition_shape is not None or partition_offset is not None:
            msg = "`partition_info` must not be given together with `partition_shape` or `partition_offset`"
            raise TypeError(msg)
        if not hasattr(partition_info, "full_shape") or not hasattr(partition_info, "var_offset"):
            msg = f"`partition_info` must have `full_shape` and `var_offset`, got {partition_info!r}"
            raise TypeError(msg)
        full = parse_shape(partition_info.full_shape, "partition_info.full_shape")
        part, offset = parsed, parse_shape(partition_info.var_offset, "partition_info.var_offset")
    else:
        if partition_shape is None or partition_offset is None:
            msg = "`partition_shape` and `partition_offset` must be given together"
            raise TypeError(msg)
        full = parsed
        part = parse_shape(partition_shape, "partition_shape")
        offset = parse_shape(partition_offset, "partition_offset")
    if not len(part) == len(full) == len(offset):
        msg = f"a part must have the rank of its tensor {full}, got the part {part} at {offset}"
        raise ValueError(msg)
    if any(start + size > extent for start, size, extent in zip(offset, part, full, strict=True)):
        msg = f"a part must lie inside its tensor {full}, got the part {part} at {offset}"
        raise ValueError(msg)
    if prod(full) > 2**64:
        msg = f"a tensor must have at most 2^64 elements, got the full shape {full}"
        raise ValueError(msg)
    return Part(part, full, offset)
