"""The border of the core: what crosses is checked there once more, because it writes to memory."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.core import NAME, fill_at_once
from varscale import _core


def test_arrays_that_cannot_be_written_are_refused() -> None:
    """If this fails a path that forgets its checks writes to read-only memory, or to none of an array's elements."""
    read_only = np.zeros(4, np.float32)
    read_only.flags.writeable = False
    unaligned = np.frombuffer(bytearray(17), np.float32, 4, offset=1)
    for out in (read_only, unaligned):
        with pytest.raises(ValueError, match="`out` must be aligned, writable and free of overlap"):
            fill_at_once(out)
    with pytest.raises(TypeError, match="`out` must be an array of the element's dtype"):
        fill_at_once(np.zeros(4, np.float64))  # type: ignore[arg-type]
    assert not read_only.any()


def test_arrays_of_another_shape_are_refused() -> None:
    """If this fails the elements of a part are written in another part's order, or past the array's end."""
    plan = ("normal", (-2.0, 2.0), 0.0, 1.0, -np.inf, np.inf)
    picks = [(1, 1, 2), (0, 1, 3)]
    for shape in ((3, 2), (6,), (1, 2, 3), (2, 4)):
        out = np.zeros(shape, np.float32)
        with pytest.raises(ValueError, match="`out` must have the shape of the part"):
            _core.fill([(out, "float32", plan, NAME, (4, 4), picks)])
        assert not out.any()


def test_surveys_refuse_what_does_not_fit() -> None:
    """If this fails bytes at the end of a tensor are passed over, or memory beyond the bins is written."""
    bins = np.zeros(1 << 16, np.uint32)
    with pytest.raises(ValueError, match="`data` must be whole numbers of 4 bytes"):
        _core.survey(np.zeros(7, np.uint8), "float32", bins)
    with pytest.raises(ValueError, match="`bins` must have 65536 elements"):
        _core.survey(np.zeros(8, np.uint8), "float32", bins[:-1])
    with pytest.raises(ValueError, match="must be contiguous"):
        _core.survey(np.zeros(16, np.uint8)[::2], "float32", bins)
    with pytest.raises(ValueError, match="`stored` must be"):
        _core.survey(np.zeros(8, np.uint8), "int8", bins)
    bins.flags.writeable = False
    with pytest.raises(ValueError, match="`bins` must be aligned and writable"):
        _core.survey(np.zeros(8, np.uint8), "float32", bins)
