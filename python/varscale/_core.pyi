"""The native core: `fill`, and what only it can answer (threads, SIMD level, moments, replays)."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DEBUG_BUILD",
    "MAX_THREADS",
    "Tensor",
    "TorchEnd",
    "__version__",
    "exchange_environment",
    "exchange_num_threads",
    "fill",
    "get_num_threads",
    "identity",
    "libm_is_proven",
    "ln_1p_is_proven",
    "make_all",
    "orthogonalize",
    "prefer_huge_pages",
    "set_num_threads",
    "simd_level",
    "survey",
    "tensorflow_scramble",
    "threefry2x32",
    "truncated_masses",
    "truncated_moments",
    "xla_erf",
]

__version__: str
DEBUG_BUILD: bool  # whether it was compiled without optimisation
MAX_THREADS: int  # the most threads that may be asked for

_Plan = tuple[
    str,  # law: "uniform" on (-1, 1), "normal" or "truncated_normal"; torch's streams name their own instead
    tuple[float, float],  # bounds: where "truncated_normal" is cut off, in standard deviations; other laws ignore them
    float,  # loc: added last
    float,  # scale: multiplied first
    float,  # low: the least value
    float,  # high: the greatest value
]
"""A law and its place: values are `x * scale + loc`, kept in [low, high], for x of the law in standard form."""

_Job = tuple[
    NDArray[Any],  # out: aligned and writable, of the element's dtype
    str,  # element: "float32" or "float64"; a smaller dtype, of which `out` is a view as unsigned integers
    _Plan,  # plan: how a replay reads it is in src/python/replays.rs
    bytes | tuple[str, Any],  # stream: the 16 bytes that name our own; or a framework's name, and what its stream needs
    Sequence[int] | None,  # full_shape: of the tensor that `out` is a part of, None for a whole one
    Sequence[tuple[int, int, int] | NDArray[np.uint64]] | None,  # picks: per axis (start, step, count), or its indices
]
"""An array to fill. Named tuples will do, but plain ones are faster."""

def fill(jobs: Sequence[_Job], /) -> None:
    """Fills arrays in one parallel pass, each by its plan with values of its stream.

    The GIL is released, and Ctrl-C in the main thread is answered within some 25 milliseconds as a rule. All jobs are
    checked before any is begun. The caller keeps other calls from writing the arrays, by `_filling.writing.Writing`.

    Raises:
        TypeError: An array has another dtype than its job says.
        ValueError: A job holds an illegal value, or two jobs may share memory.
        MemoryError: The system refuses the memory of a worker.
        KeyboardInterrupt: Ctrl-C was pressed.
    """

@final
class Tensor:
    """A whole tensor of the native stream that has at most 2^16 elements, and all of which is known but its stream."""

    def __new__(cls, shape: tuple[int, ...], dtype: np.dtype[Any], element: str, plan: _Plan, /) -> Tensor: ...
    def __call__(self, identity: bytes, /) -> NDArray[Any]:
        """A new array of this stream."""
    def fill(self, identity: bytes, out: NDArray[Any], /) -> bool:
        """Fills `out` if it is aligned, writable, in C order, and of the tensor's shape and dtype; says whether it is.

        The caller keeps other calls from writing it, by `_filling.writing.Writing`.
        """

def make_all(fields: bytes, tensors: dict[str, Tensor], /) -> dict[str, NDArray[Any]]:
    """Makes tensors in one parallel pass, each of the stream that `fields` name with the tensor's name behind them.

    The GIL and Ctrl-C are as in `fill`.
    """

def identity(fields: bytes, /) -> bytes:
    """The 16 bytes that name the stream of these fields, which `_sources.identity` writes."""

def truncated_masses(lower: float, upper: float, /) -> tuple[list[float], list[float]]:
    """The masses of the standard normal law below `lower` and `upper`, and those above them, each rounded once.

    Raises:
        ValueError: The bounds are no interval, or the mass between them underflows.
    """

def truncated_moments(lower: float, upper: float, /) -> tuple[float, float]:
    """The mean and the standard deviation of the standard normal law on [lower, upper].

    Raises:
        ValueError: The bounds are no interval, or the mass between them underflows.
    """

def exchange_environment(word: int | None = None, /) -> int:
    """Gives this thread the default floating-point environment, or that of `word`, and returns the old one's word."""

def orthogonalize(matrices: NDArray[np.float32] | NDArray[np.float64], gain: float, /) -> None:
    """Replaces each of the matrices, shape (count, rows, columns), by `gain` times the Q of its QR factorization.

    R's diagonal is positive. The array is in C order. The caller keeps other calls from writing it, by
    `_filling.writing.Writing`; the GIL and Ctrl-C are as in `fill`.

    Raises:
        ValueError: The array is in another order, or a matrix has fewer rows than columns.
        MemoryError: The system refuses as much memory again.
        KeyboardInterrupt: Ctrl-C was pressed.
    """

def prefer_huge_pages(address: int, nbytes: int, /) -> None:
    """Asks the system for huge pages in memory that nobody has written to yet; less than 4 MiB is left alone."""

def survey(
    data: NDArray[np.uint8], stored: str, bins: NDArray[np.uint32], /
) -> tuple[int, float, float, float, float, int]:
    """Counts the numbers in `data` by their upper 16 bits into `bins`, of 65536 elements and fewer than 2**32 numbers.

    `stored` is what they are: "float32"; "float64", which are counted as the nearest float32; "bits16", or "bits8", of
    which the lowest bins hold all. The GIL is released.

    Returns:
        Of float32 and float64: how many are finite, their least and greatest, their mean, the sum of their squared
        distances from it, and how many are NaN. Of bits: those of no numbers.

    Raises:
        ValueError: `stored` is another word, `data` is cut short, or an array is not as described.
    """

def libm_is_proven() -> bool:
    """Whether the host's float64 `log` and `sincos` give the bits of glibc 2.28 and later on a processor with FMA."""

def ln_1p_is_proven() -> bool:
    """Whether the host's float64 `log1p` gives the bits of glibc 2.36 on a processor with FMA."""

@final
class TorchEnd:
    """The place of torch's generator after a fill whose job holds this object."""

    def __new__(cls) -> TorchEnd: ...
    def get(self) -> tuple[int, int | None]:
        """The number of words drawn by then, and of those before the pair of a kept value."""

def tensorflow_scramble(first: int, second: int, /) -> tuple[int, int]:
    """The key and the counter's high half of a TensorFlow op with this pair of 64-bit seeds."""

def threefry2x32(key: Sequence[int], counter: Sequence[int], /) -> list[int]:
    """Both words of Threefry2x32-20 for a key and a counter of two 32-bit words each."""

def xla_erf(x: float, /) -> float:
    """XLA's error function in float32, as jaxlib 0.10 computes it on a processor with fused multiply-add."""

def simd_level() -> str:
    """The SIMD level of this process: the one that `VARSCALE_SIMD` names, else the best of this machine."""

def set_num_threads(n: int, /) -> None:
    """Sets how many threads a fill may use, from 1 to `MAX_THREADS`."""

def exchange_num_threads(n: int | None, /) -> int | None:
    """Sets how many threads the fills of this Python thread may use, and returns the old number.

    None stands for the number of the whole process.
    """

def get_num_threads() -> int:
    """The number of threads that a fill may use: the one set, else `VARSCALE_NUM_THREADS`, else the CPUs allowed."""
