"""Requests: what a random initializer asks of a stream that replays a framework's, in the user's own terms."""

from __future__ import annotations

from typing import NamedTuple

from .._arguments.dtypes import FloatType
from .._arguments.fans import Axes
from .._arguments.parts import Part


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
