"""What a network has beside tensors of known laws: it is done for real, on values of ours."""

from __future__ import annotations

import gc
from itertools import count
from typing import Any

from .._arguments.show import show
from .._engines import missing
from ._geometry import View
from ._init import init_
from ._names import inside
from ._reading import Reading, listed
from ._record import Record, is_plain
from ._storage import Storage, Write, covers
from ._values import Draws, Value

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


class Drawing:
    """Computes tensors from random values: those that parameters hold, or new ones, named by the tensor they are for.

    Args:
        record: What was done while the network was built.
        reading: What was read of that.
        net: The network.
        seed: Its seed.
    """

    def __init__(self, record: Record, reading: Reading, net: torch.nn.Module, seed: Any) -> None:
        self._record, self._reading, self._net, self._seed = record, reading, net, seed
        self._used: dict[int, tuple[str, Value | None]] = {}
        self._unnamed: list[Storage] = []
        self._done: dict[int, torch.Tensor] = {}

    def before(self, tensors: list[torch.Tensor]) -> None:
        """Fills the memory that tensors have with names and without, such as the rest of what a parameter is a part of.

        Args:
            tensors: All parameters and buffers.

        Raises:
            ValueError: Some of the rest is random: it has no name to draw by.
        """
        others = self._record.others(tensors)
        if any(write.value.random for storage in others for write in storage.writes):
            gc.collect()  # some may only wait for that
            others = self._record.others(tensors)
        for storage in others:
            named = [tensor for tensor in tensors if self._record.storage(tensor) is storage]
            if not named:
                self._unnamed.append(storage)
                continue
            views = [Write(View.of(tensor), Value((), tensor.dtype)) for tensor in named]
            for write in storage.writes:
                if write.value.random and not covers(views, None, write.view):
                    raise _nameless(write, "memory that a parameter is a part of")
            storage.fill(None)

    def refused(self) -> None:
        """Fills the tensors without a law by what the code does, now that the others hold their values.

        Raises:
            ValueError: Some of them need what we cannot draw: it lists all of these.
        """
        reading, refused = self._reading, {}
        for name, (tensor, why) in reading.refused.items():
            try:
                if torch.nn.parameter.is_lazy(tensor):
                    raise ValueError(why)
                if name not in reading.views:
                    value = self._record.value(tensor)
                    tensor.copy_(value.real(self._draws(name, value)))
                    self._done.setdefault(id(value), tensor)
            except ValueError as error:
                refused[name] = tensor, str(error)
        if refused:
            msg = (
                "`factory` must make tensors of laws that varscale has, or by operations on them: name a law by "
                f"`rules=[({show(next(iter(refused)))}, initializer)]`. "
                f"{len(refused)} of {len(reading.refused) + len(reading.entries)} tensors are of other numbers:"
            )
            raise ValueError(msg + listed(refused) + reading.unmatched().line())

    def unnamed(self) -> None:
        """Fills the tensors that are neither parameters nor buffers, such as plain attributes.

        Raises:
            ValueError: One of them has random numbers that no parameter holds: it has no name to draw by.
        """
        for storage in self._unnamed:
            try:
                storage.fill(self._draws("", None))
            except ValueError as error:
                write = next(write for write in storage.writes if write.value.random)
                raise _nameless(write, str(error), _attribute_of(self._net, storage.memory())) from error

    def _draws(self, name: str, whole: Value | None) -> Draws:
        """What draws the values `whole` of the tensor of this name; nothing new for a tensor without one."""
        numbers = count()

        def leaf(random: Value) -> torch.Tensor:
            held = self._held(random)
            if held is not None and random is not whole:
                return held.detach().cpu()
            if random.law is None or not name:
                raise ValueError(random.why or f"random values of {random.law}")
            # A copy of a tensor is made of the same numbers, but draws its own: it is a tensor by itself.
            first, other = self._used.setdefault(id(random.origin), (name, whole))
            owners = [*self._reading.shown.get(id(random.origin), () if other is whole else (first,))]
            if owners:
                msg = f"made of the random numbers of {show(owners)}"
                raise ValueError(msg)
            initializer = random.law.initializer().fold_in(name, next(numbers))
            return init_(torch.empty(random.shape, dtype=random.dtype, device="cpu"), initializer, self._seed)

        return Draws(leaf, lambda value: value is not whole and self._held(value) is not None)

    def _held(self, value: Value) -> torch.Tensor | None:
        """The tensor that has these values by now; None where it has copies, which have numbers of their own."""
        if id(value) in self._done:
            return self._done[id(value)]
        alone = len(self._reading.shown.get(id(value.origin), ())) == 1
        return self._reading.holders.get(id(value)) if alone else None


def _attribute_of(net: torch.nn.Module, memory: torch.UntypedStorage) -> str:
    """The path of the first plain attribute that has this memory; "" for none."""
    for prefix, owner in net.named_modules():
        for name, value in vars(owner).items():
            tensors = inside(torch.Tensor, value) if name not in {"_parameters", "_buffers", "_modules"} else ()
            if any(tensor.untyped_storage()._cdata == memory._cdata for tensor in tensors if is_plain(tensor)):
                return f"{prefix}.{name}" if prefix else name
    return ""


def _nameless(write: Write, why: str, attribute: str = "") -> ValueError:
    """The error for random values that nothing with a name has: no stream can be theirs."""
    shape, place = show(write.view.size), f" in {show(attribute)}" if attribute else ""
    hint = ": register it as a buffer" if attribute else ""
    msg = f"`factory` must make random parameters and buffers only, got another tensor {shape}{place}: {why}{hint}"
    return ValueError(msg)
