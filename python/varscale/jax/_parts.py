"""Parts of tensors in traced programs, whose indices may be traced too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from .._arguments.parts import WHOLE, Part, indexed_part
from .._arguments.show import show
from .._devices.jnp.values import Axis


def parse_part(full: tuple[int, ...], part: Any) -> tuple[Part, Sequence[Axis], bool]:
    """The part of a tensor that an index names, the indices of its axes, and whether some are traced.

    Raises:
        IndexError: NumPy would refuse the index, it holds a mask or None, or a traced entry that is no 1-D array of
            integers.
    """
    entries = part if isinstance(part, tuple) else (WHOLE if part is None else part,)
    unknown = {at: entry for at, entry in enumerate(entries) if isinstance(entry, jax.core.Tracer)}
    for entry in unknown.values():
        if entry.ndim != 1 or entry.dtype.kind not in "iu":
            msg = f"`part` must hold traced entries that are 1-D arrays of integers, got {show(entry)}"
            raise IndexError(msg)
    # Zeros stand in their places while the index is read. Nobody can check that they lie inside.
    found = indexed_part(
        full,
        tuple(np.zeros(entry.shape[0], np.int64) if at in unknown else entry for at, entry in enumerate(entries)),
    )
    axes: list[Axis] = [*found.axes()]
    rest = next((at for at, entry in enumerate(entries) if entry is Ellipsis), len(entries))
    for at, entry in unknown.items():
        axes[at if at < rest else at - len(entries)] = entry
    return found, axes, bool(unknown)
