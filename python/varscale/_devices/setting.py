"""The setting of where values are made: `VARSCALE_DEVICE`."""

from __future__ import annotations

import os

from .._arguments.show import show

VARIABLE = "VARSCALE_DEVICE"


_INTERPRETED = "interpreted"
"""For tests: Triton's kernels fill tensors of the CPU too. Its interpreter is chosen by `TRITON_INTERPRET=1`."""


def on_the_host() -> bool:
    """Whether the core makes all drawn values, and devices get copies.

    Raises:
        ValueError: The variable has an illegal value.
    """
    value = os.environ.get(VARIABLE, "")
    if value not in {"", "cpu", _INTERPRETED}:
        msg = f"`{VARIABLE}` must be 'cpu' or unset, got {show(value)}"
        raise ValueError(msg)
    return value == "cpu"


def is_interpreted() -> bool:
    """Whether kernels fill tensors of the CPU too, by Triton's interpreter."""
    return os.environ.get(VARIABLE) == _INTERPRETED
