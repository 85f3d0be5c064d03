"""Values: what a tensor was given while a network was built, as a law, as a constant, or to be computed when needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from .._engines import missing
from ._laws import Law

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


def each(function: Callable[[Any], Any], kind: Any, arguments: Any) -> Any:
    """An operation's arguments, with what a function makes of those of a kind; torch nests them in lists only."""
    if isinstance(arguments, kind):
        return function(arguments)
    if isinstance(arguments, list | tuple):
        return type(arguments)([each(function, kind, argument) for argument in arguments])
    if isinstance(arguments, dict):
        return {name: each(function, kind, argument) for name, argument in arguments.items()}
    return arguments


def leaves(kind: Any, arguments: Any) -> list[Any]:
    """The arguments of a kind, in order."""
    found: list[Any] = []
    each(found.append, kind, arguments)
    return found


class UndrawnError(ValueError):
    """The code of a network looks at random values, and none are drawn yet."""


class Draws:
    """Random values made real, each once, while one tensor is computed.

    Args:
        leaf: Makes a real tensor of a value that is drawn, or raises a ValueError that says why it cannot.
        holds: Whether somebody holds the values already, so that `leaf` knows them.
    """

    def __init__(self, leaf: Callable[[Value], torch.Tensor], holds: Callable[[Value], bool]) -> None:
        self._leaf, self._holds = leaf, holds
        self._known: dict[int, torch.Tensor] = {}

    def of(self, value: Value) -> torch.Tensor:
        """The values, which are computed where they follow from others."""
        if not self.has(value):
            self._known[id(value)] = self._leaf(value) if self.is_leaf(value) else value.computed(self)
        return self._known[id(value)]

    def has(self, value: Value) -> bool:
        """Whether the values are made already."""
        return id(value) in self._known

    def is_leaf(self, value: Value) -> bool:
        """Whether the values are drawn or held, and do not follow from others."""
        new = value.law is not None and value.origin is value
        return new or value.compute is None or self._holds(value)


Chain = tuple["Value", tuple[str, ...]]
"""A value, and the functions that were applied to its elements one after another."""


class Value:
    """The values of one tensor at one time, which never change.

    Attributes:
        shape: The tensor's shape.
        dtype: Its dtype.
        law: The law of each of its elements, which are independent; None where there is none, or none is known.
        constant: The one value of all elements, as a real tensor of no dimensions; or None.
        random: Whether the values depend on random numbers.
        origin: The value whose random numbers these are, one for one: itself where they are new, or no longer so.
        why: The operation that made of random values something that is not understood.
        chain: The value that this one is a function of, element by element, with the functions' names.
        is_eye: Whether it is a matrix with ones on its diagonal, and zeros elsewhere.
        compute: Computes the values from those that they follow from; None where they are drawn.
        inputs: The values that they follow from.
    """

    __slots__ = (
        *("_known", "_places", "chain", "compute", "constant", "dtype", "inputs", "is_eye", "law", "origin"),
        *("random", "shape", "why"),
    )

    def __init__(
        self,
        shape: Any,
        dtype: torch.dtype,
        compute: Callable[[Draws | None], torch.Tensor] | None = None,
        *,
        law: Law | None = None,
        constant: torch.Tensor | None = None,
        why: str | None = None,
        chain: Chain | None = None,
        is_eye: bool = False,
        source: Value | None = None,
        places: Callable[[], torch.Tensor] | None = None,
        inputs: Sequence[Value] = (),
    ) -> None:
        self.shape, self.dtype = tuple(shape), dtype
        self.law, self.constant, self.why = law, constant, why
        self.random = law is not None or why is not None
        self.chain = chain or (self, ())
        self.is_eye = is_eye
        self.compute, self.inputs = compute, inputs
        self.origin: Value = self if source is None else source.origin
        self._places: Callable[[], torch.Tensor] | None = places or (None if source is None else source._places)
        self._known: torch.Tensor | None = None

    def real(self, draws: Draws | None = None) -> torch.Tensor:
        """The values, computed on the CPU. Nobody may write to them.

        Args:
            draws: What makes the random values that these depend on.
        """
        if self.constant is not None:
            return self.constant.expand(self.shape)
        if self.random and draws is None:
            raise UndrawnError(self.why or self.law)
        # First what they follow from, without recursion: a loop of the network's code makes a chain of any length.
        todo = [self]
        while todo:
            unknown = todo[-1]._unknown(draws)
            todo += reversed(unknown)
            if not unknown:
                made = todo.pop()._made(draws)
        return made

    def _unknown(self, draws: Draws | None) -> list[Value]:
        """The values that must be known before these."""
        if self._is_known(draws) or (self.random and draws is not None and draws.is_leaf(self)):
            return []
        # What follows from nothing random may still lie in one memory with it.
        return [value for value in self.inputs if not value._is_known(draws) and (self.random or not value.random)]

    def _is_known(self, draws: Draws | None) -> bool:
        if self.random:
            return draws is not None and draws.has(self)
        return self.constant is not None or self._known is not None

    def _made(self, draws: Draws | None) -> torch.Tensor:
        """The values, where those that they follow from are known."""
        if draws is not None and self.random:
            return draws.of(self)
        if self._known is None:
            self._known = self.computed(None)
        return self._known

    def computed(self, draws: Draws | None) -> torch.Tensor:
        """The values, computed."""
        assert self.compute is not None
        return self.compute(draws)

    def places(self) -> torch.Tensor:
        """The number of each element among those of the origin."""
        if self._places is not None:
            return self._places()
        return torch.arange(prod(self.shape), device="cpu").reshape(self.shape)

    def cast(self, dtype: torch.dtype, why: str) -> Value:
        """The same values in another dtype."""
        if dtype == self.dtype:
            return self
        if self.constant is not None:
            return Value(self.shape, dtype, constant=self.constant.to(dtype))
        compute = lambda draws: self.real(draws).to(dtype)  # noqa: E731
        if self.random and (self.law is None or not dtype.is_floating_point):
            return Value(self.shape, dtype, compute, why=self.why or why, inputs=[self])
        return Value(self.shape, dtype, compute, law=self.law, is_eye=self.is_eye, source=self, inputs=[self])

    def spread(self, shape: Any, why: str) -> Value:
        """The same values in a tensor of another shape that they are broadcast to."""
        if tuple(shape) == self.shape:
            return self
        if self.constant is not None:
            return Value(shape, self.dtype, constant=self.constant)
        # Random values that are repeated are not independent any more.
        compute = lambda draws: self.real(draws).expand(tuple(shape))  # noqa: E731
        return Value(shape, self.dtype, compute, why=(self.why or why) if self.random else None, inputs=[self])


def constant(shape: Any, dtype: torch.dtype, number: Any) -> Value:
    """A tensor of one number."""
    return Value(shape, dtype, constant=torch.as_tensor(number, dtype=dtype, device="cpu"))


def real(tensor: torch.Tensor, why: str | None = None) -> Value:
    """The values that a real tensor has now; `why` says what is not understood about them."""
    held = tensor.detach().to("cpu", copy=True)
    return Value(held.shape, held.dtype, None if why else lambda draws: held, why=why)
