"""Requests: what a random initializer asks of a seed, in the user's own terms."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from .._arguments.dtypes import FloatType
from .._arguments.fans import Axes
from .._arguments.parts import Part
from .plan import Plan

Self = TypeVar("Self", bound="HasLaw")


class Variance(NamedTuple):
    """The parameters of a law with variance `scale / n`."""

    scale: float
    mode: str
    fan_in: float
    fan_out: float
    axes: tuple[Axes, Axes, Axes]
    """The input axes, the output axes and the batch axes; fans that are given by hand are not theirs."""


class Normal(NamedTuple):
    """The parameters of a normal law, before truncation."""

    mean: float
    stddev: float


class Interval(NamedTuple):
    """The ends of a uniform law."""

    minval: float
    maxval: float


LAWS = ("uniform", "normal", "truncated_normal")
"""The laws that replays know; a replay refuses any other."""


class Law(NamedTuple):
    """The law of a tensor of one shape in the user's numbers; nothing is rounded or divided yet."""

    name: str
    """One of `LAWS`."""
    parameters: Variance | Normal | Interval
    bounds: tuple[float, float] = (-2.0, 2.0)
    """The bounds of a truncated normal law, in standard deviations from its mean."""


class Request(NamedTuple):
    """A part of a tensor that is to be filled: its law, its dtype, and which part it is."""

    law: Law
    kind: FloatType
    part: Part


@runtime_checkable
class HasLaw(Protocol):
    """A random initializer, as the seeds know it."""

    @property
    def seed(self) -> Any:
        """An integer, a replay in its place, or None."""

    @property
    def _path(self) -> tuple[int | str, ...]:
        """The path that was folded in."""

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        """The law of a tensor of this shape, for seeds that have an arithmetic of their own."""

    def _remembered_plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        """The law as a plan for the core, for native seeds."""

    def _with_seed(self: Self, seed: Any) -> Self:
        """The same initializer with another seed."""

    def __call__(self, shape: Any, dtype: Any = None, *, out: Any = None) -> Any:
        """Makes a tensor."""
