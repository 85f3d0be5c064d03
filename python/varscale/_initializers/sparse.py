"""The initializer of sparse matrices: normal values, and in each column as many zeros."""

from __future__ import annotations

from functools import partial
from math import ceil, inf, sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._arguments.checks import not_negative, real
from .._arguments.dtypes import FLOAT_TYPES, DTypeLike, FloatType, float_type
from .._arguments.fans import compute_fans
from .._arguments.index import spread
from .._arguments.parts import Part
from .._arguments.show import show
from .._core import identity
from .._filling.arrays import new_array
from .._filling.fill import fill
from .._sources.identity import path_fields
from .._sources.plan import STANDARD_BOUNDS, Plan, normal_plan
from .._sources.request import Law, Normal
from .._sources.seeds import Seed, SeedLike
from .._sources.source import Drawn, Naming, Source, Written
from .sampled import Description, Sampled

_KIND = FLOAT_TYPES["float32"]
_KEYS = Plan("uniform", STANDARD_BOUNDS, 0.0, 1.0, -1.0, 1.0)
_FIELD = path_fields(("zeros",))
_MOST = 1 << 22
"""The most keys at a time, unless a column has more."""


class Sparse(Sampled):
    """Draws normal values, of which in each column exactly ceil(sparsity * rows) are replaced by zeros.

    Which rows they are in is drawn from the same seed, apart for each column, and all rows are equally likely. The
    other values are those of `RandomNormal(0.0, stddev, seed)`. In a matrix (in, out) a column is one unit's inputs,
    as in Martens; torch's `sparse_` has the same columns in its (out, in). A part takes the time of its whole columns.
    In float8 some of the other values round to zero, too, where `stddev` is as small as by default.

    Args:
        sparsity: The fraction of zeros, a number from 0 to 1.
        stddev: The standard deviation of the other values: a finite number that is not negative.
        seed: Any integer or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point dtype.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value. A call also raises it for a shape whose rank is not 2, and for a
            seed that replays a framework.

    References:
        Martens, *Deep learning via Hessian-free optimization*, ICML 2010, section 5.

    Example:
        >>> import varscale as vs
        >>> (vs.Sparse(0.9, seed=7)((50, 4)) == 0).sum(axis=0)
        array([45, 45, 45, 45])
    """

    sparsity: float
    stddev: float
    _parameters: ClassVar[dict[str, Any]] = dict.fromkeys(("sparsity", "stddev", "seed", "dtype"), Sampled._REQUIRED)

    def __init__(
        self, sparsity: float, stddev: float = 0.01, seed: SeedLike = None, dtype: DTypeLike = "float32"
    ) -> None:
        share = real("sparsity", sparsity)
        if not 0 <= share <= 1:
            msg = f"`sparsity` must be a number from 0 to 1, got {show(sparsity)}"
            raise ValueError(msg)
        self._set(sparsity=share, stddev=not_negative("stddev", stddev))
        self._seal(seed, dtype)

    def _source_of_piece(self, seed: Seed, part: Part, dtype: Any, stream: bytes | Naming | None) -> Source:
        kind = self._kind if dtype is None else float_type(dtype)
        # Raises for a replay, as no framework draws the rows from its stream in a way that can be repeated.
        drawn: Any = seed._source(self, kind, part, stream)
        return Written(kind.dtype, partial(_write, drawn, self._zeros(part.full_shape)))

    def _zeros(self, full_shape: tuple[int, ...]) -> int:
        """The number of zeros of each column, as torch counts them."""
        if len(full_shape) != 2:
            msg = f"`shape` must have two dimensions for a sparse matrix, got {show(full_shape)}"
            raise ValueError(msg)
        return ceil(self.sparsity * full_shape[0])

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        return normal_plan(0.0, self.stddev, kind)

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        return Law("sparse", Normal(0.0, self.stddev))

    def _divided(self, by: float) -> Sparse:
        return self._with(stddev=not_negative("stddev", self.stddev / sqrt(by)))

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        share = self._zeros(full_shape) / max(1, full_shape[0])
        return Description(*compute_fans(full_shape), 0.0, sqrt(1 - share) * self.stddev, -inf, inf)


def _write(drawn: Drawn, zeros: int, array: NDArray[Any], part: Part) -> None:
    """Draws normal values, and then the rows of the zeros: those with the least keys of the column."""
    name: Any = drawn.named()
    fill([(array, part, Drawn(drawn.kind, drawn.plan, name))])
    if not zeros:
        return
    # The keys of a column are neighbours in a stream of their own, whose name is made of the values' stream's.
    keyed = Drawn(_KIND, _KEYS, identity(name + _FIELD))
    count, full_shape = part.full_shape[0], part.full_shape[::-1]
    rows, columns = part.axes()
    mesh = part.mesh(array)
    step = max(1, _MOST // count)
    for start in range(0, mesh.shape[1], step):
        block = mesh[:, start : start + step]
        width = block.shape[1]
        if isinstance(columns, tuple):
            chosen: Any = columns[0] + columns[1] * start, columns[1], width
        else:
            chosen = columns[start : start + width]
        keys = new_array((width, count), _KIND.dtype)
        fill([(keys, Part(keys.shape, full_shape, [chosen, (0, 1, count)]), keyed)])
        least = _least(keys, zeros)
        block.T[least if part.picks is None else least[:, spread(rows)]] = 0


def _least(keys: NDArray[Any], number: int) -> NDArray[np.bool_]:
    """Which keys of each line are among its least ones; of equal keys the first."""
    last = np.partition(keys, number - 1)[:, number - 1 : number]
    least: NDArray[np.bool_] = keys <= last
    for line in np.flatnonzero(np.count_nonzero(least, axis=1) > number):
        ties = np.flatnonzero(keys[line] == last[line])
        least[line, ties[number - np.count_nonzero(least[line]) :]] = False
    return least


sparse = Sparse
