"""64 bits: JAX has them where it is told so."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from .._arguments.show import show


def check_bits(dtype: np.dtype[Any]) -> None:
    """Raises ValueError for a dtype of 64 bits that JAX would cut to 32 without an error."""
    if dtype.itemsize // (1 + (dtype.kind == "c")) == 8 and not jax.config.jax_enable_x64:
        msg = f"`dtype` must have at most 32 bits while `jax_enable_x64` is off, got {show(dtype.name)}"
        raise ValueError(msg)
