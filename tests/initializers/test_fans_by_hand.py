"""Fans by hand, for what the shape does not tell: fused matrices, muP."""

from __future__ import annotations

from math import inf, nan, sqrt
from typing import Any

import numpy as np
import pytest

import varscale as vs

PRESETS = (vs.lecun_normal, vs.lecun_uniform, vs.glorot_normal, vs.glorot_uniform, vs.he_normal, vs.he_uniform)


@pytest.mark.parametrize("make", [*PRESETS, vs.VarianceScaling])
def test_a_fan_by_hand_counts_instead_of_the_axes(make: Any) -> None:
    """If this fails a fan that is given by hand is ignored, or only described."""
    fused, square = make(seed=3, fan_in=64, fan_out=64), make(seed=3)
    assert fused.describe((64, 192)) == square.describe((64, 64))
    assert np.array_equal(fused((64, 192)), make(seed=3, in_axis=0, out_axis=1, fan_out=64)((64, 192)))
    assert fused((64, 192)).std() == pytest.approx(square.describe((64, 64)).stddev, rel=0.02)


@pytest.mark.parametrize(("mode", "n"), [("fan_in", 7.5), ("fan_out", 30.0), ("fan_avg", 18.75), ("fan_geo_avg", 15.0)])
def test_one_fan_by_hand(mode: Any, n: float) -> None:
    """If this fails the other fan is not that of the axes, or a real number is rounded."""
    found = vs.VarianceScaling(2.0, mode, fan_in=7.5).describe((10, 30))
    assert (found.fan_in, found.fan_out) == (7.5, 30)
    assert found.stddev == pytest.approx(sqrt(2 / n), rel=1e-15)


def test_axes_that_nobody_asks_are_not_checked() -> None:
    """If this fails a shape without such axes is refused, although both fans are given."""
    init = vs.lecun_normal(1, in_axis=5, out_axis=6, fan_in=16, fan_out=1)
    assert init.describe((3,)).stddev == 0.25
    assert init((3,)).shape == (3,)
    with pytest.raises(ValueError, match="`in_axis` must name an axis"):
        vs.lecun_normal(1, in_axis=5, fan_in=16)((3, 3))


def test_they_are_part_of_the_config() -> None:
    """If this fails an initializer with other fans compares equal, or comes back from a file without them."""
    init = vs.he_normal(1, fan_in=np.float64(64.0))
    assert init.get_config() == {"seed": 1, "fan_in": 64}
    assert type(init.fan_in) is int
    assert repr(init) == "HeNormal(seed=1, fan_in=64)"
    assert init != vs.he_normal(1)
    assert init == vs.he_normal(1, fan_in=64)
    assert init.fold_in("a")._with_seed(3).fan_in == 64
    assert "fan_in" not in vs.he_normal(1).get_config()
    assert init._with_axes(1, 0).fan_in == 64


@pytest.mark.parametrize(
    ("bad", "error"),
    [(0, ValueError), (0.5, ValueError), (-3, ValueError), (nan, ValueError), (inf, ValueError), (2**501, ValueError),
     (True, TypeError), ("3", TypeError), ([3], TypeError)],
)  # fmt: skip
def test_what_is_no_fan_is_refused(bad: object, error: type[Exception]) -> None:
    """If this fails a fan of less than 1 counts as 1 in silence, or one of the wrong kind is taken."""
    for make in (*PRESETS, vs.VarianceScaling):
        for name in ("fan_in", "fan_out"):
            with pytest.raises(error, match=f"`{name}` must be a"):
                make(**{name: bad})
