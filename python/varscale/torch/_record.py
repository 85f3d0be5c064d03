"""The record: every random and constant fill of a network's construction, written down instead of done.

While it is kept, new tensors have memory that nobody writes to; or none, and look to the network's code as if they had
some. What that code computes without randomness is computed for real where its values are needed.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from .._core import prefer_huge_pages
from .._engines import missing
from ._geometry import View
from ._operations import parts_of, truncated_value, value_of
from ._storage import Storage
from ._values import Value, constant, each, leaves, real

try:
    import torch
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

_CREATORS = {"empty", "empty_strided", "empty_permuted", "zeros", "ones", "full"}
_CREATORS |= {f"new_{name}" for name in _CREATORS} | {f"{name}_like" for name in _CREATORS}
"""The operations that make what parameters are made of. Anything else is made for real, where it is not random."""


class Record:
    """What was done to which storage. Within `keep` it is kept; afterwards it is read.

    Args:
        memory: Whether new tensors have memory, which is then to be filled.
    """

    def __init__(self, *, memory: bool = False) -> None:
        self._storages: dict[int, Storage] = {}
        self._memory = memory
        self._begun = _generators()
        self._moved = False

    @contextmanager
    def keep(self) -> Iterator[None]:
        """Keeps the record of all that is done here."""
        with ExitStack() as stack:
            if not self._memory:
                stack.enter_context(torch.device("cpu"))
            stack.enter_context(_Operations(self))
            stack.enter_context(_Looks(self))
            yield
        self._moved = _generators() != self._begun

    def storage(self, tensor: torch.Tensor) -> Storage | None:
        """The record of a tensor's storage; None for a tensor whose memory is real."""
        return self._storages.get(tensor.untyped_storage()._cdata)

    def others(self, tensors: list[torch.Tensor]) -> list[Storage]:
        """The storages that are still in use, but not by these tensors."""
        named = {tensor.untyped_storage()._cdata for tensor in tensors}
        return [found for key, found in self._storages.items() if key not in named and found.memory() is not None]

    def value(self, tensor: torch.Tensor) -> Value:
        """The values that a tensor has now."""
        storage = self.storage(tensor)
        if storage is not None:
            return storage.read(View.of(tensor), tensor.dtype)
        # Real values may come from anywhere: from generators that the record does not see, once these have moved.
        foreign = tensor.is_floating_point() and (self._moved or _generators() != self._begun)
        return real(tensor, "a generator of NumPy or Python" if foreign else None)

    def write(self, tensor: torch.Tensor, value: Value) -> None:
        """Notes that a tensor was given values."""
        storage = self.storage(tensor)
        assert storage is not None
        storage.write(View.of(tensor), value)

    def follow(self, tensor: torch.Tensor, device: torch.device) -> Storage:
        """Begins a record of a storage."""
        memory = tensor.untyped_storage()
        return self._storages.setdefault(memory._cdata, Storage(memory, device))

    def follow_real(self, tensor: torch.Tensor) -> None:
        """Begins a record of a storage that has memory, from what that holds."""
        if tensor.device.type == "meta":  # somebody else's, of which nothing is known
            self.follow(tensor, tensor.device)
            return
        flat = torch.as_strided(tensor.detach(), (tensor.untyped_storage().nbytes() // tensor.element_size(),), (1,), 0)
        storage = self.follow(tensor, tensor.device)
        storage.write(View.of(flat), real(flat))


def _generators() -> tuple[Any, ...]:
    """The states of the global generators of Python and NumPy."""
    numpy: Any = np.random.get_state()
    return random.getstate(), numpy[1].tobytes(), numpy[2:]


class _Looks(TorchFunctionMode):  # type: ignore[misc]
    """What makes tensors without memory look as if they had some, to code that asks."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record
        self._getters: dict[Any, Callable[[torch.Tensor, Storage], Any]] = {
            torch.Tensor.is_meta.__get__: _is_meta,
            torch.Tensor.is_cpu.__get__: lambda tensor, storage: storage.device.type == "cpu",
            torch.Tensor.is_cuda.__get__: lambda tensor, storage: storage.device.type == "cuda",
            torch.Tensor.device.__get__: lambda tensor, storage: storage.device,
            torch.Tensor.numpy: lambda tensor, storage: self._real(tensor).numpy(),
            torch.Tensor.tolist: lambda tensor, storage: self._real(tensor).tolist(),
            torch.Tensor.__array__: lambda tensor, storage: self._real(tensor).numpy(),
        }

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
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

    def _real(self, tensor: torch.Tensor) -> torch.Tensor:
        return self._record.value(tensor).real().clone()


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


class _Operations(TorchDispatchMode):  # type: ignore[misc]
    """What writes down each operation of torch, below all of its Python."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C.DisableTorchFunction():
            return self._done(func, args, kwargs or {})

    def _done(self, func: Any, args: Any, kwargs: Any) -> Any:
        record, name = self._record, func._schema.name.partition("::")[2]
        if name not in _CREATORS and torch.device(kwargs.get("device") or "cpu").type == "meta":
            kwargs = kwargs | {"device": torch.device("cpu")}  # or what is computed would be lost
        tensors = leaves(torch.Tensor, (args, kwargs))
        draws = torch.Tag.nondeterministic_seeded in func.tags
        if not draws and name not in _CREATORS and not any(record.storage(tensor) for tensor in tensors):
            return func(*args, **kwargs)
        results = func._schema.returns
        if results and all(result.alias_info is not None and not result.alias_info.is_write for result in results):
            return func(*args, **kwargs)  # a view
        written, outs = _written(func, args, kwargs)
        if not draws and not written and _data_decides(func):
            return func(*self._real(args), **self._real(kwargs))
        if torch.Tag.inplace_view in func.tags:
            return func(*args, **kwargs)
        for tensor in written:
            if record.storage(tensor) is None:
                record.follow_real(tensor)
        values = each(record.value, torch.Tensor, (args, kwargs))
        if written:
            if outs:  # they are written to, but not read
                values[1].update({name: constant(out.shape, out.dtype, 0) for name, out in outs.items()})
            for number, tensor in enumerate(written):
                record.write(tensor, value_of(func, name, values, tensor, number))
            return None if not results else written[0] if len(results) == 1 else tuple(written)
        device = torch.device(kwargs.get("device") or next((self._device(tensor) for tensor in tensors), "cpu"))
        out = func(
            *each(_without_memory, torch.Tensor, args), **_on_meta(func, each(_without_memory, torch.Tensor, kwargs))
        )
        out = each(lambda result: self._made(result, device), torch.Tensor, out)
        for number, tensor in enumerate(leaves(torch.Tensor, out)):
            record.follow(tensor, device)
            if name in {"cat", "stack"}:
                for part, value in parts_of(name, values[0], tensor):
                    record.write(part, value)
            elif not name.removeprefix("new_").startswith("empty"):
                record.write(tensor, value_of(func, name, values, tensor, number))
        return out

    def _made(self, result: torch.Tensor, device: torch.device) -> torch.Tensor:
        """The tensor that the network gets for one without memory."""
        if not self._record._memory or device.type == "meta":
            return result
        made = torch.empty_strided(result.size(), result.stride(), dtype=result.dtype, device=device)
        if device.type == "cpu":
            prefer_huge_pages(made.data_ptr(), made.untyped_storage().nbytes())  # it is filled as a whole, and soon
        return made

    def _device(self, tensor: torch.Tensor) -> torch.device:
        storage = self._record.storage(tensor)
        return tensor.device if storage is None else storage.device

    def _real(self, arguments: Any) -> Any:
        return each(lambda tensor: self._record.value(tensor).real(), torch.Tensor, arguments)


def _written(func: Any, args: Any, kwargs: Any) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
    """The tensors that an operation writes to, in the order of its arguments; and those that it does not read."""
    written, outs = [], {}
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = args[place] if place < len(args) else kwargs.get(argument.name)
            written += leaves(torch.Tensor, given)
            if argument.kwarg_only:
                outs[argument.name] = given
    return written, outs


def _data_decides(func: Any) -> bool:
    """Whether what an operation returns, or its shape, depends on the values of its arguments."""
    return torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags


def _without_memory(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of the same shape and strides on the meta device."""
    if tensor.device.type == "meta":
        return tensor
    return torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype, device="meta")


def _on_meta(func: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments that make an operation return tensors without memory, and draw nothing."""
    kwargs = {name: None if name in {"generator", "pin_memory"} else value for name, value in kwargs.items()}
    makes = any(argument.name == "device" for argument in func._schema.arguments)
    return kwargs | {"device": torch.device("meta")} if makes else kwargs
