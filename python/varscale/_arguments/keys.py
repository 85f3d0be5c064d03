"""Keys of JAX among arguments, told without JAX: initializers of ours take none, and JAX's libraries give one first."""

from __future__ import annotations

from typing import Any

import numpy as np

from .show import show


def is_key(value: Any, raw: bool = True) -> bool:
    """Whether a value is a key of JAX, traced or not; `raw` says whether a vector of uint32 counts as one."""
    if not type(value).__module__.startswith(("jax.", "jaxlib.")):
        return False
    dtype = getattr(value, "dtype", None)
    if show(dtype).startswith("key<"):
        return True
    return raw and dtype == np.uint32 and value.ndim == 1
