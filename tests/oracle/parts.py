"""Parts of tensors: strategies that draw them, and the slice that each of them must be."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from hypothesis import strategies as st

Box = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""(full shape, offset, part's shape)."""
HUGE = st.sampled_from([2**62, 2**63 - 1, 2**63, 2**64, 10**30])


@st.composite
def boxes(draw: st.DrawFn, *, inside: bool = False, rank: int | None = None) -> Box:
    """A box of a tensor of rank 0 to 5, axes without elements included; `inside`: it starts at an element."""
    sizes = st.integers(1 if inside else 0, 9)
    full = tuple(draw(st.lists(sizes, min_size=rank or 0, max_size=5 if rank is None else rank)))
    offset = tuple(draw(st.integers(0, size - inside)) for size in full)
    part = tuple(draw(st.integers(0, size - start)) for size, start in zip(full, offset, strict=True))
    return full, offset, part


def boxed(tensor: np.ndarray, box: Box) -> np.ndarray:
    """The box of the whole tensor."""
    _, offset, part = box
    return tensor[tuple(slice(start, start + size) for start, size in zip(offset, part, strict=True))]


@st.composite
def entries(draw: st.DrawFn, size: int) -> Any:
    """An index entry of one axis: an integer, a slice with any step, or an array of integers."""
    kinds = ["slice", "list"] if size == 0 else ["integer", "slice", "slice", "list"]
    kind = draw(st.sampled_from(kinds))
    if kind == "integer":
        return draw(st.integers(-size, size - 1))
    if kind == "slice":
        found = draw(st.slices(size))
        step = draw(st.one_of(st.just(found.step), HUGE, HUGE.map(operator.neg)))
        return slice(found.start, found.stop, step)
    elements = st.integers(-size, size - 1) if size else st.just(0)
    return np.array(draw(st.lists(elements, max_size=6 if size else 0)), np.int64)


@st.composite
def cases(draw: st.DrawFn, rank: int | None = None) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape and an index of it: any number of entries, an Ellipsis perhaps."""
    shape = tuple(draw(st.lists(st.integers(0, 7), min_size=rank or 0, max_size=5 if rank is None else rank)))
    index = [draw(entries(size)) for size in shape]
    if draw(st.booleans()):
        start = draw(st.integers(0, len(shape)))
        end = draw(st.integers(start, len(shape)))
        index[start:end] = [Ellipsis]
    else:
        del index[draw(st.integers(0, len(shape))) :]
    return shape, tuple(index)


def sliced(tensor: np.ndarray, index: tuple[Any, ...]) -> np.ndarray:
    """`tensor[index]`, arrays meaning the open mesh."""
    full = [slice(None)] * tensor.ndim
    if Ellipsis in [entry for entry in index if not isinstance(entry, np.ndarray)]:
        place = next(i for i, entry in enumerate(index) if entry is Ellipsis)
        after = len(index) - place - 1
        full[:place], full[tensor.ndim - after :] = index[:place], index[place + 1 :]
    else:
        full[: len(index)] = index
    for axis in reversed(range(tensor.ndim)):
        tensor = tensor[(slice(None),) * axis + (full[axis],)]
    return np.asarray(tensor)
