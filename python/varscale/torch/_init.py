"""`init_`: fills tensors, modules and sharded parameters where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from sys import maxsize
from typing import Any, NamedTuple, TypeVar

from numpy.typing import NDArray

from .._arguments.parts import WHOLE, indexed_part
from .._arguments.shards import shard_index
from .._engines import check_initializer, check_repeats, lazy_tensor, missing
from .._filling.arrays import overlaps
from .._filling.fill import Pass
from .._filling.lazy import Lazy
from .._filling.writing import Writing
from .._initializers.builtin import Builtin
from .._initializers.variance_scaling import VarianceScaling
from .._models.model import Model

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

Target = TypeVar("Target", bound="torch.Tensor | torch.nn.Module")

_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""What a dtype crosses to NumPy as where NumPy does not know it, by its size in bytes."""
_WRAPPERS = {"_orig_mod", "_checkpoint_wrapped_module"}
"""What `torch.compile` and activation checkpointing put into the names of parameters."""


class Fill(NamedTuple):
    """A tensor to fill with a lazy one."""

    target: torch.Tensor
    lazy: Lazy
    local: torch.Tensor
    """What this process holds of the target: all, or a shard."""
    index: Any
    """Which part that is; None for none."""
    view: NDArray[Any] | None
    """Its memory, where NumPy can reach it."""


def init_(target: Target, init_or_model: Builtin | Lazy | Model, seed: Any = None) -> Target:
    """Fills a tensor, or all parameters of a module, in place and bit for bit with what varscale makes anywhere else.

    A tensor on the CPU is filled without a copy, in any dtype, with any strides; one on another device is made on the
    CPU, then copied. Of a DTensor (those of FSDP2 and tensor parallelism too) every rank makes its own shard and
    nothing else, without communication. Parameters that require gradients need no `no_grad`, and autograd learns that
    they have changed. Everything is checked before anything is filled.

    The values depend on the initializer, the seed, the shape, the dtype and, in a module, on each parameter's name: not
    on the order of the parameters, nor on the mesh. Names are those of `named_parameters`, without what
    `torch.compile`, activation checkpointing and DDP add; a parameter of several names goes by the first.

    Fans: PyTorch's weights are (out, in, *kernel). An initializer whose axes are the default ones gets `in_axis=1,
    out_axis=0` here, so that its fans are those of `torch.nn.init`; a vector keeps (n, n). Any other axes stay, such as
    `in_axis=0, out_axis=1` for a transposed convolution. A model's initializers stay as they are, for a model makes the
    same values everywhere.

    Args:
        target: A tensor, a parameter, a DTensor, or a module. After `to_empty`, where it was made on the meta device.
        init_or_model: An initializer: in a module each parameter gets `init.fold_in(name)`. A `varscale.Model`: each
            parameter, and each buffer that the model has, gets the model's of its name. For a tensor also a lazy one.
        seed: Takes the place of the initializer's own; None keeps that. With a model, the model's seed.

    Returns:
        `target`.

    Raises:
        TypeError: An argument of the wrong kind, or a tensor that is not strided.
        ValueError: A meta tensor; parameters that the model lacks, or has in another shape or dtype; a DTensor
            without a seed: each rank would draw from a different tensor; what the initializer refuses.

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
        msg = f"`target` must be a tensor or a module, got {target!r}"
        raise TypeError(msg)
    with torch.no_grad():
        _run(fills)
    return target


def _of_tensor(target: torch.Tensor, init: Any, seed: Any) -> Lazy:
    """The lazy tensor that one tensor is to hold."""
    if isinstance(init, Lazy):
        if seed is not None:
            msg = f"`seed` must be None for a lazy tensor, whose values are fixed, got {seed!r}"
            raise ValueError(msg)
        return lazy_tensor(init, target.shape, target.dtype)
    if isinstance(init, Model):
        msg = "`target` must be a module for a model: a tensor has no name"
        raise TypeError(msg)
    return _seeded(check_initializer(init), seed, target).lazy(target.shape, target.dtype)


def _of_module(module: torch.nn.Module, init_or_model: Any, seed: Any) -> Iterator[Fill]:
    """What to fill in a module."""
    if isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
        module = module.module
    parameters = _named(module.named_parameters(remove_duplicate=False))
    if not isinstance(init_or_model, Model):
        init = check_initializer(init_or_model)
        for tensor, (name, *_) in parameters:
            own = partial(_of_parameter, tensor, name, init, seed)
            yield _fill(f"parameter {name!r}", tensor, own)
        return
    model = init_or_model
    lacking = [names[0] for _, names in parameters if not any(name in model for name in names)]
    if lacking:
        msg = f"`init_or_model` must have every parameter of the module, lacks {', '.join(map(repr, lacking))}"
        raise ValueError(msg)
    lazies = model.lazy(seed)
    for tensor, names in [*parameters, *_named(module.named_buffers(remove_duplicate=False))]:
        for name in [name for name in names if name in model][:1]:
            if hasattr(tensor, "placements"):
                check_repeats(lazies[name].initializer)
            yield _fill(f"parameter {name!r}", tensor, partial(lazies.__getitem__, name))


def _of_parameter(tensor: torch.Tensor, name: str, init: Builtin, seed: Any) -> Lazy:
    """The lazy tensor that a parameter of a module is to hold."""
    return _seeded(init, seed, tensor).fold_in(name).lazy(tensor.shape, tensor.dtype)


def _named(tensors: Iterator[tuple[str, torch.Tensor]]) -> list[tuple[torch.Tensor, list[str]]]:
    """Every tensor once, with all its names."""
    found: dict[int, tuple[torch.Tensor, list[str]]] = {}
    for name, tensor in tensors:
        parts = name.split(".")
        if "_fsdp_wrapped_module" in parts:
            msg = (
                "`target` must be sharded by `fully_shard` (FSDP2): the flat parameters of FSDP1 have lost their shapes"
            )
            raise TypeError(msg)
        plain = ".".join(part for part in parts if part not in _WRAPPERS)
        found.setdefault(id(tensor), (tensor, []))[1].append(plain)
    return list(found.values())


def _seeded(init: Builtin, seed: Any, target: torch.Tensor) -> Builtin:
    """The initializer with the seed that counts, and PyTorch's axes where it has the default ones."""
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
        msg = f"{label} must be a strided tensor, got the layout {tensor.layout}"
        raise TypeError(msg)


def _fill(label: str, target: torch.Tensor, lazy_tensor_of: Callable[[], Lazy]) -> Fill:
    """What to fill with what, all checked; a tensor without memory has no shape or dtype to ask a lazy tensor for."""
    _check_memory(label, target)
    lazy = lazy_tensor_of()
    if tuple(target.shape) != lazy.shape:
        msg = f"{label} must have the shape {lazy.shape} that it is to hold, got {tuple(target.shape)}"
        raise ValueError(msg)
    expected = str(target.dtype).rpartition(".")[2]
    if expected != lazy.dtype.name:
        msg = f"{label} must have the dtype {lazy.dtype.name!r} that it is to hold, got {expected!r}"
        raise ValueError(msg)
    local, index = _shard(target) if hasattr(target, "placements") else (target, WHOLE)
    if local.device.type != "cpu" or local.is_neg() or local.is_conj():
        return Fill(target, lazy, local, index, None)
    view = _view(local, lazy)
    if overlaps(view):
        msg = f"{label} must not overlap itself, got the strides {local.stride()} for the shape {tuple(local.shape)}"
        raise ValueError(msg)
    return Fill(target, lazy, local, index, view)


def _shard(target: Any) -> tuple[torch.Tensor, Any]:
    """What this process holds of a DTensor, and which part that is."""
    with torch.no_grad():
        local = target.to_local()
    mesh = target.device_mesh
    coordinate = mesh.get_coordinate()
    if coordinate is None or not local.numel():
        return local, None
    return local, shard_index(target.shape, local.shape, target.placements, mesh.shape, coordinate)


def _run(fills: list[Fill]) -> None:
    """Fills what NumPy can reach in one parallel pass; what is elsewhere one by one, to hold one copy at a time.

    Tensors that share memory are filled in order, as any function of `torch.nn.init` would.
    """
    fills = [fill for fill in fills if fill.index is not None]
    shared = _share_memory([fill.local for fill in fills if fill.view is not None])
    together = Pass(most=0 if shared else maxsize)
    with Writing(*(fill.view for fill in fills if fill.view is not None)):
        for fill in fills:
            if fill.view is not None:
                part = indexed_part(fill.lazy.shape, fill.index)
                together.add(fill.lazy._source(part), part, fill.view)
        together.run()
    for fill in fills:
        if fill.view is None:
            made = torch.empty(fill.local.shape, dtype=fill.local.dtype, device="cpu")
            fill.lazy.fill(_view(made, fill.lazy), fill.index)
            fill.local.copy_(made)
        if not fill.target.is_inference():
            torch.autograd.graph.increment_version(fill.target)


def _share_memory(tensors: list[torch.Tensor]) -> bool:
    """Whether any two may have an element in common: the core fills all arrays at once, and must not be given such."""
    spans = []
    for tensor in tensors:
        last = sum(stride * (size - 1) for stride, size in zip(tensor.stride(), tensor.shape, strict=True))
        if tensor.numel():
            spans.append((tensor.data_ptr(), tensor.data_ptr() + tensor.itemsize * (last + 1)))
    spans.sort()
    return any(end > start for (_, end), (start, _) in pairwise(spans))


def _view(tensor: torch.Tensor, lazy: Lazy) -> NDArray[Any]:
    """The tensor's memory as a NumPy array."""
    plain = tensor.detach()
    if lazy.dtype.type.__module__ == "ml_dtypes":
        plain = plain.view(_WORDS[lazy.dtype.itemsize])
    view: NDArray[Any] = plain.numpy().view(lazy.dtype)
    return view
