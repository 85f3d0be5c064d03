"""Networks with their own laws and varscale's values."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, TypeVar

from .._arguments.show import show
from .._engines import missing
from .._models.model import Model
from .._sources.seeds import SeedLike
from ._drawing import Drawing
from ._init import init_
from ._model_of import constructed
from ._reading import Reading, listed, named_tensors
from ._record import Record

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

Net = TypeVar("Net", bound="torch.nn.Module")


def build(factory: Callable[..., Net], *args: Any, seed: SeedLike = None, **kwargs: Any) -> Net:
    """Builds a network with the laws of its own code and values of varscale: those of `model_of(factory, …)`.

    Its construction draws and fills nothing; then all parameters and buffers are filled in one parallel pass. What its
    code makes of random values, and `model_of` has no law for (an orthogonal matrix, the norm of a weight), is done for
    real on values of ours: those of the parameter that has them, or new ones, whose stream the tensor's name tells. The
    network is on the device of the caller's `torch.device` context.

    Args:
        factory: A function, or a class, that builds the network.
        *args: Its arguments.
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        **kwargs: Its keyword arguments.

    Returns:
        The network.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: Some tensors are random by other laws than ours (a permutation, numbers of NumPy), or nothing was
            written to them: the message lists all of them.

    Example:
        >>> import torch, varscale as vs
        >>> net = vs.torch.build(torch.nn.Linear, 784, 256, seed=7)
        >>> model = vs.torch.model_of(torch.nn.Linear, 784, 256)
        >>> bool((net.weight.detach().numpy() == model.init(7)["weight"]).all())
        True
    """
    record = Record(memory=True)
    net: Net = constructed(record, factory, args, kwargs)
    reading = Reading(record, net)
    with torch.no_grad():
        _fill_others(record, net)
        init_(net, Model(reading.entries, layout="torch"), seed, keep=reading.refused)
        _fill_refused(record, reading, seed)
    return net


def _fill_refused(record: Record, reading: Reading, seed: Any) -> None:
    """Fills the tensors without a law by what the code does, now that the others hold their values.

    Raises:
        ValueError: Some of them need what we cannot draw: it lists all of these.
    """
    drawing = Drawing(seed, reading.holders)
    refused = {}
    for name, (tensor, why) in reading.refused.items():
        try:
            if torch.nn.parameter.is_lazy(tensor):
                raise ValueError(why)
            made = drawing.values(name, record.value(tensor))
        except ValueError as error:
            refused[name] = tensor, str(error)
        else:
            tensor.copy_(made)
    if refused:
        msg = (
            "`factory` must make tensors of laws that varscale has, or by operations on them; else read it by "
            "`model_of`, with `rules` that name a law, and fill it by `init_`. "
            f"{len(refused)} of {len(reading.refused) + len(reading.entries)} tensors are of other numbers:"
        )
        raise ValueError(msg + listed(refused))


def _fill_others(record: Record, net: torch.nn.Module) -> None:
    """Fills the tensors that are neither parameters nor buffers, such as plain attributes.

    Raises:
        ValueError: One of them is random: it has no name to draw by.
    """
    tensors = [tensor for tensor, _ in named_tensors(net) if not torch.nn.parameter.is_lazy(tensor)]
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
