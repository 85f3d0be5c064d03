"""Networks with their own laws and varscale's values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .._engines import missing
from .._models.model import Model
from .._sources.seeds import SeedLike
from ._drawing import Drawing
from ._init import init_
from ._model_of import constructed
from ._reading import Reading
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
    drawing = Drawing(record, reading, seed)
    with torch.no_grad():
        drawing.before(reading.tensors)
        init_(net, Model(reading.entries, layout="torch"), seed, keep=reading.refused)
        drawing.refused()
        drawing.unnamed()
    return net
