"""The native core: one function fills, two count threads, one knows the truncated normal's moments."""

from collections.abc import Sequence
from typing import Any, SupportsIndex

from numpy.typing import NDArray

__all__ = ["__version__", "fill", "get_num_threads", "set_num_threads", "truncated_moments"]

__version__: str

def fill(
    out: NDArray[Any],
    element: str,
    law: str,
    bounds: tuple[float, float],
    loc: float,
    scale: float,
    low: float,
    high: float,
    identity: bytes,
    full_shape: Sequence[int] | None,
    offset: Sequence[int] | None,
    /,
) -> None:
    """Fills the C-contiguous array `out` with `law` in standard form, times `scale`, plus `loc`, kept in [low, high].

    `element` is "float16" or "bfloat16" (`out` is then a uint16 view), "float32" or "float64"; `law` is "uniform" on
    (-1, 1), "normal", or "truncated_normal" on `bounds`. With `full_shape` and `offset`, `out` is that part of a larger
    tensor. ValueError for what is not so; TypeError for an array of another dtype.
    """

def truncated_moments(lower: float, upper: float, /) -> tuple[float, float]:
    """Mean and standard deviation of the standard normal law on [lower, upper]; ValueError for no interval."""

def set_num_threads(n: SupportsIndex, /) -> None:
    """Sets how many threads a fill may use: 1 to 1024, else ValueError."""

def get_num_threads() -> int:
    """How many threads a fill may use: as set, else `VARSCALE_NUM_THREADS`, else the CPUs this process may use."""
