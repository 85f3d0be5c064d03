"""The setting of where values are made: `VARSCALE_DEVICE`."""

from __future__ import annotations

import os

from .._arguments.show import show

VARIABLE = "VARSCALE_DEVICE"


def on_the_host() -> bool:
    """Whether the core makes all values, and devices get copies.

    Raises:
        ValueError: The variable has an illegal value.
    """
    value = os.environ.get(VARIABLE, "")
    if value not in {"", "cpu"}:
        msg = f"`{VARIABLE}` must be 'cpu' or unset, got {show(value)}"
        raise ValueError(msg)
    return value == "cpu"
