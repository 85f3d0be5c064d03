"""Numbers as JAX and XLA round them: in a tensor's dtype, step by step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from .._arguments.dtypes import FloatType
from .._core import libm_is_proven as core_libm_is_proven
from .._core import xla_erf

BITS = {"float16": 16, "bfloat16": 8, "float32": 32, "float64": 64}
"""What `jax.random.uniform` takes for an element; bfloat16's mantissa needs no more than 8."""
LEAST = {"float16": 0.0, "bfloat16": 2.0**-60, "float32": 2.0**-60, "float64": 2.0**-500}
"""Scales that are 0, or not less than this, make no subnormal number, which XLA would flush to 0."""
_ERF = "763f5c461abc650c"
"""Digest of glibc's `erf` at 4096 points."""


@dataclass(frozen=True)
class Real:
    """The arithmetic of one dtype, and whether constants are folded because the initializer runs under `jit`."""

    kind: FloatType
    jit: bool = False

    def number(self, x: float) -> Any:
        """`x` as `jnp.array(x, dtype)` has it: rounded once."""
        return self.kind.dtype.type(x)

    def argument(self, x: float) -> Any:
        """`x` as a function under `jit` takes it: 16-bit types by way of float32."""
        return self.number(x if self.kind.name == "float64" else float(np.float32(x)))

    def root_of_2(self) -> Any:
        """`np.array(np.sqrt(2), dtype)`."""
        return self.number(math.sqrt(2.0))

    def limits(
        self, law: str, bounds: tuple[float, float], uniform: tuple[float, float]
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """Between what the law's uniform is drawn, and what a truncated normal law is clipped to."""
        if law == "uniform":
            return uniform, (0.0, 0.0)
        if law == "normal":
            return (float(np.nextafter(self.number(-1.0), self.number(0.0))), 1.0), (0.0, 0.0)
        return self._truncation(*bounds)

    def _truncation(self, lower: float, upper: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """The uniform of a truncated normal law, and the next numbers inside its bounds."""
        low, high = self.argument(lower), self.argument(upper)
        infinity = self.number(math.inf)
        inside = np.nextafter(low, infinity), np.nextafter(high, -infinity)
        # XLA takes subnormal numbers for 0; float16 is computed in float32, where it has none.
        least = float(np.finfo(np.float64 if self.kind.name == "float64" else np.float32).tiny)
        clip = [0.0 if abs(float(x)) < least else float(x) for x in inside]
        return (self._mass(low), self._mass(high)), (clip[0], clip[1])

    def _mass(self, bound: Any) -> float:
        """`erf(bound / sqrt2)`."""
        if self.kind.name == "bfloat16" or (self.kind.name == "float64" and self.jit):
            quotient = bound / self.root_of_2()
        else:  # XLA multiplies, where it computes in the dtype itself and has not folded constants before
            quotient = bound * (self.number(1.0) / self.root_of_2())
        if self.kind.name == "float64":
            return math.erf(quotient)
        return float(self.number(xla_erf(float(quotient))))


def libm_is_proven() -> bool:
    """Whether this machine's C library is the one that float64 values were proven with."""
    points = (math.erf((2 * i + 1) / 2048 * 1.1) for i in range(4096))
    digest = blake2b(np.array(list(points)).tobytes(), digest_size=8).hexdigest()
    return digest == _ERF and core_libm_is_proven()
