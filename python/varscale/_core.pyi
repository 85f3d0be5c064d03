"""The native core: one function fills, two count threads, one knows the truncated normal's moments."""

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DEBUG_BUILD",
    "__version__",
    "exchange_environment",
    "fill",
    "get_num_threads",
    "libm_is_proven",
    "set_num_threads",
    "simd_level",
    "tensorflow_scramble",
    "threefry2x32",
    "truncated_moments",
    "xla_erf",
]

__version__: str
DEBUG_BUILD: bool  # compiled without optimisation

_Job = tuple[
    NDArray[Any],  # out
    str,  # element: "float16" or "bfloat16" (out is then a uint16 view), "float32" or "float64"
    str,  # law: "uniform" on (-1, 1), "normal", or "truncated_normal" on the bounds
    tuple[float, float],  # bounds
    float,  # loc
    float,  # scale
    float,  # low
    float,  # high
    bytes
    | tuple[str, Any],  # stream: the native one's 16 bytes, or a framework's name and what src/replay/border.rs reads
    Sequence[int] | None,  # full shape: of the tensor that out is a part of
    Sequence[tuple[int, int, int] | NDArray[np.uint64]] | None,  # picks: one an axis, (start, step, count) or a list
]

def fill(jobs: Sequence[_Job], /) -> None:
    """Fills arrays in one parallel pass: each with its law in standard form, times `scale`, plus `loc`, in [low, high].

    The GIL is released; Ctrl-C in the main thread raises KeyboardInterrupt within some ten milliseconds.
    ValueError for a bad value, and where two jobs share memory; TypeError for an array of another dtype. All jobs are
    checked before any is begun.
    """

def truncated_moments(lower: float, upper: float, /) -> tuple[float, float]:
    """Mean and standard deviation of the standard normal law on [lower, upper]; ValueError for no interval."""

def exchange_environment(word: int | None = None, /) -> int:
    """Gives this thread the default floating-point environment, or that of `word`; returns the old one's word."""

def libm_is_proven() -> bool:
    """Whether the host's float64 `log` and `sincos` give the bits of glibc 2.28 and later on a processor with FMA."""

def tensorflow_scramble(first: int, second: int, /) -> tuple[int, int]:
    """Key and counter's high half of a TensorFlow op with this pair of 64-bit seeds."""

def threefry2x32(key: Sequence[int], counter: Sequence[int], /) -> list[int]:
    """Both words of Threefry2x32-20 for a key and a counter of two 32-bit words each."""

def xla_erf(x: float, /) -> float:
    """XLA's error function in float32, as jaxlib 0.10 computes it on a processor with fused multiply-add."""

def simd_level() -> str:
    """The SIMD level of this process: what `VARSCALE_SIMD` says, else the best this machine has."""

def set_num_threads(n: SupportsIndex, /) -> None:
    """Sets how many threads a fill may use: 1 to 1024, else ValueError."""

def get_num_threads() -> int:
    """How many threads a fill may use: as set, else `VARSCALE_NUM_THREADS`, else the CPUs this process may use."""
