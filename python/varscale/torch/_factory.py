"""Factories: their construction, run while the record is kept."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb
from typing import Any

import numpy as np

from .._arguments.show import show
from .._engines import missing
from ._names import inside, named
from ._origins import Origins
from ._record import Record, is_plain
from ._values import UndrawnError

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

_METHODS = ("initialize_weights", "init_weights")
_OTHERS = Path(torch.__file__).parent, Path(__file__).parent
_INSIDE = "build modules inside the factory, as in `lambda: get_peft_model(Base(config), peft_config)`"


def constructed(record: Record, argument: str, factory: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The network that a factory builds while the record is kept; `argument` is what errors call the factory.

    Raises:
        TypeError: The factory builds something else.
        ValueError: Modules of the caller are among its arguments or in the network, or it looks at random values.
    """
    for name, given in (("args", args), *kwargs.items()):
        for module in inside(torch.nn.Module, given):
            if next(module.parameters(), None) is not None:
                msg = f"`{name}` must hold no network, got a {type(module).__qualname__}, which would be half read: "
                raise ValueError(msg + _INSIDE)
    # A table that is passed is data. A parameter has a module.
    tables = [table for table in inside(torch.Tensor, (args, kwargs)) if not isinstance(table, torch.nn.Parameter)]
    origins = Origins(tables)
    with aside(argument), origins, record.keep():
        net = factory(*args, **kwargs)
        if not isinstance(net, torch.nn.Module):
            msg = f"`{argument}` must build a module, got {show(net)}"
            raise TypeError(msg)
        # transformers leaves this out where the factory itself asks for the meta device.
        if own_method(net) == _METHODS[0] and any(parameter.device.type == "meta" for parameter in net.parameters()):
            net.initialize_weights()
    older = [
        name
        for parameter, (name, *_) in named(net.named_parameters(remove_duplicate=False))
        if is_plain(parameter) and record.storage(parameter) is None and parameter not in origins
        if parameter.is_meta or record.value(parameter).why is None  # or it has a better reason
    ]
    if older:
        msg = f"`{argument}` must make all parameters, got {show(older)}, which were not made in it: {_INSIDE}, "
        raise ValueError(msg + "and pass tensors as arguments")
    return net


def own_method(net: torch.nn.Module) -> str | None:
    """The method that initialises a network, as its classes have it."""
    # Of the class: a wrapper may hand on what belongs to the network inside it.
    for method in _METHODS:
        if hasattr(type(net), method) and _takes_nothing(getattr(net, method)):
            return method
    return None


def _takes_nothing(method: Any) -> bool:
    """Whether a method can be called without arguments: others initialise one module that they are given."""
    try:
        inspect.signature(method).bind()
    except TypeError:
        return False
    return True


@contextmanager
def aside(argument: str) -> Iterator[None]:
    """Runs a network's code, and leaves the global generators of torch, Python and NumPy where they were.

    Raises:
        ValueError: The code looks at random values; the error names the argument that it came by.
    """
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    try:
        yield
    except UndrawnError as error:
        msg = (
            f"`{argument}` must not look at random values, which are not drawn yet, got {error}{_line_of(error)}: "
            "build the network without varscale, and fill it by `init_(network, Model(network, rules))`"
        )
        raise ValueError(msg) from error
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        np.random.set_state(states[2])
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)


def _line_of(error: Exception) -> str:
    """The last line of the network's own code that led to an error."""
    places = ((frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__))
    own = [place for place in places if not any(Path(place[0]).is_relative_to(folder) for folder in _OTHERS)]
    return f" in {show(own[-1][0])}, line {own[-1][1]}" if own else ""
