"""The arithmetic of JAX and XLA, which round in a tensor's dtype at every step."""

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
"""The bits that `jax.random.uniform` takes for an element; bfloat16's mantissa needs no more than 8."""
LEAST = {"float16": 0.0, "bfloat16": 2.0**-60, "float32": 2.0**-60, "float64": 2.0**-500}
"""A scale of 0, or of at least this, makes no subnormal number, which XLA would flush to 0."""
_ERF = "763f5c461abc650c"
"""The digest of glibc's `erf` at 4096 points."""


@dataclass(frozen=True)
class Real:
    """The arithmetic of one dtype; under `jit`, XLA computes with constants in advance."""

    kind: FloatType
    jit: bool = False

    def number(self, x: float) -> Any:
        """`x` as `jnp.array(x, dtype)` makes it, rounded once."""
        return self.kind.dtype.type(x)

    def argument(self, x: float) -> Any:
        """`x` as a jitted function takes it: in 16-bit types it is rounded to float32 first."""
        return self.number(x if self.kind.name == "float64" else float(np.float32(x)))

    def root_of_2(self) -> Any:
        """The number that JAX writes as `np.array(np.sqrt(2), dtype)`."""
        return self.number(math.sqrt(2.0))

    def limits(
        self, law: str, bounds: tuple[float, float], uniform: tuple[float, float]
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """The limits of the uniform that a law is made of, and those that a truncated normal law is clipped to."""
        if law == "uniform":
            return uniform, (0.0, 0.0)
        # The inverse error function of -1 is infinite, so that the uniform begins one number above it.
        if law == "normal":
            return (float(np.nextafter(self.number(-1.0), self.number(0.0))), 1.0), (0.0, 0.0)
        return self._truncation(*bounds)

    def _truncation(self, lower: float, upper: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """The limits of a truncated normal law's uniform, and the next numbers inside its bounds."""
        low, high = self.argument(lower), self.argument(upper)
        infinity = self.number(math.inf)
        inside = np.nextafter(low, infinity), np.nextafter(high, -infinity)
        # XLA takes subnormal numbers for 0. Those of float16 are normal in float32, in which it computes them.
        least = float(np.finfo(np.float64 if self.kind.name == "float64" else np.float32).tiny)
        clip = [0.0 if abs(float(x)) < least else float(x) for x in inside]
        return (self._mass(low), self._mass(high)), (clip[0], clip[1])

    def _mass(self, bound: Any) -> float:
        """The uniform's limit for a bound: `erf(bound / sqrt(2))`."""
        if self.kind.name == "bfloat16" or (self.kind.name == "float64" and self.jit):
            quotient = bound / self.root_of_2()
        else:  # XLA multiplies by the reciprocal where it computes in the dtype, and not in advance
            quotient = bound * (self.number(1.0) / self.root_of_2())
        if self.kind.name == "float64":
            return math.erf(quotient)
        return float(self.number(xla_erf(float(quotient))))


def libm_is_proven() -> bool:
    """Whether this machine's C library gives the float64 values that were proven."""
    # A library is known by its values, because a version number may be missing, or patched.
    points = (math.erf((2 * i + 1) / 2048 * 1.1) for i in range(4096))
    digest = blake2b(np.array(list(points)).tobytes(), digest_size=8).hexdigest()
    return digest == _ERF and core_libm_is_proven()
