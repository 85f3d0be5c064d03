"""The record: every random and constant fill of a network's construction, written down instead of done.

While it is kept, new tensors have memory that nobody writes to; or none, and look to the network's code as if they had
some. What that code computes without randomness is computed for real where its values are needed.
"""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from .._arguments.show import show
from .._core import prefer_huge_pages
from .._engines import missing
from ._geometry import View
from ._looks import Looks
from ._operations import COPIES, parts_of, value_of, written_by
from ._storage import Storage
from ._values import Value, constant, each, leaves, real

try:
    import torch
    from torch.multiprocessing.reductions import StorageWeakRef
    from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode_stack
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
        self._certain: dict[int, Any] = {}
        self._begun = _generators()
        self._moved = False
        self._met = False

    @contextmanager
    def keep(self) -> Iterator[None]:
        """Keeps the record of all that is done here."""
        with ExitStack() as stack:
            if not self._memory:
                stack.enter_context(torch.device("cpu"))
            stack.enter_context(_Operations(self))
            stack.enter_context(Looks(self))
            yield
        self._moved = _moved(self._begun)

    def warn_of_generators(self, *, stacklevel: int) -> None:
        """Warns if numbers of other generators may be among the constants, where no tensor is seen to hold them."""
        if self._moved and not self._met:
            msg = (
                "a generator of NumPy or Python, or torch's in another thread, moved while the network was built: "
                "numbers that its code took from there are constants here"
            )
            warnings.warn(msg, UserWarning, stacklevel=stacklevel)

    def storage(self, tensor: torch.Tensor) -> Storage | None:
        """The record of a tensor's storage; None for a tensor whose memory is real."""
        return self._storages.get(tensor.untyped_storage()._cdata) if is_plain(tensor) else None

    def others(self, tensors: list[torch.Tensor]) -> list[Storage]:
        """The storages that are still in use by others than these tensors."""
        named = Counter(tensor.untyped_storage()._cdata for tensor in tensors)
        return [
            found
            for key, found in self._storages.items()
            # The memory is in use by the one that asks, too.
            if (memory := found.memory()) is not None and torch._C._storage_Use_Count(memory._cdata) - 1 > named[key]
        ]

    def value(self, tensor: torch.Tensor) -> Value:
        """The values that a tensor has now."""
        storage = self.storage(tensor)
        if storage is not None:
            return storage.read(View.of(tensor), tensor.dtype)
        # Real values may come from anywhere: from generators that the record does not see, once these have moved.
        plain = tensor.numel() == 1 and not tensor.is_floating_point()  # a counter, as every batch norm has
        foreign = not plain and not self.is_certain(tensor) and (self._moved or _moved(self._begun))
        self._met |= foreign
        return real(tensor, "a generator of NumPy or Python, or of another thread" if foreign else None)

    def is_certain(self, tensor: torch.Tensor) -> bool:
        """Whether a real tensor is known to be computed of nothing that comes from elsewhere."""
        found = self._certain.get(tensor.untyped_storage()._cdata) if is_plain(tensor) else None
        return found is not None and not bool(found.expired())

    def trust(self, tensor: torch.Tensor) -> None:
        """Notes that a real tensor is certain."""
        if is_plain(tensor):
            memory = tensor.untyped_storage()
            self._certain[memory._cdata] = StorageWeakRef(memory)

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


def is_plain(tensor: torch.Tensor) -> bool:
    """Whether the tensor is its memory and a view of it: no sparse, quantized, nested or lazy one."""
    if torch.nn.parameter.is_lazy(tensor):
        return False
    return tensor.layout == torch.strided and not (tensor.is_quantized or tensor.is_nested)


def kept() -> bool:
    """Whether a record is kept in this thread now."""
    return any(isinstance(mode, _Operations) for mode in _get_current_dispatch_mode_stack())


def check_not_kept(function: str) -> None:
    """Raises where a network's construction is read, and what this function fills would be lost."""
    if kept():
        msg = (
            f"`{function}` must not be called by the code of a network that `model_of` or `build` reads, where nothing "
            "is filled: call it afterwards, or write down a law there by `varscale.torch.normal_` and the like"
        )
        raise ValueError(msg)


def _generators() -> tuple[Any, ...]:
    """The states of the global generators of Python and NumPy, and of torch's with its seed."""
    numpy: Any = np.random.get_state()
    others = random.getstate(), numpy[1].tobytes(), numpy[2:]
    return others, torch.initial_seed(), torch.get_rng_state().numpy().tobytes()


def _moved(begun: tuple[Any, ...]) -> bool:
    """Whether one has drawn since then. What torch draws is written down instead, but in other threads."""
    others, seed, state = _generators()
    return bool(others != begun[0] or (seed == begun[1] and state != begun[2]))


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
            certain = all(map(record.is_certain, tensors))
            out = func(*args, **kwargs)
            if certain:
                each(record.trust, torch.Tensor, out)
            return out
        results = func._schema.returns
        if results and all(result.alias_info is not None and not result.alias_info.is_write for result in results):
            return func(*args, **kwargs)  # a view
        written = written_by(func, args, kwargs)
        if not draws and not written and (_data_decides(func) or _leaves_memory(name, tensors, kwargs)):
            return func(*self._real(args), **self._real(kwargs))
        if torch.Tag.inplace_view in func.tags:
            return func(*args, **kwargs)
        for tensor in written:
            if record.storage(tensor) is None:
                record.follow_real(tensor)
        values = each(record.value, torch.Tensor, (args, kwargs))
        outs = [argument.name for argument in func._schema.arguments if argument.is_out]
        if outs:
            self._check_outs(func, args, kwargs, outs)
            # They are written to, but not read.
            values[1].update({key: constant(kwargs[key].shape, kwargs[key].dtype, 0) for key in outs})
        for number, tensor in enumerate(written):
            self._put(func, args, values, tensor, number, written=True)
        if all(result.alias_info is not None for result in results):
            return None if not results else written[0] if len(results) == 1 else tuple(written)
        device = torch.device(kwargs.get("device") or next((self._device(tensor) for tensor in tensors), "cpu"))
        out = func(
            *each(_without_memory, torch.Tensor, args), **_on_meta(func, each(_without_memory, torch.Tensor, kwargs))
        )
        out = each(lambda result: self._made(result, device), torch.Tensor, out)
        for number, tensor in enumerate(leaves(torch.Tensor, out)):
            record.follow(tensor, device)
            if not name.removeprefix("new_").startswith("empty"):
                self._put(func, args, values, tensor, number, written=False)
        return out

    def _put(self, func: Any, args: Any, values: Any, tensor: torch.Tensor, number: int, *, written: bool) -> None:
        """Notes what an operation gave a tensor, in the parts that are known apart."""
        name = func._schema.name.partition("::")[2]
        parts: Any = None
        if name in {"cat", "stack"}:
            parts = parts_of(name, values[0], tensor)
        elif name in COPIES:
            source = args[COPIES[name]]
            storage = self._record.storage(source)
            boxes = storage.parts(View.of(source), source.dtype) if storage and source.shape == tensor.shape else []
            places = ((tuple(slice(side.start, side.stop) for side in box), value) for box, value in boxes)
            parts = [(tensor[place], value.cast(tensor.dtype, str(func))) for place, value in places]
        for part, value in parts or [(tensor, value_of(func, name, values, tensor, number, written=written))]:
            self._record.write(part, value)

    def _check_outs(self, func: Any, args: Any, kwargs: Any, outs: list[str]) -> None:
        """Raises where torch would change the shape of what an operation is to write to."""
        empty = {key: torch.empty(0, dtype=kwargs[key].dtype, device="meta") for key in outs}
        given = _on_meta(func, each(_without_memory, torch.Tensor, kwargs)) | empty
        results = leaves(torch.Tensor, func(*each(_without_memory, torch.Tensor, args), **given))
        for key, result in zip(outs, results, strict=True):
            if result.shape != kwargs[key].shape:
                name, own, shape = str(func), show(tuple(kwargs[key].shape)), show(tuple(result.shape))
                msg = f"`{key}` of {name} must have the shape {shape} of the result while a network is read, got {own}"
                raise ValueError(msg)

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


def _data_decides(func: Any) -> bool:
    """Whether what an operation returns, or its shape, depends on the values of its arguments."""
    return torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags


def _leaves_memory(name: str, tensors: list[torch.Tensor], kwargs: Any) -> bool:
    """Whether an operation has to do with tensors that are more than their memory, such as sparse ones."""
    layouts = kwargs.get("layout") not in {None, torch.strided} or not all(map(is_plain, tensors))
    return layouts or any(word in name for word in ("sparse", "quantize", "mkldnn"))


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
