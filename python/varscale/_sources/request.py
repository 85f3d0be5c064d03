"""Requests: what a random initializer asks of a seed, in the user's own terms."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from .._arguments.dtypes import FloatType
from .._arguments.fans import Axes
from .._arguments.parts import Part
from .plan import Plan

Self = TypeVar("Self", bound="HasLaw")


class Variance(NamedTuple):
    """Of values with variance `scale / n`."""

    scale: float
    mode: str
    fan_in: int
    fan_out: int
    axes: tuple[Axes, Axes, Axes]
    """The input's, the output's and the batch's."""


class Normal(NamedTuple):
    """Of normal values, before truncation."""

    mean: float
    stddev: float


class Interval(NamedTuple):
    """Of uniform values."""

    minval: float
    maxval: float


class Law(NamedTuple):
    """What a tensor of one shape is to hold; nothing is rounded or divided yet."""

    name: str
    """"uniform", "normal" or "truncated_normal"."""
    parameters: Variance | Normal | Interval
    bounds: tuple[float, float] = (-2.0, 2.0)
    """Of a truncated normal law, in standard deviations."""


class Request(NamedTuple):
    """A law, the dtype, and the part of the tensor."""

    law: Law
    kind: FloatType
    part: Part


@runtime_checkable
class HasLaw(Protocol):
    """A random initializer, as the seeds know it."""

    @property
    def seed(self) -> Any:
        """An integer, what stands in its place, or None."""

    @property
    def _path(self) -> tuple[int | str, ...]:
        """What was folded in."""

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        """What a tensor of this shape is to hold: for seeds that have an arithmetic of their own."""

    def _remembered_plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        """The same as a plan for the core: for native seeds."""

    def _with_seed(self: Self, seed: Any) -> Self:
        """The same initializer with another seed."""

    def __call__(self, shape: Any, dtype: Any = None, *, out: Any = None) -> Any:
        """Makes a tensor."""
