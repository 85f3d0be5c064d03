"""What makes tensors without memory look as if they had some, to code that asks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from numpy.typing import NDArray

from .._engines import missing
from ._geometry import View
from ._operations import truncated_value
from ._storage import Storage

try:
    import torch
    from torch.overrides import TorchFunctionMode
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


class Looks(TorchFunctionMode):  # type: ignore[misc]
    """What makes tensors without memory look as if they had some, to code that asks."""

    def __init__(self, record: Any) -> None:
        super().__init__()
        self._record = record
        self._getters: dict[Any, Callable[[torch.Tensor, Storage], Any]] = {
            torch.Tensor.is_meta.__get__: _is_meta,
            torch.Tensor.is_cpu.__get__: lambda tensor, storage: storage.device.type == "cpu",
            torch.Tensor.is_cuda.__get__: lambda tensor, storage: storage.device.type == "cuda",
            torch.Tensor.device.__get__: lambda tensor, storage: storage.device,
            torch.Tensor.numpy: lambda tensor, storage: self._array(tensor),
            torch.Tensor.tolist: lambda tensor, storage: self._array(tensor).tolist(),
            torch.Tensor.__array__: lambda tensor, storage: self._array(tensor),
        }

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.__deepcopy__:
            return _deepcopy(*args)
        getter = self._getters.get(func)
        if getter is not None:
            with torch._C.DisableTorchFunction():
                storage = self._record.storage(args[0])
                if storage is not None:
                    return getter(args[0], storage)
        if "out" in kwargs:
            # torch's parser compares the devices of `out` and of the default, which only look alike.
            with torch._C.DisableTorchFunction():
                return func(*args, **kwargs)
        return func(*args, **kwargs)

    def _array(self, tensor: torch.Tensor) -> NDArray[Any]:
        """The values of a tensor as an array, which cannot be written to: the tensor would not see it."""
        array: NDArray[Any] = self._record.value(tensor).real().clone().numpy()
        array.flags.writeable = False
        return array


def _is_meta(tensor: torch.Tensor, storage: Storage) -> bool:
    """False, but in `trunc_normal_`, whose loops over values the record cannot follow: its law is noted here."""
    frame = sys._getframe(2)
    while frame.f_code.co_name == "__torch_function__" and frame.f_back is not None:  # of devices, and other modes
        frame = frame.f_back
    if frame.f_code is not torch.nn.init._no_grad_trunc_normal_.__code__:
        return False
    arguments = [frame.f_locals[name] for name in ("mean", "std", "a", "b")]
    storage.write(View.of(tensor), truncated_value(tensor, *arguments))
    return True


def _deepcopy(tensor: torch.Tensor, memo: dict[int, Any]) -> torch.Tensor:
    """A deep copy by an operation, which is seen: torch's own copies the memory below all of them."""
    if id(tensor) not in memo:
        made = tensor.detach().clone().requires_grad_(tensor.requires_grad)
        made.__dict__.update(deepcopy(vars(tensor), memo))
        memo[id(tensor)] = made
    found: torch.Tensor = memo[id(tensor)]
    return found
