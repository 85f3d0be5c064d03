"""Networks with their own laws and varscale's values."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, TypeVar

from .._arguments.show import show
from .._engines import missing
from .._sources.seeds import SeedLike
from ._init import init_
from ._model_of import constructed
from ._reading import Reading, named_tensors
from ._record import Record

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

Net = TypeVar("Net", bound="torch.nn.Module")


def build(factory: Callable[..., Net], *args: Any, seed: SeedLike = None, **kwargs: Any) -> Net:
    """Builds a network with the laws of its own code and values of varscale: those of `model_of(factory, …)`.

    Its construction draws and fills nothing; then all parameters and buffers are filled in one parallel pass. It is
    on the device of the caller's `torch.device` context.

    Args:
        factory: A function, or a class, that builds the network.
        *args: Its arguments.
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        **kwargs: Its keyword arguments.

    Returns:
        The network.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The code does not tell the law of some tensors: the message lists all of them.

    Example:
        >>> import torch, varscale as vs
        >>> net = vs.torch.build(torch.nn.Linear, 784, 256, seed=7)
        >>> model = vs.torch.model_of(torch.nn.Linear, 784, 256)
        >>> bool((net.weight.detach().numpy() == model.init(7)["weight"]).all())
        True
    """
    record = Record(memory=True)
    net: Net = constructed(record, factory, args, kwargs)
    model = Reading(record, net).model()
    with torch.no_grad():
        _fill_others(record, net)
    init_(net, model, seed)
    return net


def _fill_others(record: Record, net: torch.nn.Module) -> None:
    """Fills the tensors that are neither parameters nor buffers, such as plain attributes.

    Raises:
        ValueError: One of them is random: it has no name to draw by.
    """
    tensors = [tensor for tensor, _ in named_tensors(net)]
    others = record.others(tensors)
    if any(write.value.random for storage in others for write in storage.writes):
        gc.collect()  # some may only wait for that
        others = record.others(tensors)
    shapes = [write.value.shape for storage in others for write in storage.writes if write.value.random]
    if shapes:
        msg = (
            f"`factory` must make random parameters and buffers only, got other random tensors of shapes {show(shapes)}"
        )
        raise ValueError(msg)
    for storage in others:
        storage.fill()
