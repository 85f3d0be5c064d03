"""The check at first use: a device's own values beside those of the core, before anybody gets any of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import FLOAT_TYPES, FloatType
from .._arguments.parts import Part, indexed_part
from .._arguments.show import show
from .._sources.plan import STANDARD_BOUNDS, Plan
from .._sources.source import Drawn
from .crossing import law_of

Make = Callable[[Drawn, Part], NDArray[Any]]
"""What makes the values of a part as an array of the host, such as `_filling.fill.make`."""

INSTEAD = "the CPU makes them, and they are copied"
"""What becomes of values that a device does not make."""
_IDENTITY = bytes(range(16))
_PLACES = ((0.3, 0.7), (0.0, 1e-5))
"""Means and scales: one product is rounded before it is added to something; one ends in float16's subnormals."""
_PARTS: tuple[tuple[tuple[int, ...], Any], ...] = (((211, 237), ...), ((2**64,), slice(2**40 + 3, 2**40 + 1000)))
_BOUNDS = {"truncated": ((-1.0, 3.0), (-inf, -5.5))}
"""Bounds that lead to all pieces of the inverse."""


class Verdict(NamedTuple):
    """What the check of one law and dtype on a device has found."""

    compared: int
    different: int
    error: str | None = None
    """Why nothing could be compared; None where it was."""


_verdicts: dict[tuple[str, str, str], Verdict] = {}
"""By device, law and dtype. Two threads may check at the same time, and find the same."""


def is_exact(
    device: str,
    law: str,
    kind: FloatType,
    made: Make,
    right: Make,
    passing: tuple[type[Exception], ...] = (),
    instead: str = INSTEAD,
) -> bool:
    """Whether what a device has `made` is what is `right`; at first use some 100,000 values are compared.

    A law has the names that crossings give it. Errors that are `passing`, such as of memory, say nothing of the device:
    they are raised, and the next call looks again. `instead` tells who makes the values otherwise.

    Warns:
        UserWarning: Values differ, or the device makes none; once a device, law and dtype.
    """
    key = device, law, kind.name
    verdict = _verdicts.get(key)
    if verdict is None:
        verdict = _verdicts[key] = _compare(law, kind, made, right, passing)
        reason = verdict.error or f"{verdict.different} of {verdict.compared} differ"
        if verdict.error or verdict.different:
            msg = f"{device} does not make the CPU's values of the law {law} in {kind.name}: {reason}. So {instead}"
            warnings.warn(msg, UserWarning, stacklevel=2)
    return verdict.error is None and not verdict.different


def makes_right(
    device: str,
    source: Drawn,
    made: Make,
    right: Make,
    passing: tuple[type[Exception], ...] = (),
    instead: str = INSTEAD,
) -> bool:
    """Whether a device is exact in the law and the dtype of a source."""
    # What rounds to 16 bits hides most of what float32 arithmetic does, so that is looked at by itself.
    kinds = dict.fromkeys((FLOAT_TYPES[np.dtype(source.kind.value).name], source.kind))
    law = law_of(source.plan)
    return all(is_exact(device, law, kind, made, right, passing, instead) for kind in kinds)


def verdicts(device: str) -> dict[tuple[str, str], Verdict]:
    """What has been found on a device, by law and dtype."""
    return {key[1:]: verdict for key, verdict in sorted(_verdicts.items()) if key[0] == device}


def _compare(law: str, kind: FloatType, made: Make, right: Make, passing: tuple[type[Exception], ...]) -> Verdict:
    bits = np.dtype(f"u{kind.dtype.itemsize}")
    compared = different = 0
    for source, part in _samples(law, kind):
        wanted = right(source, part)
        try:
            found = made(source, part)
        except passing:
            raise
        except Exception as error:  # of the framework's: there is no compiler, or none for this device
            return Verdict(0, 0, show(f"{type(error).__name__}: {error}"))
        compared += wanted.size
        different += int(np.count_nonzero(found.view(bits) != wanted.view(bits)))
    return Verdict(compared, different)


def _samples(law: str, kind: FloatType) -> list[tuple[Drawn, Part]]:
    """Sources of the law, and parts to make of them."""
    name = "truncated_normal" if law == "truncated" else law
    plans = [
        Plan(name, bounds, loc, scale, -inf, inf)
        for bounds in _BOUNDS.get(law, (STANDARD_BOUNDS,))
        for loc, scale in _PLACES
    ]
    return [(Drawn(kind, plan, _IDENTITY), indexed_part(*part)) for plan in plans for part in _PARTS]
