"""Launches: what all kernels take, and how they are started."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import torch
import triton

from ..crossing import Crossing, Lattice
from .quotients import SIZE, WORDS, quotients_kernel
from .rows import per_block

INTERPRETED = bool(triton.knobs.runtime.interpret)
"""Whether Triton interprets its kernels, on CPU tensors."""
FUSION = False
"""Whether a product and a sum may be rounded once: then the bits are others."""
_kept: dict[Any, Any] = {}
"""Compiled kernels, by all that they depend on: Triton's own launcher reads every argument again at each call."""


class Fill(NamedTuple):
    """A tensor, and what the elements of a lattice in it get."""

    out: torch.Tensor
    crossing: Crossing
    lattice: Lattice

    def address(self) -> int:
        """Where the first element of the lattice lies."""
        return int(self.out.data_ptr()) + self.lattice.offset * int(self.out.itemsize)

    def per_block(self) -> int:
        """How many elements a block of the stream makes."""
        return per_block(self.out.itemsize)

    def constants(self) -> tuple[Any, ...]:
        """What every kernel is compiled for: the law and the arithmetic."""
        law, wide = self.crossing.law, self.out.itemsize == 8
        # The interpreter's `fma` rounds twice.
        fma = self.crossing.is_a_quotient(wide) and not INTERPRETED and are_exact(self.out.device)
        return law, wide, fma, INTERPRETED, self.crossing.is_kept_from_zero(wide)

    def launch(self, kernel: Any, grid: tuple[int, ...], numbers: tuple[int, ...], constants: Any, warps: int) -> None:
        """Starts a kernel that fills the lattice."""
        out, offset = self.out, self.lattice.offset
        if offset:
            out = torch.as_strided(out, (1,), (1,), out.storage_offset() + offset)
        constants = (*self.constants(), *constants)
        depends = (out.dtype, out.data_ptr() % 16 == 0, out.device, constants)
        start(kernel, grid, (out, *self.crossing.numbers(), *numbers, *constants), warps, depends)


@cache
def are_exact(device: Any) -> bool:
    """Whether the faster quotient is right for every value of the law on a device, which must be the current one.

    It begins with `rsqrt`, of which each kind of GPU has its own approximation. All quotients are tried, once.
    """
    differing = torch.zeros(1, dtype=torch.int32, device=device)
    quotients_kernel[(WORDS // SIZE,)](differing, SIZE, enable_fp_fusion=False)
    return not differing.item()


def start(kernel: Any, grid: tuple[int, ...], arguments: tuple[Any, ...], warps: int, depends: Any) -> None:
    """Starts a kernel on the current stream of the current device; it is compiled once for all that it depends on."""
    key = (kernel, warps, FUSION, depends)
    compiled = _kept.get(key)
    # On AMD a kernel also depends on how much memory lies behind a pointer, which Triton itself looks at.
    if compiled is None or torch.version.hip:
        _kept[key] = kernel[grid](*arguments, num_warps=warps, enable_fp_fusion=FUSION)
    else:
        compiled[(*grid, 1, 1)[:3]](*arguments)
