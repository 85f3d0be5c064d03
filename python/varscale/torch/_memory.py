"""Tensors and their memory: what can be filled, which part this process holds, and filling it where it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from sys import maxsize
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch._subclasses.fake_tensor import FakeTensor

from .._arguments.parts import WHOLE, indexed_part
from .._arguments.shards import shard_index
from .._arguments.show import show
from .._filling.arrays import steps_back
from .._filling.fill import Pass, make
from .._filling.lazy import Lazy
from .._filling.writing import Writing
from ._devices import Elsewhere
from ._names import Label

_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""The dtypes, by size in bytes, as which tensors cross to NumPy where torch cannot hand over their own."""


class Filling(NamedTuple):
    """A tensor, and the lazy tensor that it is to be filled with."""

    target: torch.Tensor
    lazy: Lazy
    local: torch.Tensor
    """The tensor that this process holds: the target or its shard."""
    index: Any
    """The part of the target that this is; None where this process holds none."""
    view: NDArray[Any] | None
    """The local tensor's memory as an array; None where NumPy cannot reach it."""


def is_sharded(tensor: torch.Tensor) -> bool:
    """Whether several processes hold the tensor together: it is a DTensor."""
    return hasattr(tensor, "placements")


def has_memory(tensor: torch.Tensor) -> bool:
    """Whether there is anything to fill: a meta tensor and a fake one have a shape only."""
    return not (tensor.is_meta or isinstance(getattr(tensor, "_local_tensor", tensor), FakeTensor))


def is_written(tensor: torch.Tensor) -> bool:
    """Whether anybody is known to have written into the tensor since its memory was taken.

    Autograd counts what is written in place, and `to_empty` begins anew. Tensors that are results count from 0 too.
    """
    return not tensor.is_inference() and tensor._version > 0


def check_memory(label: Label, tensor: torch.Tensor) -> None:
    """Raises for a tensor that has no memory of its own to fill."""
    if torch.nn.parameter.is_lazy(tensor):
        msg = f"{label} must have a shape: run the lazy module once first"
        raise ValueError(msg)
    if not has_memory(tensor):
        kind = "meta" if tensor.is_meta else "fake"
        msg = f"{label} must have memory, got a {kind} tensor: call the module's `to_empty` first"
        raise ValueError(msg)
    if tensor.layout != torch.strided:
        msg = f"{label} must be a strided tensor, got the layout {show(tensor.layout)}"
        raise TypeError(msg)
    # A view of a parameter is computed too, but its memory is the parameter's.
    made_by = (tensor._base if tensor._is_view() else tensor).grad_fn
    if made_by is not None:
        msg = (
            f"{label} must be a tensor that is kept, got a result that autograd computed by {type(made_by).__name__}: "
            "fill what it is computed from, which in a parametrized layer is `parametrizations.weight.original`"
        )
        raise ValueError(msg)


def filling(label: Label, target: torch.Tensor, lazy_tensor_of: Callable[[], Lazy]) -> Filling:
    """The fill of a target, with everything checked."""
    # First the memory: a tensor without it may have no shape to ask a lazy tensor for.
    check_memory(label, target)
    lazy = lazy_tensor_of()
    if tuple(target.shape) != lazy.shape:
        msg = f"{label} must have the shape {show(lazy.shape)} that it is to hold, got {show(tuple(target.shape))}"
        raise ValueError(msg)
    expected, name = dtype_name(target.dtype), dtype_name(lazy.dtype)
    if expected != name:
        msg = f"{label} must have the dtype {show(name)} that it is to hold, got {show(expected)}"
        raise ValueError(msg)
    local, index = _shard(target) if is_sharded(target) else (target, WHOLE)
    if local.numel() and steps_back(local.shape, local.stride(), 1):
        strides, shape = show(local.stride()), show(tuple(local.shape))
        msg = f"{label} must not overlap itself, got the strides {strides} for the shape {shape}"
        raise ValueError(msg)
    # A negated or conjugated view has other values than its memory holds, so it is filled by a copy.
    if local.device.type != "cpu" or local.is_neg() or local.is_conj():
        return Filling(target, lazy, local, index, None)
    return Filling(target, lazy, local, index, _view(local, lazy))


@cache
def dtype_name(dtype: torch.dtype | np.dtype[Any]) -> str:
    """The name of a dtype. NumPy takes longer to find it than all other checks together."""
    return dtype.name if isinstance(dtype, np.dtype) else str(dtype).rpartition(".")[2]


def _shard(target: Any) -> tuple[torch.Tensor, Any]:
    """The shard of a DTensor that this process holds, and its index; None for an empty one."""
    with torch.no_grad():
        local = target.to_local()
    mesh = target.device_mesh
    coordinate = mesh.get_coordinate()
    # A rank outside the mesh has no coordinate.
    if coordinate is None or not local.numel():
        return local, None
    return local, shard_index(target.shape, local.shape, target.placements, mesh.shape, coordinate)


def run(fills: list[Filling]) -> None:
    """Fills the tensors that NumPy can reach in one parallel pass, and the others one by one.

    Tensors that share memory are filled in order, as by any function of `torch.nn.init`.
    """
    fills = [fill for fill in fills if fill.index is not None]
    shared = _share_memory([fill.local for fill in fills if fill.view is not None or fill.local.is_cuda])
    # A pass per array where they share memory: the core fills the arrays of one pass at the same time.
    together, elsewhere = Pass(most=0 if shared else maxsize), Elsewhere()
    with Writing(*(fill.view for fill in fills if fill.view is not None)):
        for fill in fills:
            part = indexed_part(fill.lazy.shape, fill.index)
            source = fill.lazy._source(part)
            if elsewhere.takes(fill.local, source, part):
                if shared:
                    elsewhere.run()
            elif fill.view is not None:
                together.add(source, part, fill.view)
            else:
                # Made, copied and dropped one after another, so that the CPU holds one copy at a time.
                made = torch.empty(fill.local.shape, dtype=fill.local.dtype, device="cpu")
                make(source, part, _view(made, fill.lazy))
                fill.local.copy_(made)
        elsewhere.run()  # first: a GPU works while the CPU does
        together.run()
    for fill in fills:
        # What fills here writes past autograd, which counts versions; inference tensors have none.
        if not fill.target.is_inference():
            torch.autograd.graph.increment_version(fill.target)


def _share_memory(tensors: list[torch.Tensor]) -> bool:
    """Whether two of the tensors may have an element in common, judged by the memory between their ends."""
    spans = []
    for tensor in tensors:
        last = sum(stride * (size - 1) for stride, size in zip(tensor.stride(), tensor.shape, strict=True))
        if tensor.numel():
            spans.append((tensor.data_ptr(), tensor.data_ptr() + tensor.itemsize * (last + 1)))
    # Sorted by their starts, spans overlap if any neighbours do.
    spans.sort()
    return any(end > start for (_, end), (start, _) in pairwise(spans))


def _view(tensor: torch.Tensor, lazy: Lazy) -> NDArray[Any]:
    """The tensor's memory as a NumPy array."""
    plain = tensor.detach()  # `numpy` refuses tensors that require gradients
    if lazy.dtype.type.__module__ == "ml_dtypes":
        plain = plain.view(_WORDS[lazy.dtype.itemsize])
    view: NDArray[Any] = plain.numpy().view(lazy.dtype)
    return view
