"""The check at first use: a device's own values, beside those of the core, before anybody gets any of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import FloatType
from .._arguments.parts import Part, indexed_part
from .._arguments.show import show
from .._filling.fill import make
from .._sources.plan import STANDARD_BOUNDS, Plan
from .._sources.source import Drawn

COUNT = 100_000
"""How many values are compared."""
_IDENTITY = bytes(range(16))
_BOUNDS = {"truncated": ((-1.0, 3.0), (-inf, -5.5))}
"""Bounds that reach all pieces of the inverse."""


class Verdict(NamedTuple):
    """What the check of one law and dtype on a device found."""

    compared: int
    different: int
    error: str | None = None
    """Why nothing could be compared; None where it was."""


_verdicts: dict[tuple[str, str, str], Verdict] = {}
"""By device, law and dtype. Two threads may check at the same time, and find the same."""


def is_exact(device: str, law: str, kind: FloatType, device_values: Callable[[Drawn, Part], NDArray[Any]]) -> bool:
    """Whether a device makes the core's bits; found out once a device, law and dtype.

    Args:
        device: What users call it.
        law: One of `crossing.LAWS`.
        kind: The dtype.
        device_values: Makes the values of a source and part there, and brings them back.

    Warns:
        UserWarning: Values differ, or the device makes none.
    """
    key = device, law, kind.name
    verdict = _verdicts.get(key)
    if verdict is None:
        verdict = _verdicts[key] = _compare(law, kind, device_values)
        found = verdict.error or (verdict.different and f"{verdict.different} of {verdict.compared} values are others")
        if found:
            msg = (
                f"{device} does not make the CPU's bits of the law {law} in {kind.name} ({found}): from now on the CPU "
                "makes them, and they are copied"
            )
            warnings.warn(msg, UserWarning, stacklevel=2)
    return verdict.error is None and not verdict.different


def verdicts(device: str) -> dict[tuple[str, str], Verdict]:
    """What has been found on a device, by law and dtype."""
    return {key[1:]: verdict for key, verdict in sorted(_verdicts.items()) if key[0] == device}


def _compare(law: str, kind: FloatType, device_values: Callable[[Drawn, Part], NDArray[Any]]) -> Verdict:
    bits = np.dtype(f"u{kind.dtype.itemsize}")
    compared = different = 0
    for source, part in _cases(law, kind):
        right = make(source, part)
        try:
            found = device_values(source, part)
        except Exception as error:  # of the framework's: there is no compiler, or none for this device
            return Verdict(0, 0, show(f"{type(error).__name__}: {error}"))
        compared += right.size
        different += int(np.count_nonzero(right.view(bits) != found.view(bits)))
    return Verdict(compared, different)


def _cases(law: str, kind: FloatType) -> list[tuple[Drawn, Part]]:
    """Values with a `loc`, without which some products have no sum to be fused with, from an odd number past 2^32."""
    all_bounds = _BOUNDS.get(law, (STANDARD_BOUNDS,))
    name = "truncated_normal" if law == "truncated" else law
    first, count = 2**34 + 3, COUNT // len(all_bounds)
    part = indexed_part((2**64,), slice(first, first + count))
    return [(Drawn(kind, Plan(name, bounds, 0.3, 0.7, -inf, inf), _IDENTITY), part) for bounds in all_bounds]
