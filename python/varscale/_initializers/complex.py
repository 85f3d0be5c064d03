"""Complex values: the parts of an element are a pair of the real normal law, whose modulus other laws replace."""

from __future__ import annotations

from functools import partial
from math import inf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import FLOAT_TYPES, FloatType
from .._arguments.parts import Part, check_elements
from .._arguments.shapes import parse_shape
from .._core import orthogonalize
from .._filling.arrays import new_array
from .._filling.assign import assign
from .._filling.fill import fill
from .._sources.environment import in_default_environment
from .._sources.plan import STANDARD_BOUNDS, Plan
from .._sources.source import Drawn, Written
from .elementary import exp, minus_log_1m

_MASS = 0.9816843611112658
"""1 - e^-4: the share of complex normal values of variance 1 whose modulus is below 2."""
_MOST = 1 << 13
"""The elements of a slab, whose numbers stay in the cache."""


def complex_source(drawn: Drawn, part: Part) -> Written:
    """The source of complex values that have this plan, and whose parts have this stream.

    Raises:
        ValueError: The tensor has too many axes or parts.
    """
    check_elements(parse_shape((*part.full_shape, 2)))  # its last axis has the two parts
    return Written(drawn.dtype, partial(write_complex, drawn))


def write_complex(drawn: Drawn, array: NDArray[Any], part: Part) -> None:
    """Draws complex values of the law normal, of variance 1 before they are scaled, or of one with its directions."""
    plan, kind = drawn.plan, drawn.kind
    assert kind.part is not None
    if plan.law == "normal":
        _fill_parts(array, part, drawn, kind.part, plan.scale / sqrt(2.0))
        if plan.loc:
            in_default_environment(_shift, array, kind.value(plan.loc))
        return
    values = new_array(part.shape, np.dtype(np.complex128))
    _fill_parts(values, part, drawn, FLOAT_TYPES["float64"], 1.0)
    pairs = values.reshape(-1, 1).view(np.float64)
    for start in range(0, len(pairs), _MOST):
        in_default_environment(_place, pairs[start : start + _MOST], plan)
    in_default_environment(assign, array, values)


def make_unitary(drawn: Drawn, matrices: NDArray[Any], gain: float) -> None:
    """Makes `gain` times the Q of complex normal matrices, shape (count, rows, columns); R's diagonal is positive."""
    write_complex(drawn, matrices, Part(matrices.shape, matrices.shape))
    count, rows, columns = matrices.shape
    # With [[re, -im], [im, re]] for each element, the factors of the real matrix are those of the complex one.
    real = new_array((count, 2 * rows, 2 * columns), matrices.real.dtype)
    blocks = real.reshape(count, rows, 2, columns, 2)
    blocks[:, :, 0, :, 0] = blocks[:, :, 1, :, 1] = matrices.real
    blocks[:, :, 1, :, 0] = matrices.imag
    blocks[:, :, 0, :, 1] = -matrices.imag
    orthogonalize(real, gain)
    # Where R's diagonal is small, roundings make both copies differ. Their means are unitary, but for the squares.
    matrices.real = 0.5 * (blocks[:, :, 0, :, 0] + blocks[:, :, 1, :, 1])
    matrices.imag = 0.5 * (blocks[:, :, 1, :, 0] - blocks[:, :, 0, :, 1])


def _fill_parts(array: NDArray[Any], part: Part, drawn: Drawn, kind: FloatType, scale: float) -> None:
    """Fills a complex array with pairs of the real normal law: elements 2 i and 2 i + 1 are the parts of element i."""
    parts = part.mesh(array)[..., None].view(kind.dtype)
    picks = None if part.picks is None else [*part.picks, (0, 1, 2)]
    plan = Plan("normal", STANDARD_BOUNDS, 0.0, scale, -inf, inf)
    fill([(parts, Part(parts.shape, (*part.full_shape, 2), picks), Drawn(kind, plan, drawn.named()))])


def _shift(array: NDArray[Any], loc: Any) -> None:
    """Adds a real number."""
    array.real += loc


def _place(pairs: NDArray[np.float64], plan: Plan) -> None:
    """Replaces the moduli of standard normal pairs by those of a law, scales and shifts."""
    square = pairs[:, 0] * pairs[:, 0] + pairs[:, 1] * pairs[:, 1]
    share = exp(-0.5 * square)  # uniform on (0, 1), and independent of the direction
    if plan.law == "uniform":
        wanted, bound = share, plan.scale
    else:
        wanted, bound = minus_log_1m(_MASS * share), 2.0 * plan.scale
    pairs *= (np.sqrt(wanted / square) * plan.scale)[:, None]
    np.clip(pairs, -bound, bound, out=pairs)  # what roundings may have passed
    pairs[:, 0] += plan.loc
