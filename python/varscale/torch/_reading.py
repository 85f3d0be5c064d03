"""Reading a record: the initializer of each parameter and buffer of a network, from what was done to it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from math import copysign
from typing import Any

import numpy as np

from .._arguments.boxes import Box
from .._arguments.show import show
from .._engines import missing
from .._initializers.base import Initializer
from .._initializers.builtin import Builtin
from .._initializers.constant import Constant, Ones, Zeros
from .._initializers.diagonal import Identity
from .._initializers.kernels import Dirac
from .._initializers.orthogonal import Orthogonal
from .._initializers.pieces import Pieces
from .._models.covering import MOST, Unmatched
from .._models.kinds import kind_of, path_of
from .._models.model import Model
from .._models.rules import Rule, first_match
from .._models.spellings import hold
from ._geometry import View, meet, placed
from ._laws import WHOLE
from ._names import named
from ._record import Record, is_plain
from ._storage import UNWRITTEN, Storage, Write, covers, repeats, visible
from ._values import Value

try:
    import torch
    from torch.nn.parameter import is_lazy
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


class Reading:
    """The laws of a network.

    Attributes:
        entries: Shape, dtype and initializer of each tensor that is understood, by its first name.
        refused: For each other one its tensor and why it is not.
        holders: The first tensor that holds a value as it is, by the identity of the value.
        views: Refused ones that are views of another tensor.
        tensors: All tensors but lazy, sparse and quantized ones.
        settled: The names of those that a rule settles, whatever the network's code says.
        shown: The tensors that have random numbers of a value, as they are or changed, by the identity of its origin.
    """

    def __init__(self, record: Record, net: torch.nn.Module, rules: tuple[Rule, ...] = ()) -> None:
        self._record, self._module, self._rules = record, hold(net), rules
        self._shared: dict[Any, Builtin] = {}
        self.entries: dict[str, tuple[Any, Any, Initializer]] = {}
        self.refused: dict[str, tuple[torch.Tensor, str]] = {}
        self.holders: dict[int, torch.Tensor] = {}
        self.shown: dict[int, dict[str, None]] = {}
        self.views: set[str] = set()
        self.tensors: list[torch.Tensor] = []
        self.settled: set[str] = set()
        stored: dict[Storage, list[tuple[View, str, torch.Tensor]]] = {}
        for tensor, (name, *_) in named_tensors(net):
            if is_lazy(tensor):
                self.refused[name] = tensor, _LAZY
                continue
            if not is_plain(tensor):
                self.refused[name] = tensor, "a sparse, nested or quantized tensor"
                continue
            self.tensors.append(tensor)
            rule = self._rule(name, tuple(tensor.shape))
            found = self._found(name, tensor) if rule is None else self._settled(name, tensor, rule)
            if isinstance(found, str):
                self.refused[name] = tensor, found
            else:
                self.entries[name] = tuple(tensor.shape), tensor.dtype, found
            storage = record.storage(tensor)
            if rule is None and storage is not None and any(write.value.random for write in storage.writes):
                stored.setdefault(storage, []).append((View.of(tensor), name, tensor))
        for tensors in stored.values():
            self._refuse_shared(tensors)

    def _refuse_shared(self, tensors: list[tuple[View, str, torch.Tensor]]) -> None:
        """Refuses tensors that have elements of one storage in common: a random number has one name."""
        before: list[tuple[View, str, torch.Tensor]] = []
        for entry in sorted(tensors, key=lambda entry: entry[0].offset):
            before = [other for other in before if other[0].stop() > entry[0].offset]
            for other in before:
                if not meet(entry[0], other[0]):
                    continue
                # The larger one, or the first, keeps its law; the other one is a view of it, or neither of them is.
                owner, inner = (entry, other) if entry[0].numel > other[0].numel else (other, entry)
                inside = placed(inner[0], owner[0]) == tuple(map(range, inner[0].size))
                for _, name, tensor in [inner] if inside else [inner, owner]:
                    self.entries.pop(name, None)
                    self.refused[name] = tensor, f"memory that {show(owner[1])} has too"
                if inside:
                    self.views.add(inner[1])
                    for names in self.shown.values():
                        names.pop(inner[1], None)
            before.append(entry)

    def model(self, unwritten: str = "") -> Model:
        """The laws as a model.

        Args:
            unwritten: What helps where nothing was written to some memory.

        Raises:
            ValueError: Some tensors are not understood: it lists all of them.
        """
        if self.refused:
            count = f"{len(self.refused)} of {len(self.refused) + len(self.entries)} tensors"
            msg = f"`rules` must name a law for {count}, which the network's own code does not tell:"
            hint = f"\n{unwritten}" if unwritten and any(why == UNWRITTEN for _, why in self.refused.values()) else ""
            raise ValueError(msg + listed(self.refused) + hint + self.unmatched().line())
        return self.laws()

    def laws(self) -> Model:
        """The laws of the tensors that are understood, as a model."""
        return Model(self._module._replace(entries=self.entries), layout="torch")

    def unmatched(self) -> Unmatched:
        """The rules that match nothing."""
        tensors = {name: tensor for name, (tensor, _) in self.refused.items()}
        shapes = {name: () if is_lazy(tensor) else tuple(tensor.shape) for name, tensor in tensors.items()}
        shapes |= {name: shape for name, (shape, *_) in self.entries.items()}
        return Unmatched(self._rules, shapes, self._module.tied)

    def _rule(self, name: str, shape: tuple[int, ...]) -> Rule | None:
        """The first rule that covers a tensor, which a class tells more of than its name."""
        if not self._rules:
            return None
        kind = kind_of(self._module.paths.get(name) or path_of(name), shape, "torch")
        return first_match(self._rules, name, shape, kind)

    def _settled(self, name: str, tensor: torch.Tensor, rule: Rule) -> Initializer:
        """The initializer that a rule gives a tensor, which then holds what the code makes others of."""
        self.settled.add(name)
        storage = self._record.storage(tensor)
        if storage is not None:
            self._show(name, tensor, [write for _, write in visible(storage.writes, View.of(tensor)) or ()])
        elif not tensor.is_meta:
            self._record.value(tensor)  # which notes where its numbers may come from
        return rule.initializer

    def _found(self, name: str, tensor: torch.Tensor) -> Builtin | str:
        """The initializer of a tensor, or why there is none: such as a law that no initializer takes."""
        try:
            return self._law(name, tensor)
        except (TypeError, ValueError) as error:
            return str(error)

    def _law(self, name: str, tensor: torch.Tensor) -> Builtin | str:
        """The initializer of a tensor, or why there is none."""
        storage = self._record.storage(tensor)
        if storage is None:
            if tensor.is_meta:
                return UNWRITTEN
            value = self._record.value(tensor)
            return value.why or self._certain(value)
        view = View.of(tensor)
        pieces = visible(storage.writes, view)
        if not covers(storage.writes, pieces, view):
            return UNWRITTEN
        values = [write.value for write in (storage.writes if pieces is None else [write for _, write in pieces])]
        if not any(value.random for value in values):
            return self._certain(storage.read(view, tensor.dtype))
        if pieces is None:
            return next((value.why for value in values if value.why), None) or "parts of random tensors"
        if any(isinstance(value.law, WHOLE) for value in values):
            return self._matrices(name, tensor, view, pieces)
        found: list[tuple[Any, Builtin]] = []
        for box, write in pieces:
            piece = self._piece(storage, view, write.value, tensor.dtype)
            if isinstance(piece, str):
                return piece
            found.append((_index(box, view.size), piece))
        if repeats(pieces, view):
            return "the same random numbers in several places"
        self._show(name, tensor, [write for _, write in pieces])
        return found[0][1] if len(found) == 1 else Pieces(found)

    def _matrices(self, name: str, tensor: torch.Tensor, view: View, pieces: list[tuple[Box, Write]]) -> Builtin | str:
        """The initializer of a tensor that is a matrix, or consists of orthogonal ones one above another."""
        law, others = pieces[0][1].value.law, view.size[1:]
        sizes = [write.view.size for _, write in pieces]
        stacked = all(
            write.value.law == law and write.view == view.part(box) and write.value.dtype == tensor.dtype
            for box, write in pieces
        )
        if not stacked or law is None or set(sizes) != {(view.size[0] // len(pieces), *others)}:
            return "parts of matrices that are drawn as a whole"
        if repeats(pieces, view):
            return "the same random numbers in several places"
        initializer = law.initializer()
        if len(pieces) > 1:
            if not isinstance(initializer, Orthogonal):
                return "several matrices in one tensor"
            initializer = Orthogonal(initializer.gain, axis=0, blocks=len(pieces))
        self._show(name, tensor, [write for _, write in pieces])
        return self._shared.setdefault((law, len(pieces)), initializer)

    def _show(self, name: str, tensor: torch.Tensor, writes: list[Write]) -> None:
        """Notes which random values a tensor shows, and which it holds as they are."""
        for write in writes:
            if write.value.random:
                self.shown.setdefault(id(write.value.origin), {})[name] = None
                if write.view == View.of(tensor):
                    self.holders.setdefault(id(write.value), tensor)

    def _piece(self, storage: Storage, view: View, value: Value, dtype: torch.dtype) -> Builtin | str:
        """The initializer of one piece of a tensor, for the whole tensor's shape."""
        if value.dtype != dtype:
            return "a view in another dtype"
        if value.law is not None:
            return self._shared.setdefault(value.law, value.law.initializer())
        if value.why is not None:
            return value.why
        if value.constant is not None:
            return self._certain(value)
        return self._held(storage.certain(view, dtype))

    def _certain(self, value: Value) -> Builtin | str:
        """The initializer of values that nothing random went into."""
        if value.constant is not None:
            return self._held(value.constant)
        return Identity() if value.is_eye and value.dtype.is_floating_point else self._held(value.real())

    def _held(self, tensor: torch.Tensor) -> Builtin | str:
        """The initializer of a real tensor's values: one for all tensors that hold the same ones."""
        if tensor.is_complex():
            return "complex values"
        plain = tensor.detach().cpu()
        if plain.dtype not in _EXACT and plain.is_floating_point():
            plain = plain.float()
        array = plain.numpy()
        if 3 <= array.ndim <= 5 and array.size:
            # Each group has an output for the first input.
            centre = (slice(None), 0, *(size // 2 for size in array.shape[2:]))
            groups = np.count_nonzero(array[centre])
            if groups and len(array) % groups == 0 and np.count_nonzero(array) <= len(array):
                dirac = Dirac(int(groups), layout="torch")
                if np.array_equal(array, dirac(array.shape)):
                    return dirac
        if array.size and (array == array.flat[0]).all():
            number = array.flat[0].item()
            if number in (0, 1) and copysign(1, number) > 0:
                return self._shared.setdefault(number, (Zeros, Ones)[int(number)]())
            return self._shared.setdefault(("constant", number), Constant(number))
        key = array.shape, array.dtype, array.tobytes()
        if key not in self._shared:
            self._shared[key] = Constant(array.reshape(-1))
        return self._shared[key]


_LAZY = "a lazy parameter, which has no shape yet: run one forward pass first, in the factory if there is one"
_EXACT = {torch.float16, torch.float32, torch.float64}
"""The floating-point dtypes that NumPy has."""


def named_tensors(net: torch.nn.Module) -> list[tuple[torch.Tensor, list[str]]]:
    """All parameters and buffers once, each with its names."""
    parameters = named(net.named_parameters(remove_duplicate=False))
    return [*parameters, *named(net.named_buffers(remove_duplicate=False))]


def listed(refused: dict[str, tuple[torch.Tensor, str]]) -> str:
    """Tensors, each with what stands in the way of it, on a line of its own."""
    some = islice(refused.items(), MOST)
    lines = "".join(f"\n  {show(name)}{_shown_shape(tensor)}: {why}" for name, (tensor, why) in some)
    return f"{lines}\n  … and {len(refused) - MOST} more" if len(refused) > MOST else lines


def _shown_shape(tensor: torch.Tensor) -> str:
    return "" if is_lazy(tensor) else f" {show(tuple(tensor.shape))}"


def _index(box: Box, size: Iterable[int]) -> tuple[Any, ...]:
    """A box as an index that reads well."""
    entries = [
        slice(None) if side == range(full) else side.start if len(side) == 1 else slice(side.start, side.stop)
        for side, full in zip(box, size, strict=True)
    ]
    while entries and entries[-1] == slice(None):
        entries.pop()
    return tuple(entries) or (...,)
