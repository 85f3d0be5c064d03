"""The laws of a network: those that its own code says, as a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .._arguments.show import show
from .._engines import missing
from .._initializers.builtin import Builtin
from .._models.model import Model
from .._models.rules import Rule, parse_rules
from ._evidence import check_evidence
from ._existing import initialised
from ._factory import constructed
from ._reading import Reading
from ._record import Record

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


def model_of(
    net_or_factory: torch.nn.Module | Callable[..., torch.nn.Module],
    /,
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
            `initialize_weights` or `init_weights`, if that needs no arguments; without these, if all of its modules are
            torch.nn's own, by their `reset_parameters`.
        *args: Arguments of the factory. Modules that it needs are built inside it: `lambda: Head(Body(config))`.
        rules: `Rule`s, or (pattern, initializer) pairs. They count for the parameters and buffers that they match,
            whatever the network's code says. One with the default axes gets the fans of the layer, as in `init_`.
        by: The function that initialises a network that exists.
        **kwargs: Keyword arguments of the factory. One that has a `rules` or a `by` of its own is given as
            `functools.partial(factory, by=…)`.

    Returns:
        The model. Its names are those of the parameters and buffers; tied ones go by the first.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The code does not tell the law of some tensors: the message lists all of them, each with what
            stood in the way. Or a network that exists has modules of its own and no method to read, or holds what its
            method does not give. Or a factory uses modules that were there before.

    Warns:
        UserWarning: A rule matches nothing.

    Example:
        >>> import torch, varscale as vs
        >>> vs.torch.model_of(torch.nn.Linear, 784, 256)["weight"].initializer
        RandomUniform(minval=-0.03571428571428571, maxval=0.03571428571428571, seed=None, dtype='float32')
    """
    if not callable(net_or_factory):  # a module can be called too
        msg = f"`net_or_factory` must be a module or a function that builds one, got {show(net_or_factory)}"
        raise TypeError(msg)
    parsed = parse_rules(rules)
    record = Record()
    if not isinstance(net_or_factory, torch.nn.Module):
        if by is not None:
            msg = f"`by` must be None for a factory, whose construction is read, got {show(by)}"
            raise TypeError(msg)
        net = constructed(record, "net_or_factory", net_or_factory, args, kwargs)
        reading = Reading(record, net, parsed)
        model = reading.model()
    elif args or kwargs:
        msg = f"`args` must be empty for a network that exists, got {show((*args, *kwargs))}"
        raise TypeError(msg)
    else:
        reading = Reading(record, initialised(record, net_or_factory, by), parsed)
        if by is None:
            check_evidence(net_or_factory, reading)
        model = reading.model("What its method leaves alone, its constructor has filled: pass the factory")
    reading.unmatched().check(stacklevel=3)  # at the line that calls this
    record.warn_of_generators(stacklevel=3)
    return model
