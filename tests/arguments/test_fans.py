"""Fans and the scales made of them: TensorFlow's rules for the default axes, JAX's for the others."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

import varscale as vs

TENSORFLOW = {
    (): (1, 1),
    (1,): (1, 1),
    (7,): (7, 7),
    (0,): (0, 0),
    (3, 5): (3, 5),
    (0, 5): (0, 5),
    (10, 4): (10, 4),
    (2, 3, 5): (6, 10),
    (2, 4, 3, 5): (24, 40),
    (2, 3, 4, 5, 6): (120, 144),
    (2, 0, 3, 5): (0, 0),
    (3, 3, 64, 128): (576, 1152),
    (1, 1, 1): (1, 1),
    (50257, 768): (50257, 768),
}


def fans(shape: tuple[int, ...], **axes: object) -> tuple[int, int]:
    described = vs.VarianceScaling(**axes).describe(shape)  # type: ignore[arg-type]
    return described.fan_in, described.fan_out


@pytest.mark.parametrize(("shape", "expected"), TENSORFLOW.items())
def test_fans_are_tensorflows(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    """If this fails a layer is scaled by another fan than in TensorFlow."""
    assert fans(shape) == expected


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((128, 64, 3, 3), {"in_axis": 1, "out_axis": 0}, (576, 1152)),  # PyTorch's convolution
        ((64, 4, 16), {"in_axis": 0, "out_axis": (1, 2)}, (64, 64)),  # attention heads
        ((8, 64, 32), {"in_axis": 1, "out_axis": 2, "batch_axis": 0}, (64, 32)),  # stacked experts
        ((8, 64, 32), {"batch_axis": (0,)}, (64, 32)),
        ((8, 64, 32), {"batch_axis": -3}, (64, 32)),
        ((8, 64, 32), {"in_axis": -2, "out_axis": -1, "batch_axis": "rest"}, (64, 32)),  # as Keras counts named axes
        ((8, 64, 32), {"in_axis": (), "out_axis": 0, "batch_axis": "rest"}, (1, 8)),
        ((3, 3, 8, 4, 16), {"in_axis": (2, 3), "out_axis": -1}, (288, 144)),
        ((5,), {"in_axis": (), "out_axis": 0}, (1, 5)),
        ((5, 0, 2), {"in_axis": 0, "out_axis": 1, "batch_axis": 2}, (5, 0)),
    ],
)
def test_fans_with_other_axes(shape: tuple[int, ...], axes: dict[str, object], expected: tuple[int, int]) -> None:
    """If this fails kernels in another axis order get a wrong variance."""
    assert fans(shape, **axes) == expected


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ((3, 4), {"in_axis": 2}, "`in_axis` must name an axis of the shape"),
        ((3, 4), {"out_axis": -3}, "`out_axis` must name an axis of the shape"),
        ((3, 4), {"batch_axis": 0}, "must not share an axis"),
        ((3, 4, 5), {"in_axis": (0, 0), "out_axis": 1}, "must not share an axis"),
        ((), {"in_axis": 0}, "`in_axis` must name an axis"),
    ],
)
def test_impossible_axes_are_refused(shape: tuple[int, ...], axes: dict[str, object], message: str) -> None:
    """If this fails a wrong axis silently gives a wrong variance."""
    with pytest.raises(ValueError, match=message):
        vs.VarianceScaling(**axes)(shape)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 50), max_size=5).map(tuple), st.sampled_from(["fan_in", "fan_out", "fan_avg"]))
def test_stddev_and_limit_are_tensorflows_formula_bit_for_bit(shape: tuple[int, ...], mode: str) -> None:
    """If this fails the float64 scale differs from TensorFlow's in the last bit: another order of operations."""
    field = 1
    for size in shape[:-2]:
        field *= size
    fan_in, fan_out = (1, 1) if not shape else (shape[0], shape[0]) if len(shape) == 1 else (0, 0)
    if len(shape) >= 2:
        fan_in, fan_out = shape[-2] * field, shape[-1] * field
    n = {"fan_in": max(1.0, fan_in), "fan_out": max(1.0, fan_out), "fan_avg": max(1.0, (fan_in + fan_out) / 2.0)}[mode]
    scale = 1.7
    scale /= n
    truncated = vs.VarianceScaling(1.7, mode).describe(shape)
    assert truncated.stddev == sqrt(scale)
    assert truncated.high == 2.0 * (sqrt(scale) / 0.87962566103423978)
    assert vs.VarianceScaling(1.7, mode, "uniform").describe(shape).high == sqrt(3.0 * scale)


def test_numbers_that_tensorflow_printed() -> None:
    """If this fails the scale is not what TensorFlow 2.21 computed for these shapes."""
    init = vs.lecun_normal()
    for shape, stddev in {(10, 4): 0.35950266121730234, (3, 5): 0.6563590567728471, (): 1.1368472343385565}.items():
        assert init.describe(shape).high == 2 * stddev
    assert vs.lecun_uniform().describe((3, 5)).high == 1.0
    assert vs.glorot_normal().describe((0, 5)).stddev == sqrt(1 / 2.5)


def test_fan_geo_avg_is_the_geometric_mean() -> None:
    """If this fails JAX's fourth mode means something else here."""
    assert vs.VarianceScaling(1.0, "fan_geo_avg").describe((4, 25)).stddev == sqrt(1 / 10)
    assert vs.VarianceScaling(1.0, "fan_geo_avg").describe((0, 25)).stddev == 1.0


@pytest.mark.parametrize(
    "shape", [(0, *(2**60,) * 20), (2**60,) * 20 + (0,), (0, 2**1100), (10**400, 0), (0,) + (2**64,) * 63]
)
@pytest.mark.parametrize(
    "init", [vs.lecun_normal(), vs.glorot_uniform(), vs.VarianceScaling(1.0, "fan_geo_avg")], ids=repr
)
def test_fans_beyond_float64_are_refused(init: vs.VarianceScaling, shape: tuple[int, ...]) -> None:
    """If this fails an empty tensor's fans, of which float64 has none, are an OverflowError."""
    model = {"w": (shape, None, init)}
    for call in (lambda: init(shape), lambda: init.lazy(shape), lambda: init.describe(shape), lambda: vs.Model(model)):
        with pytest.raises(ValueError, match="`shape` must have fans that float64 holds"):
            call()


def test_sizes_beyond_float64_are_refused() -> None:
    """If this fails a layer with 10^400 inputs is an OverflowError."""
    for sizes in ((10**400, 0), (0, 10**400), (2**63, 0)):
        with pytest.raises(ValueError, match=r"`(in|out)_features` must be an integer of 64 bits"):
            vs.replay.torch(0).draws().linear(*sizes)
