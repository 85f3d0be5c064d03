"""Scales: from numbers to places in a picture, ticks, and numbers as text."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, isfinite, log10
from typing import NamedTuple

_DECADES = 8.0
"""Where the greatest number is so many times the least, places are those of logarithms."""


class Scale(NamedTuple):
    """A scale, from `low` at `start` to `high` at `end`."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, number: float) -> float:
        low, high, place = (
            (log10(self.low), log10(self.high), log10(number)) if self.is_log else (self.low, self.high, number)
        )
        return self.start + (place - low) / (high - low) * (self.end - self.start)

    def ticks(self, most: int) -> list[float]:
        """At most so many round numbers, evenly spaced."""
        if self.is_log and self.high / self.low > 100.0:
            first, last = ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9)
            every = max(1, ceil((last - first + 1) / most))
            return [10.0**power for power in range(first, last + 1, every)]
        rough = (self.high - self.low) / most
        unit = 10.0 ** floor(log10(rough))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * (1.0 - 1e-9))
        numbers = (step * place for place in range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1))
        return [number for number in numbers if not self.is_log or number > 0.0]


def fitting(numbers: Iterable[float], start: float, end: float, *, least: float = 0.2) -> Scale:
    """The scale that shows all of these numbers, of which none is negative.

    It spans this share of the greatest at least. Where they differ by much, and none is zero, it is one of logarithms.
    """
    known = [number for number in numbers if isfinite(number)] or [1.0]
    low, high = min(known), max(known) or 1.0
    if low > 0.0 and high / low > _DECADES:
        room = (high / low) ** 0.06
        return Scale(low / room, high * room, start, end, is_log=True)
    middle, reach = (low + high) / 2.0, max((high - low) * 0.6, high * least / 2.0)
    return Scale(max(middle - reach, 0.0), middle + reach, start, end)


def number(value: float | None) -> str:
    """A number in three digits, as a reader has it."""
    if value is None:
        return "\N{EN DASH}"
    mantissa, e, exponent = f"{value:.3g}".partition("e")
    return (mantissa + (f"e{int(exponent)}" if e else "")).replace("-", "\N{MINUS SIGN}")


def sizes(shape: tuple[int, ...]) -> str:
    """A shape, its sizes with a sign of multiplication between them."""
    return "\N{MULTIPLICATION SIGN}".join(map(str, shape)) or "scalar"


def size(nbytes: int) -> str:
    """A number of bytes in its unit."""
    for unit, power in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if nbytes >= power:
            return f"{nbytes / power:.3g} {unit}"
    return f"{nbytes:d} bytes"
