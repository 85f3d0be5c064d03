"""Kernels: which axes of a convolution's weight are its outputs, its inputs and its places, by framework."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

from .checks import word

KernelLayout = Literal["keras", "jax", "torch", "mlx"]
_LAYOUTS: tuple[str, ...] = get_args(KernelLayout)


class KernelAxes(NamedTuple):
    """The axes of a kernel, counted from the front."""

    out: int
    ins: int
    places: tuple[int, ...]


def parse_kernel_layout(layout: Any) -> str | None:
    """The name of a layout; None stays."""
    return None if layout is None else word("layout", layout, _LAYOUTS)


def kernel_axes(layout: str | None, rank: int) -> KernelAxes:
    """The axes of a kernel: torch's starts with (out, in), MLX's has them at both ends, others end with (in, out)."""
    axes = tuple(range(rank))
    if layout == "torch":
        return KernelAxes(0, 1, axes[2:])
    if layout == "mlx":
        return KernelAxes(0, rank - 1, axes[1:-1])
    return KernelAxes(rank - 1, rank - 2, axes[:-2])
