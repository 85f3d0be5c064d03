"""Tensors, modules and sharded parameters of PyTorch, filled where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from sys import maxsize
from typing import Any, NamedTuple, TypeVar

from numpy.typing import NDArray

from .._arguments.parts import WHOLE, indexed_part
from .._arguments.shards import shard_index
from .._arguments.show import show
from .._engines import check_initializer, check_repeats, lazy_tensor, missing
from .._filling.arrays import overlaps
from .._filling.fill import Pass
from .._filling.lazy import Lazy
from .._filling.writing import Writing
from .._initializers.builtin import Builtin
from .._initializers.variance_scaling import VarianceScaling
from .._models.model import Model
from .._sources.seeds import SeedLike

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

Target = TypeVar("Target", bound="torch.Tensor | torch.nn.Module")

_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""The dtypes, by size in bytes, as which tensors cross to NumPy where torch cannot hand over their own."""
_WRAPPERS = {"_orig_mod", "_checkpoint_wrapped_module"}
"""The parts that `torch.compile` and activation checkpointing put into the names of parameters."""


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


def init_(target: Target, init_or_model: Builtin | Lazy | Model, seed: SeedLike = None) -> Target:
    """Fills a tensor or all parameters of a module, in place, with the bits that varscale makes anywhere else.

    A tensor on the CPU is filled without a copy, in any dtype and with any strides. One on another device is made on
    the CPU, then copied. Every rank makes its own shard of a DTensor and nothing else, without communication, also
    under FSDP2 and tensor parallelism. Parameters that require gradients need no `no_grad`, and autograd learns that
    they have changed. Everything is checked before anything is filled.

    The values depend on the initializer, the seed, the shape and the dtype, and in a module on each parameter's name.
    They do not depend on the order of the parameters or on the mesh. Names are those of `named_parameters`, without the
    parts that `torch.compile`, activation checkpointing and DDP add. A parameter of several names goes by the first.

    PyTorch's weights are (out, in, *kernel). An initializer with the default axes gets `in_axis=1, out_axis=0` here, so
    that its fans are those of `torch.nn.init`; a vector keeps (n, n). Any other axes stay, such as `in_axis=0,
    out_axis=1` for a transposed convolution. A model's initializers stay as they are, because a model makes the same
    values everywhere.

    Args:
        target: A tensor, a parameter, a DTensor or a module. If it was made on the meta device, `to_empty` comes first.
        init_or_model: An initializer, of which each parameter of a module gets `init.fold_in(name)`; or a
            `varscale.Model`, whose values go to the parameters, and to the buffers that it has, by name. A tensor also
            takes a lazy tensor.
        seed: The seed that replaces the initializer's own; None keeps that. With a model, the model's seed.

    Returns:
        `target`.

    Raises:
        TypeError: An argument is of the wrong kind, or a tensor is not strided.
        ValueError: A tensor is on the meta device; the model lacks a parameter, or has it in another shape or dtype; a
            DTensor has no seed, so that each rank would draw from a different tensor; or the initializer refuses the
            call.

    Example:
        >>> import torch, varscale as vs
        >>> layer = vs.torch.init_(torch.nn.Linear(784, 256), vs.lecun_normal(seed=7))
        >>> weight = vs.lecun_normal(seed=7, in_axis=1, out_axis=0).fold_in("weight")((256, 784))
        >>> bool((layer.weight.detach().numpy() == weight).all())
        True
    """
    if isinstance(target, torch.Tensor):
        fills = [_fill("`target`", target, lambda: _of_tensor(target, init_or_model, seed))]
    elif isinstance(target, torch.nn.Module):
        fills = list(_of_module(target, init_or_model, seed))
    else:
        msg = f"`target` must be a tensor or a module, got {show(target)}"
        raise TypeError(msg)
    with torch.no_grad():
        _run(fills)
    return target


def _of_tensor(target: torch.Tensor, init: Any, seed: Any) -> Lazy:
    """The lazy tensor that one tensor is to hold."""
    if isinstance(init, Lazy):
        if seed is not None:
            msg = f"`seed` must be None for a lazy tensor, whose values are fixed, got {show(seed)}"
            raise ValueError(msg)
        return lazy_tensor(init, target.shape, target.dtype)
    if isinstance(init, Model):
        msg = "`target` must be a module for a model: a tensor has no name"
        raise TypeError(msg)
    return _seeded(check_initializer(init), seed, target).lazy(target.shape, target.dtype)


def _of_module(module: torch.nn.Module, init_or_model: Any, seed: Any) -> Iterator[Filling]:
    """The fills of a module's tensors."""
    # Both wrap the module under the name "module", which must not count for the names of parameters.
    if isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
        module = module.module
    # Duplicates too: a model may know a shared parameter by any of its names.
    parameters = _named(module.named_parameters(remove_duplicate=False))
    if not isinstance(init_or_model, Model):
        init = check_initializer(init_or_model)
        for tensor, (name, *_) in parameters:
            own = partial(_of_parameter, tensor, name, init, seed)
            yield _fill(f"parameter {show(name)}", tensor, own)
        return
    model = init_or_model
    lacking = [names[0] for _, names in parameters if not any(name in model for name in names)]
    if lacking:
        msg = f"`init_or_model` must have every parameter of the module, lacks {show(lacking)}"
        raise ValueError(msg)
    lazies = model.lazy(seed)
    for tensor, names in [*parameters, *_named(module.named_buffers(remove_duplicate=False))]:
        # The first of its names that the model has; a buffer may have none.
        for name in [name for name in names if name in model][:1]:
            if hasattr(tensor, "placements"):
                check_repeats(lazies[name].initializer)
            yield _fill(f"parameter {show(name)}", tensor, partial(lazies.__getitem__, name))


def _of_parameter(tensor: torch.Tensor, name: str, init: Builtin, seed: Any) -> Lazy:
    """The lazy tensor that a parameter of a module is to hold."""
    return _seeded(init, seed, tensor).fold_in(name).lazy(tensor.shape, tensor.dtype)


def _named(tensors: Iterator[tuple[str, torch.Tensor]]) -> list[tuple[torch.Tensor, list[str]]]:
    """Every tensor once, with all its names, in order."""
    found: dict[int, tuple[torch.Tensor, list[str]]] = {}
    for name, tensor in tensors:
        parts = name.split(".")
        if "_fsdp_wrapped_module" in parts:
            msg = (
                "`target` must be sharded by `fully_shard` (FSDP2): the flat parameters of FSDP1 have lost their shapes"
            )
            raise TypeError(msg)
        plain = ".".join(part for part in parts if part not in _WRAPPERS)
        # By identity: tensors compare element by element.
        found.setdefault(id(tensor), (tensor, []))[1].append(plain)
    return list(found.values())


def _seeded(init: Builtin, seed: Any, target: torch.Tensor) -> Builtin:
    """The initializer with the seed that counts, and with PyTorch's axes in place of the default ones."""
    if seed is not None:
        init = init._with_seed(seed)
    if hasattr(target, "placements"):
        check_repeats(init)
    if not isinstance(init, VarianceScaling) or target.ndim < 2:
        return init
    default = (init.in_axis, init.out_axis, init.batch_axis) == (-2, -1, ())
    return init._with_axes(in_axis=1, out_axis=0) if default else init


def _check_memory(label: str, tensor: torch.Tensor) -> None:
    """Raises for a tensor that has no memory of its own to fill."""
    if torch.nn.parameter.is_lazy(tensor):
        msg = f"{label} must have a shape: run the lazy module once first"
        raise ValueError(msg)
    if tensor.is_meta:
        msg = f"{label} must have memory, got a meta tensor: call the module's `to_empty` first"
        raise ValueError(msg)
    if tensor.layout != torch.strided:
        msg = f"{label} must be a strided tensor, got the layout {show(tensor.layout)}"
        raise TypeError(msg)


def _fill(label: str, target: torch.Tensor, lazy_tensor_of: Callable[[], Lazy]) -> Filling:
    """The fill of a target, with everything checked."""
    # First the memory: a tensor without it may have no shape to ask a lazy tensor for.
    _check_memory(label, target)
    lazy = lazy_tensor_of()
    if tuple(target.shape) != lazy.shape:
        msg = f"{label} must have the shape {show(lazy.shape)} that it is to hold, got {show(tuple(target.shape))}"
        raise ValueError(msg)
    expected = str(target.dtype).rpartition(".")[2]
    if expected != lazy.dtype.name:
        msg = f"{label} must have the dtype {show(lazy.dtype.name)} that it is to hold, got {show(expected)}"
        raise ValueError(msg)
    local, index = _shard(target) if hasattr(target, "placements") else (target, WHOLE)
    # A negated or conjugated view has other values than its memory holds, so it is filled by a copy.
    if local.device.type != "cpu" or local.is_neg() or local.is_conj():
        return Filling(target, lazy, local, index, None)
    view = _view(local, lazy)
    if overlaps(view):
        strides, shape = show(local.stride()), show(tuple(local.shape))
        msg = f"{label} must not overlap itself, got the strides {strides} for the shape {shape}"
        raise ValueError(msg)
    return Filling(target, lazy, local, index, view)


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


def _run(fills: list[Filling]) -> None:
    """Fills the tensors that NumPy can reach in one parallel pass, and the others one by one.

    Tensors that share memory are filled in order, as by any function of `torch.nn.init`.
    """
    fills = [fill for fill in fills if fill.index is not None]
    shared = _share_memory([fill.local for fill in fills if fill.view is not None])
    # A pass per array where they share memory: the core fills the arrays of one pass at the same time.
    together = Pass(most=0 if shared else maxsize)
    with Writing(*(fill.view for fill in fills if fill.view is not None)):
        for fill in fills:
            if fill.view is not None:
                part = indexed_part(fill.lazy.shape, fill.index)
                together.add(fill.lazy._source(part), part, fill.view)
        together.run()
    for fill in fills:
        if fill.view is None:
            # Made, copied and dropped one after another, so that the CPU holds one copy at a time.
            made = torch.empty(fill.local.shape, dtype=fill.local.dtype, device="cpu")
            fill.lazy.fill(_view(made, fill.lazy), fill.index)
            fill.local.copy_(made)
        # NumPy wrote past autograd, which counts versions; inference tensors have none.
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
