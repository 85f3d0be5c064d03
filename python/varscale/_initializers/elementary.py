"""Exponentials and logarithms that are the same bits on every machine.

They are made of the four operations of arithmetic on float64, and of steps that are exact: rounding to an integer, and
scaling by a power of two. The C library's functions, which NumPy's use, differ between machines.
"""

from __future__ import annotations

from decimal import Context, Decimal
from math import factorial, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_EXACT = Context(prec=60)
_LN2 = Decimal(2).ln(_EXACT)
_HIGH = float(np.float64(np.float32(_LN2)))
"""The first 24 bits of ln 2, so that small multiples of it are exact."""
_LOW = float(_EXACT.subtract(_LN2, Decimal(_HIGH)))
_EXPONENTIAL = tuple(1.0 / factorial(n) for n in range(1, 16))
"""Taylor's coefficients of (e^x - 1): for |x| <= ln(2) / 2 the terms behind them are less than 2^-66 of the sum."""
_LOGARITHM = tuple(2.0 / n for n in range(1, 26, 2))
"""Those of ln((1 + s) / (1 - s)) in odd powers of s: for |s| <= 0.1716 the terms behind are less than 2^-68 of it."""


def ln(number: float) -> float:
    """The logarithm of a positive number, correctly rounded."""
    return float(Decimal(number).ln(_EXACT))


def _polynomial(x: Values, coefficients: tuple[float, ...]) -> Values:
    """The polynomial in x, from its lowest coefficient to the highest, by Horner's rule."""
    total: Any = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total  # type: ignore[no-any-return]


def exp(x: Values) -> Values:
    """e^x for finite x whose result is a normal number, within 2 units in the last place."""
    count = np.rint(x / float(_LN2))
    rest = (x - count * _HIGH) - count * _LOW
    return np.ldexp(1.0 + rest * _polynomial(rest, _EXPONENTIAL), count.astype(np.int32))


def log(x: Values) -> Values:
    """The natural logarithm of positive normal numbers, within 3 units in the last place."""
    fraction, exponent = np.frexp(x)
    low = fraction < sqrt(0.5)
    fraction, exponent = np.where(low, fraction * 2.0, fraction), (exponent - low).astype(np.float64)
    s = (fraction - 1.0) / (fraction + 1.0)
    return exponent * _HIGH + (s * _polynomial(s * s, _LOGARITHM) + exponent * _LOW)


def minus_log_1m(x: Values) -> Values:
    """-ln(1 - x) for x in [0, 1) but for subnormal ones, within 2^-50 of it."""
    small = np.minimum(x, 0.25)
    s = small / (2.0 - small)
    return np.where(x < 0.25, s * _polynomial(s * s, _LOGARITHM), -log(1.0 - np.maximum(x, 0.25)))


def inverse_softplus(x: Values) -> Values:
    """ln(e^x - 1) for positive x, within 2^-51 of it or of 1: the number whose softplus is x."""
    small = np.minimum(x, 0.34)
    large = np.maximum(x, 0.34)
    # Where x is small, e^x - 1 is summed as it is; elsewhere ln(e^x - 1) is x + ln(1 - e^-x).
    return np.where(x < 0.34, log(small * _polynomial(small, _EXPONENTIAL)), large + log(1.0 - exp(-large)))
