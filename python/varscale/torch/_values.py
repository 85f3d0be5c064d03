"""Values: what a tensor was given while a network was built, as a law, as a constant, or to be computed when needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._engines import missing
from ._laws import Law

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


def each(function: Callable[[Any], Any], kind: type, arguments: Any) -> Any:
    """An operation's arguments, with what a function makes of those of a kind; torch nests them in lists only."""
    if isinstance(arguments, kind):
        return function(arguments)
    if isinstance(arguments, list | tuple):
        return type(arguments)([each(function, kind, argument) for argument in arguments])
    if isinstance(arguments, dict):
        return {name: each(function, kind, argument) for name, argument in arguments.items()}
    return arguments


def leaves(kind: type, arguments: Any) -> list[Any]:
    """The arguments of a kind, in order."""
    found: list[Any] = []
    each(found.append, kind, arguments)
    return found


Draw = Callable[["Value"], Any]
"""What makes a real tensor of a random value; it raises where nothing random can be had."""


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
        why: The operation that made of random values something that is not understood.
        chain: The value that this one is a function of, element by element, with the functions' names.
        is_eye: Whether it is a matrix with ones on its diagonal, and zeros elsewhere.
    """

    __slots__ = ("_compute", "_known", "chain", "constant", "dtype", "is_eye", "law", "random", "shape", "why")

    def __init__(
        self,
        shape: Any,
        dtype: torch.dtype,
        compute: Callable[[Draw | None], torch.Tensor] | None = None,
        *,
        law: Law | None = None,
        constant: torch.Tensor | None = None,
        why: str | None = None,
        chain: Chain | None = None,
        is_eye: bool = False,
    ) -> None:
        self.shape, self.dtype = tuple(shape), dtype
        self.law, self.constant, self.why = law, constant, why
        self.random = law is not None or why is not None
        self.chain = chain or (self, ())
        self.is_eye = is_eye
        self._compute = compute
        self._known: torch.Tensor | None = None

    def real(self, draw: Draw | None = None) -> torch.Tensor:
        """The values, computed on the CPU. Nobody may write to them.

        Args:
            draw: What makes the random values that these depend on.
        """
        if self.constant is not None:
            return self.constant.expand(self.shape)
        if self._known is None:
            if self.random and draw is None:
                msg = f"`net_or_factory` must not look at random values while it builds, got {self.why or self.law}"
                raise ValueError(msg)
            if draw is not None and (self.law is not None or self._compute is None):
                self._known = draw(self)
            else:
                assert self._compute is not None
                self._known = self._compute(draw)
        return self._known

    def cast(self, dtype: torch.dtype, why: str) -> Value:
        """The same values in another dtype."""
        if dtype == self.dtype:
            return self
        if self.constant is not None:
            return Value(self.shape, dtype, constant=self.constant.to(dtype))
        compute = lambda draw: self.real(draw).to(dtype)  # noqa: E731
        if self.random and (self.law is None or not dtype.is_floating_point):
            return Value(self.shape, dtype, compute, why=self.why or why)
        return Value(self.shape, dtype, compute, law=self.law, is_eye=self.is_eye)

    def spread(self, shape: Any, why: str) -> Value:
        """The same values in a tensor of another shape that they are broadcast to."""
        if tuple(shape) == self.shape:
            return self
        if self.constant is not None:
            return Value(shape, self.dtype, constant=self.constant)
        # Random values that are repeated are not independent any more.
        compute = lambda draw: self.real(draw).expand(tuple(shape))  # noqa: E731
        return Value(shape, self.dtype, compute, why=(self.why or why) if self.random else None)


def constant(shape: Any, dtype: torch.dtype, number: Any) -> Value:
    """A tensor of one number."""
    return Value(shape, dtype, constant=torch.as_tensor(number, dtype=dtype, device="cpu"))


def real(tensor: torch.Tensor, why: str | None = None) -> Value:
    """The values that a real tensor has now; `why` says what is not understood about them."""
    held = tensor.detach().to("cpu", copy=True)
    return Value(held.shape, held.dtype, None if why else lambda draw: held, why=why)
