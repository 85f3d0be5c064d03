"""Origins: which memory torch made while a network was built, to tell what is the caller's."""

from __future__ import annotations

from typing import Any

from .._engines import missing
from ._record import is_plain
from ._values import leaves

try:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


class Origins(TorchDispatchMode):  # type: ignore[misc]
    """Notes the storages that the operations of torch bring forth while it is entered.

    Args:
        known: Tensors of the caller that count as made here.
    """

    def __init__(self, known: list[torch.Tensor]) -> None:
        super().__init__()
        # By address. What is the caller's stays alive, so nothing new takes the place of it.
        self._made = _storages(known)

    def __contains__(self, tensor: torch.Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self._made

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        # A view shares its storage. What is lifted was made of numbers of Python's or NumPy's, out of sight.
        given = set() if func is torch.ops.aten.lift_fresh.default else _storages((args, kwargs))
        made = func(*args, **kwargs)
        self._made |= _storages(made) - given
        return made


def _storages(arguments: Any) -> set[int]:
    """The storages of an operation's arguments or results."""
    return {tensor.untyped_storage()._cdata for tensor in leaves(torch.Tensor, arguments) if is_plain(tensor)}
