"""What makes tensors without memory look as if they had some, to code that asks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import deepcopy
from types import FrameType
from typing import Any

from numpy.typing import NDArray

from .._engines import missing
from ._geometry import View
from ._operations import orthogonal_value, sparse_value, truncated_value
from ._storage import Storage
from ._values import Value

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
        if func in _IN_SPARSE and (caller := _caller()).f_code is torch.nn.init.sparse_.__code__:
            return self._sparse(func, args, caller)
        if "out" in kwargs:
            # torch's parser compares the devices of `out` and of the default, which only look alike.
            with torch._C.DisableTorchFunction():
                return func(*args, **kwargs)
        return func(*args, **kwargs)

    def _sparse(self, func: Any, args: Any, caller: FrameType) -> None:
        """Notes the law of `sparse_` in place of its normal values, and leaves out the zeros of each column."""
        if func is not torch.Tensor.normal_:
            return
        with torch._C.DisableTorchFunction():
            arguments = caller.f_locals["sparsity"], caller.f_locals["std"]
            self._record.write(args[0], sparse_value(args[0], *arguments))

    def _array(self, tensor: torch.Tensor) -> NDArray[Any]:
        """The values of a tensor as an array, which cannot be written to: the tensor would not see it."""
        array: NDArray[Any] = self._record.value(tensor).real().clone().numpy()
        array.flags.writeable = False
        return array


_IN_SPARSE = {torch.Tensor.normal_, torch.Tensor.__setitem__}
"""The functions that `sparse_` calls on its tensor."""


def _caller() -> FrameType:
    """The frame of the code that called one of torch's functions, or got an attribute."""
    frame = sys._getframe(2)
    while frame.f_code.co_name == "__torch_function__" and frame.f_back is not None:  # of devices, and other modes
        frame = frame.f_back
    return frame


def _is_meta(tensor: torch.Tensor, storage: Storage) -> bool:
    """False, but in functions whose steps the record cannot follow or need not: their law is noted here."""
    caller = _caller()
    found = next(((names, value) for function, names, value in _NOTED if caller.f_code is function.__code__), None)
    if found is None:
        return False
    names, value = found
    storage.write(View.of(tensor), value(tensor, *(caller.f_locals[name] for name in names)))
    return True


_NOTED: tuple[tuple[Any, tuple[str, ...], Callable[..., Value]], ...] = (
    (torch.nn.init._no_grad_trunc_normal_, ("mean", "std", "a", "b"), truncated_value),
    (torch.nn.init.orthogonal_, ("gain",), orthogonal_value),
)
"""Functions that leave meta tensors alone, with the arguments that their laws depend on."""


def _deepcopy(tensor: torch.Tensor, memo: dict[int, Any]) -> torch.Tensor:
    """A deep copy by an operation, which is seen: torch's own copies the memory below all of them."""
    if id(tensor) not in memo:
        made = tensor.detach().clone().requires_grad_(tensor.requires_grad)
        made.__dict__.update(deepcopy(vars(tensor), memo))
        memo[id(tensor)] = made
    found: torch.Tensor = memo[id(tensor)]
    return found
