"""Networks that exist: a copy without memory is initialised once more while the record is kept."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from operator import methodcaller
from typing import Any

from .._arguments.show import show
from .._engines import missing
from ._factory import aside, own_method
from ._reading import named_tensors
from ._record import Record, is_plain
from ._values import real

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

_MARK = "_is_hf_initialized"
"""What transformers writes on modules and parameters that need no initialisation any more."""


def initialised(record: Record, net: torch.nn.Module, by: Callable[[Any], object] | None) -> torch.nn.Module:
    """A copy of a network without memory, which was initialised while the record was kept."""
    if by is not None and not callable(by):
        msg = f"`by` must be a function of the network, got {show(by)}"
        raise TypeError(msg)
    initialise = _initialiser(net) if by is None else by
    with aside("net_or_factory" if by is None else "by"), torch.no_grad():
        copy = _copy(record, net)
        with record.keep():
            initialise(copy)
    return copy


def _initialiser(net: torch.nn.Module) -> Callable[[Any], object]:
    """What initialises a network, as its classes have it."""
    method = own_method(net)
    if method is not None:
        return methodcaller(method)
    foreign = sorted(
        {type(module).__qualname__ for module in net.modules() if not type(module).__module__.startswith("torch.nn.")}
    )
    if foreign:
        msg = (
            f"`net_or_factory` must tell how its modules {show(foreign)} are initialised: their constructors may have "
            "drawn, so pass the factory, or `by=`, a function of the network that initialises it"
        )
        raise ValueError(msg)
    return _reset


def _reset(net: torch.nn.Module) -> None:
    """Initialises modules of torch.nn as their constructors do: the inner ones first."""
    for module in reversed(list(net.modules())):
        for method in ("reset_parameters", "_reset_parameters"):
            if hasattr(module, method):
                getattr(module, method)()
                break


def _copy(record: Record, net: torch.nn.Module) -> torch.nn.Module:
    """A copy of a network without memory and without marks, whose storages are followed."""
    memo: dict[int, Any] = {}
    storages: dict[int, Any] = {}
    buffers = {id(buffer) for buffer in net.buffers()}
    for tensor, (name, *_) in named_tensors(net):
        if hasattr(tensor, "placements"):
            msg = f"`net_or_factory` must be read before it is sharded, got a sharded {show(name)}"
            raise ValueError(msg)
        if not is_plain(tensor):
            continue
        memory = tensor.untyped_storage()
        if memory._cdata not in storages:
            storages[memory._cdata] = torch.empty(memory.nbytes(), dtype=torch.uint8, device="meta").untyped_storage()
        twin = torch.empty(0, dtype=tensor.dtype, device="meta")
        twin.set_(storages[memory._cdata], tensor.storage_offset(), tensor.size(), tensor.stride())
        record.follow(twin, torch.device("cpu") if tensor.is_meta else tensor.device)
        if id(tensor) in buffers and not tensor.is_meta and not tensor.is_floating_point():
            record.write(twin, real(tensor))  # counters, indices and masks, in which nothing is random
        if isinstance(tensor, torch.nn.Parameter):
            twin = torch.Tensor._make_subclass(type(tensor), twin, tensor.requires_grad)
        twin.__dict__.update({key: value for key, value in vars(tensor).items() if key != _MARK})
        memo[id(tensor)] = twin
    try:
        copy = deepcopy(net, memo)
    except Exception as error:
        msg = f"`net_or_factory` must be a network that `copy.deepcopy` copies, or a factory, got {show(error)}"
        raise ValueError(msg) from error
    for module in copy.modules():
        vars(module).pop(_MARK, None)
    return copy
