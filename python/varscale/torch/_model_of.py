"""The laws of a network: those that its own code says, as a model."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np

from .._arguments.show import show
from .._engines import missing
from .._initializers.builtin import Builtin
from .._models.model import Model
from .._models.rules import Rule, parse_rules
from ._reading import Reading, named_tensors
from ._record import Record
from ._values import real

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

_METHODS = ("initialize_weights", "init_weights")
_MARK = "_is_hf_initialized"
"""What transformers writes on modules and parameters that need no initialisation any more."""


def model_of(
    net_or_factory: torch.nn.Module | Callable[..., torch.nn.Module],
    *args: Any,
    rules: Iterable[Rule | tuple[str, Builtin]] = (),
    by: Callable[[Any], object] | None = None,
    **kwargs: Any,
) -> Model:
    """The laws that a network's own code says, as a model.

    The code that initialises the network runs, but what it would draw or fill is written down instead: nothing is
    drawn, parameters take no memory, and torch's generators do not move. What it computes without randomness (masks,
    frequencies, sinusoids) is computed, and becomes constants. A parameter that is written in parts becomes a
    `Pieces`, and the later write counts. A tensor that is cloned or copied takes its law along, and draws its values
    by its own name: layers that torch makes as equal copies differ.

    Args:
        net_or_factory: A function, or a class, that builds the network: its construction is read. Or a network that
            exists, also on the meta device, which is not changed. It is read by `by(net)`; without one by its method
            `initialize_weights` or `init_weights`; without these, if all of its modules are torch.nn's own, by their
            `reset_parameters`.
        *args: Arguments of the factory.
        rules: `Rule`s, or (pattern, initializer) pairs. They count for the parameters and buffers that they match,
            whatever the network's code says. Default axes are torch's: weights (out, in, *kernel).
        by: The function that initialises a network that exists.
        **kwargs: Keyword arguments of the factory.

    Returns:
        The model. Its names are those of the parameters and buffers; tied ones go by the first.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The code does not tell the law of some tensors: the message lists all of them, each with what
            stood in the way. Or a network that exists has modules of its own and no method to read.

    Warns:
        UserWarning: A rule matches nothing.

    Example:
        >>> import torch, varscale as vs
        >>> vs.torch.model_of(torch.nn.Linear, 784, 256)["weight"].initializer
        RandomUniform(minval=-0.03571428571428571, maxval=0.03571428571428571, seed=None, dtype='float32')
    """
    parsed = parse_rules(rules)
    record = Record()
    if isinstance(net_or_factory, torch.nn.Module):
        if args or kwargs:
            msg = f"`args` must be empty for a network that exists, got {show((*args, *kwargs))}"
            raise TypeError(msg)
        net = _initialised(record, net_or_factory, by)
    else:
        if by is not None:
            msg = f"`by` must be None for a factory, whose construction is read, got {show(by)}"
            raise TypeError(msg)
        net = constructed(record, net_or_factory, args, kwargs)
    return Reading(record, net, parsed).model()


def constructed(record: Record, factory: Any, args: Any, kwargs: Any) -> Any:
    """The network that a factory builds while the record is kept."""
    if not callable(factory):
        msg = f"`net_or_factory` must be a module or a function that builds one, got {show(factory)}"
        raise TypeError(msg)
    with _generators(), record.keep():
        net = factory(*args, **kwargs)
        if not isinstance(net, torch.nn.Module):
            msg = f"`net_or_factory` must build a module, got {show(net)}"
            raise TypeError(msg)
        # transformers leaves this out where the factory itself asks for the meta device.
        if hasattr(type(net), _METHODS[0]) and any(parameter.device.type == "meta" for parameter in net.parameters()):
            net.initialize_weights()
    return net


def _initialised(record: Record, net: torch.nn.Module, by: Callable[[Any], object] | None) -> torch.nn.Module:
    """A copy of a network without memory, which was initialised while the record was kept."""
    if by is None:
        by = _own_method(net)
    elif not callable(by):
        msg = f"`by` must be a function of the network, got {show(by)}"
        raise TypeError(msg)
    with _generators(), torch.no_grad():
        copy = _copy(record, net)
        with record.keep():
            by(copy)
    return copy


def _own_method(net: torch.nn.Module) -> Callable[[Any], object]:
    """What initialises a network, as its classes have it."""
    # Of the class: a wrapper may hand on what belongs to the network inside it.
    for method in _METHODS:
        if hasattr(type(net), method):
            return lambda copy: getattr(copy, method)()
    foreign = sorted(
        {type(module).__qualname__ for module in net.modules() if not type(module).__module__.startswith("torch.nn.")}
    )
    if foreign:
        msg = (
            f"`net_or_factory` must tell how its modules {show(foreign)} are initialised: their constructors may have "
            "drawn, so pass the factory, or `by=`"
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
    copy = deepcopy(net, memo)
    for module in copy.modules():
        vars(module).pop(_MARK, None)
    return copy


@contextmanager
def _generators() -> Iterator[None]:
    """Leaves the global generators of torch, Python and NumPy where they were."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        np.random.set_state(states[2])
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
