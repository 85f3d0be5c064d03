"""Networks with their own laws and varscale's values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex, TypeVar

from .._arguments.show import show
from .._engines import missing
from .._initializers.builtin import Builtin
from .._models.rules import Rule, parse_rules
from .._sources.seeds import parse_native
from ._drawing import Drawing
from ._factory import constructed
from ._init import init_
from ._reading import Reading, named_tensors
from ._record import Record, check_not_kept

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

Net = TypeVar("Net", bound="torch.nn.Module")
_META = (
    "`factory` must build on a device that has memory, which `build` fills: call it outside `torch.device('meta')`, or "
    "use `model_of`"
)


def build(
    factory: Callable[..., Net],
    /,
    *args: Any,
    seed: SupportsIndex | None = None,
    rules: Iterable[Rule | tuple[str, Builtin]] = (),
    **kwargs: Any,
) -> Net:
    """Builds a network with the laws of its own code and values of varscale: those of `model_of(factory, …)`.

    Its construction draws and fills nothing; then all parameters and buffers are filled in one parallel pass. What its
    code makes of random values, and `model_of` has no law for (an orthogonal matrix, the norm of a weight), is done for
    real on values of ours: those of the parameter that has them, or new ones, whose stream the tensor's name tells. The
    network is on the device of the caller's `torch.device` context, and of torch's default dtype.

    Args:
        factory: A function, or a class, that builds the network.
        *args: Its arguments. Modules that it needs are built inside it: `lambda: Head(Body(config))`.
        seed: Any integer, or None: fresh numbers, or those of `varscale.set_random_seed`; `torch.manual_seed` does not
            count. A replay draws one tensor, and is refused.
        rules: Rules as in `model_of`. They count before what the code does.
        **kwargs: Its keyword arguments. A factory that has a `seed` or `rules` of its own is given as
            `functools.partial(factory, seed=3)`.

    Returns:
        The network.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: Some tensors are random by other laws than ours (a permutation, numbers of NumPy), or nothing was
            written to them: the message lists all of them. Or the factory uses modules that were not made in it, or
            the meta device, or the seed is a replay.

    Warns:
        UserWarning: A rule matches nothing.

    Example:
        >>> import torch, varscale as vs
        >>> net = vs.torch.build(torch.nn.Linear, 784, 256, seed=7)
        >>> model = vs.torch.model_of(torch.nn.Linear, 784, 256)
        >>> bool((net.weight.detach().numpy() == model.init(7)["weight"]).all())
        True
    """
    check_not_kept("build")
    if not callable(factory) or isinstance(factory, torch.nn.Module):
        msg = f"`factory` must be a function that builds a module, got {show(factory)}"
        raise TypeError(msg)
    parse_native(seed)
    parsed = parse_rules(rules)
    if torch.get_default_device().type == "meta":
        raise ValueError(_META)
    record = Record(memory=True)
    net: Net = constructed(record, "factory", factory, args, kwargs)
    if any(tensor.is_meta for tensor, _ in named_tensors(net)):
        raise ValueError(_META)
    reading = Reading(record, net, parsed)
    drawing = Drawing(record, reading, net, seed)
    with torch.no_grad():
        drawing.before(reading.tensors)
        init_(net, reading.laws(), seed, keep=reading.refused)
        drawing.refused()
        drawing.unnamed()
    reading.unmatched().check(stacklevel=3)  # at the line that calls this
    record.warn_of_generators(stacklevel=3)
    return net
