"""The native core: `fill`, and what only it can answer (threads, SIMD level, moments, replays)."""

from collections.abc import Sequence
from typing import Any, SupportsIndex, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DEBUG_BUILD",
    "TorchEnd",
    "__version__",
    "exchange_environment",
    "exchange_num_threads",
    "fill",
    "get_num_threads",
    "libm_is_proven",
    "ln_1p_is_proven",
    "set_num_threads",
    "simd_level",
    "tensorflow_scramble",
    "threefry2x32",
    "truncated_moments",
    "xla_erf",
]

__version__: str
DEBUG_BUILD: bool  # compiled without optimisation

_Plan = tuple[
    str,  # law: "uniform" on (-1, 1), "normal" or "truncated_normal"; torch's streams name their own instead
    tuple[float, float],  # bounds: where "truncated_normal" is cut off, in standard deviations; other laws ignore them
    float,  # loc: added last
    float,  # scale: multiplied first
    float,  # low: the least value
    float,  # high: the greatest value
]
"""A law and where its values go: `x * scale + loc` in [low, high], for x of the law in standard form."""

_Job = tuple[
    NDArray[Any],  # out: aligned and writable, of the element's dtype
    str,  # element: "float16" or "bfloat16" (`out` is then a uint16 view), "float32" or "float64"
    _Plan,  # plan: how a replay reads it is in src/python/replays.rs
    bytes | tuple[str, Any],  # stream: our own one's 16 bytes; or a framework's name, and what its stream needs
    Sequence[int] | None,  # full_shape: of the tensor that `out` is a part of, None for a whole one
    Sequence[tuple[int, int, int] | NDArray[np.uint64]] | None,  # picks: per axis (start, step, count), or its indices
]
"""An array to fill. Named tuples will do; plain ones are made faster."""

def fill(jobs: Sequence[_Job], /) -> None:
    """Fills arrays in one parallel pass, each by its plan with values of its stream.

    The GIL is released; Ctrl-C in the main thread raises KeyboardInterrupt, within some 25 milliseconds as a rule.
    ValueError for a bad value, and where two jobs may share memory; TypeError for an array of another dtype;
    MemoryError where a worker's memory is refused. All jobs are checked before any is begun. That no other call writes
    the arrays meanwhile is the caller's to see to: `_filling.writing.Writing`.
    """

def truncated_moments(lower: float, upper: float, /) -> tuple[float, float]:
    """Mean and standard deviation of the standard normal law on [lower, upper]; ValueError for no interval."""

def exchange_environment(word: int | None = None, /) -> int:
    """Gives this thread the default floating-point environment, or that of `word`; returns the old one's word."""

def libm_is_proven() -> bool:
    """Whether the host's float64 `log` and `sincos` give the bits of glibc 2.28 and later on a processor with FMA."""

def ln_1p_is_proven() -> bool:
    """Whether the host's float64 `log1p` gives the bits of glibc 2.36 on a processor with FMA."""

@final
class TorchEnd:
    """Where torch's generator is after a fill whose job holds this."""

    def __new__(cls) -> TorchEnd: ...
    def get(self) -> tuple[int, int | None]:
        """Words drawn until then, and where those of a kept value began."""

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

def exchange_num_threads(n: SupportsIndex | None, /) -> int | None:
    """Sets how many threads the fills of this Python thread may use, None for the process's number; returns the old."""

def get_num_threads() -> int:
    """How many threads a fill may use: what was set, else `VARSCALE_NUM_THREADS`, else the CPUs allowed."""
