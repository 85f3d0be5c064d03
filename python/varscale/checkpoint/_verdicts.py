"""Verdicts: why a tensor does not look freshly initialised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ml_dtypes import finfo

from .._models.columns import sizes
from .._models.headers import Stored
from .._models.parameter import Parameter
from ._laws import Target, standard_errors
from ._read import PIECE, read_pieces
from ._sweep import RUN
from ._tally import Summary

FAR = 6.0
"""So many standard errors are no chance: of a billion tensors one or two are as far off."""
RARE = 1e-6
"""The least probability of a Kolmogorov-Smirnov statistic that is still taken for chance."""


def differs(stored: Stored, parameter: Parameter) -> Iterator[str]:
    """How a tensor's form is not the plan's."""
    if stored.shape != parameter.shape:
        yield f"the shape is {sizes(stored.shape)}, where the plan has {sizes(parameter.shape)}"
    if stored.dtype != parameter.dtype:
        yield f"the dtype is {stored.dtype.name}, where the plan has {parameter.dtype.name}"


def suspicions(
    stored: Stored, summary: Summary, target: Target, probability: float | None, dead: tuple[int, int] | None
) -> Iterator[str]:
    """Why the numbers of a tensor do not look fresh."""
    if summary.nans:
        yield f"{summary.nans:,} NaN"
    if summary.infinities:
        yield f"{summary.infinities:,} infinite"
    low, high, mean, stddev = summary.low, summary.high, summary.mean, summary.stddev
    if low is None or high is None or mean is None or stddev is None:
        return
    if low < target.low or high > target.high:
        ends = f"{target.low:.6g}" if target.low == target.high else f"{target.low:.6g} to {target.high:.6g}"
        yield f"values from {low:.6g} to {high:.6g}, where the plan has {ends}"
    # Without a plan, a vector may well be constant: biases are, and the scales of norms.
    if low == high and stored.size > 1 and (target.stddev or (target.stddev is None and len(stored.shape) > 1)):
        yield f"constant: all elements are {low:.6g}"
    elif dead is not None and any(dead):
        yield f"dead: of {stored.shape[0]:,} rows {dead[0]:,} are zero, of {stored.shape[-1]:,} columns {dead[1]:,}"
    if target.plan is not None and target.mean is not None and target.stddev is not None:
        finite = stored.size - summary.nans - summary.infinities
        errors = standard_errors(target, finite)
        for what, found, wanted, error in zip(
            ("mean", "stddev"), (mean, stddev), (target.mean, target.stddev), errors, strict=True
        ):
            if abs(found - wanted) > FAR * error + _rounding(stored, target):
                off = abs(found - wanted) / error
                yield f"{what} {found:.6g}, where the law has {wanted:.6g}: {off:.3g} standard errors off"
    if probability is not None and probability < RARE:
        yield f"the values do not follow the law: p = {probability:.2g}"


def _rounding(stored: Stored, target: Target) -> float:
    """How far the rounding to the dtype may move a mean or a standard deviation."""
    info: Any = finfo(  # type: ignore[no-untyped-call]
        stored.dtype
    )
    step, least = float(info.eps) / 2.0, float(info.smallest_subnormal)
    return step * abs(target.mean or 0.0) + step * step * (target.stddev or 0.0) + least / 2.0


def dead(tensor: Stored) -> tuple[int, int] | None:
    """How many slices along the first axis, and along the last one, hold nothing but zeros.

    None for what is no matrix, or has slices that would take too much memory.
    """
    if len(tensor.shape) < 2 or not tensor.size:
        return None
    width = tensor.shape[-1]
    height = tensor.size // width
    if width * tensor.dtype.itemsize > RUN // 16 or height > RUN:
        return None
    lines = max(1, PIECE // (width * tensor.dtype.itemsize))
    columns, rows, done = np.zeros(width, bool), np.zeros(height, bool), 0
    for piece in read_pieces(tensor, most=lines * width * tensor.dtype.itemsize):
        holds = (piece.view(tensor.dtype) != 0).reshape(-1, width)
        columns |= holds.any(axis=0)
        rows[done : done + len(holds)] = holds.any(axis=1)
        done += len(holds)
    first = rows.reshape(tensor.shape[0], -1).any(axis=1)
    return int(first.size - first.sum()), int(columns.size - columns.sum())
