"""Evidence: what a network holds, and the method that it is read by does not give."""

from __future__ import annotations

from typing import Any

from .._engines import missing
from .._initializers.base import Initializer
from ._memory import is_written
from ._names import named
from ._reading import Reading, listed
from ._record import is_plain

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


def check_evidence(net: torch.nn.Module, reading: Reading) -> None:
    """Raises for a network that exists, if its constructor did more than the method that was read.

    Training moves numbers apart. So numbers that differ are no evidence, but equal ones are, where the law has others.

    Raises:
        ValueError: It did: the message lists all parameters that tell.
    """
    found = {}
    for parameter, (name, *_) in named(net.named_parameters(remove_duplicate=False)):
        # Memory of `to_empty` may hold anything.
        if name in reading.entries and name not in reading.settled and not parameter.is_meta and is_written(parameter):
            why = _evidence(parameter.detach(), reading.entries[name][2])
            if why is not None:
                found[name] = parameter, why
    if found:
        msg = (
            "`net_or_factory` must hold what its own method gives, but its constructor did more: pass the factory, or "
            "`by=`, a function of the network that initialises it. "
            f"It tells by {len(found)} of {len(reading.entries)} tensors:"
        )
        raise ValueError(msg + listed(found))


def _evidence(held: torch.Tensor, initializer: Initializer) -> str | None:
    """What a tensor holds that an initializer does not give it."""
    if not is_plain(held) or not held.is_floating_point() or held.itemsize < 2 or held.numel() < 2:
        return None
    first = held[(0,) * held.ndim]
    # Nearly all tensors differ in their first elements: the others are not looked at then.
    if (held[(slice(2),) * held.ndim] == first).all() and (held == first).all():
        made = _made(held, initializer, 0, ...)
        differs = (made != first.item()).any()
        return f"all {first.item():g}, but {type(initializer).__name__} by the method" if differs else None
    if held.ndim < 2 or held[0].numel() < 2:
        return None
    rows = (held.flatten(1)[:, 0] == 0).nonzero().flatten()
    for row in rows.tolist():
        if not held[row].any() and (_made(held, initializer, 0, row) != _made(held, initializer, 1, row)).any():
            return f"row {row} is all zeros, but random by the method"
    return None


def _made(held: torch.Tensor, initializer: Any, seed: int, index: Any) -> Any:
    """The values that an initializer gives a tensor, at an index."""
    return initializer._with_seed(seed).lazy(tuple(held.shape), held.dtype)[index]
