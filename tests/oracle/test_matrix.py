"""The matrix that devices are held to: its right values are the oracle's, as far as that is quick."""

from __future__ import annotations

import numpy as np
import pytest

from oracle import matrix, reference
from varscale._arguments.dtypes import FLOAT_TYPES
from varscale._arguments.parts import indexed_part
from varscale._devices import crossing


def numbers(case: matrix.Case) -> np.ndarray:
    """The numbers of the part's elements, in the shape of the part."""
    part, stride = indexed_part(case.shape, case.index), 1
    found = np.zeros([len(chosen) for chosen in part.indices()], np.uint64)
    for axis in reversed(range(len(case.shape))):
        chosen = part.indices()[axis] * np.uint64(stride % 2**64)
        found += chosen.reshape([-1 if other == axis else 1 for other in range(len(case.shape))])
        stride *= case.shape[axis]
    return found.reshape(part.shape)


@pytest.mark.parametrize("case", matrix.small(), ids=lambda case: case.name)
def test_the_core_is_the_oracle(case: matrix.Case) -> None:
    """If this fails devices are held to values that are not the specified ones."""
    plan = case.init._remembered_plan(case.shape, FLOAT_TYPES[case.dtype])
    name = reference.identity(None, case.init.seed, case.init._path)
    wanted = numbers(case)
    with np.errstate(invalid="ignore", under="ignore"):
        found = reference.values(
            plan.law,
            case.dtype,
            name,
            wanted.ravel(),
            loc=plan.loc,
            scale=plan.scale,
            low=plan.low,
            high=plan.high,
            bounds=plan.bounds,
        )
    right = case.right()
    assert right.shape == wanted.shape
    assert right.tobytes() == found.tobytes()


def test_the_matrix_has_what_it_names() -> None:
    """If this fails a law, a dtype, a count or a start is not in the matrix, or two cases have one name."""
    every = matrix.cases()
    assert len({case.name for case in every}) == len(every)
    assert len([*matrix.lines()]) == len(matrix.LAWS) * 4 * 8 * 5
    assert {case.dtype for case in every} == {*matrix.DTYPES} == {*crossing.DTYPES}
    assert any(case.subnormal for case in every)
