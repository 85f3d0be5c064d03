"""Complex values, exactly: what the parts of each element are made of."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from oracle import reference


def pairs(name: bytes, elements: NDArray[np.uint64], real: type) -> NDArray[Any]:
    """The standard normal values that elements are made of: those of elements 2 i and 2 i + 1, with words 2 i, 2 i + 1.

    Box and Muller's radius is of the first, and their angle of the second.
    """
    both = [reference.normal(name, np.uint64(2) * elements + np.uint64(part), real) for part in (0, 1)]
    return np.stack(both, axis=-1)


def normal(name: bytes, elements: NDArray[np.uint64], real: type, loc: float, scale: float) -> NDArray[Any]:
    """Each part is placed by itself, in the type of the parts: RN(RN(x * scale / sqrt(2)) + loc)."""
    parts = pairs(name, elements, real) * real(scale / 2**0.5)
    parts[:, 0] += real(loc)
    return parts.view(np.complex64 if real is np.float32 else np.complex128)[:, 0]


def modulus(law: str, square: Any) -> Any:
    """The standard modulus of a law, squared, for that of a normal pair: e^(-square / 2) is uniform on (0, 1)."""
    share = mpmath.exp(-square / 2)
    return share if law == "uniform" else -mpmath.log1p(-(1 - mpmath.exp(-4)) * share)


def exact(law: str, pairs: NDArray[np.float64], loc: float, scale: float) -> list[Any]:
    """The values of float64 pairs: their directions with the moduli of the law, in 40 digits."""
    with mpmath.workdps(40):
        found = []
        for x, y in pairs.tolist():
            z = mpmath.mpc(x, y)
            square = z.real**2 + z.imag**2
            found.append(z * mpmath.sqrt(modulus(law, square) / square) * scale + loc)
        return found
