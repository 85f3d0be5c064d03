"""UniformUnitScaling: TensorFlow 1's law, its fans and its bits."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import pytest

import varscale as vs

ANSWERS = (Path(__file__).parents[1] / "known_answers" / "initializers.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", [line for line in ANSWERS if line.startswith("uniform_unit_scaling")])
def test_bits_are_tensorflows(line: str) -> None:
    """If this fails the limit is another one than TensorFlow 1's, in the last digit at least."""
    _, factor, seed, dtype, shape, *bits = line.replace(":", "").split()
    init = vs.UniformUnitScaling(float(factor), vs.replay.tf1(int(seed)), dtype)
    found = init(tuple(map(int, shape.split("x")))).reshape(-1)[:4]
    assert [f"{word:0{found.itemsize * 2}x}" for word in found.view(f"u{found.itemsize}").tolist()] == bits


@pytest.mark.parametrize(
    ("shape", "fan_in"), [((), 1), ((5,), 1), ((30, 40), 30), ((3, 3, 4, 6), 36), ((0, 4), 0), ((2, 3, 4), 6)]
)
def test_the_law(shape: tuple[int, ...], fan_in: int) -> None:
    """If this fails the fan is not the product of all axes but the last, which is at least 1."""
    limit = 1.43 * sqrt(3 / max(fan_in, 1))
    found = vs.UniformUnitScaling(1.43).describe(shape)
    assert found.fan_in == fan_in
    assert found[2:] == pytest.approx((0.0, limit / sqrt(3), -limit, limit))
    values = vs.UniformUnitScaling(1.43, 3)(shape)
    assert np.array_equal(values, vs.RandomUniform(-found.high, found.high, 3)(shape))
    if len(shape) != 1:
        assert np.allclose(values, vs.VarianceScaling(1.43**2, "fan_in", "uniform", 3)(shape), rtol=1e-6)


def test_axes_and_fans() -> None:
    """If this fails the fans of another layout, or one that is given by hand, do not count."""
    torch = vs.UniformUnitScaling(2.0, 3, in_axis=1, out_axis=0)
    assert torch.describe((40, 12)).high == vs.UniformUnitScaling(2.0).describe((12, 40)).high == 1.0
    assert vs.UniformUnitScaling(fan_in=3).describe((8,)).high == 1.0
    assert vs.UniformUnitScaling(in_axis=0, out_axis=()).describe((3,)).high == 1.0
    model = vs.Model({"fc.weight": ((40, 12), None, vs.UniformUnitScaling(2.0))}, layout="torch")
    assert model.describe().rows[0].stddev == pytest.approx(1 / sqrt(3))
    assert np.array_equal(model.init(3)["fc.weight"], torch.fold_in("fc.weight")((40, 12)))


def test_configs() -> None:
    """If this fails a config of TensorFlow 1 is not read, or one of ours has other keys than that."""
    config = {"factor": 1.43, "seed": 3, "dtype": "float32"}
    assert vs.UniformUnitScaling(1.43, 3).get_config() == config
    assert list(vs.UniformUnitScaling(1.43, 3).get_config()) == list(config)
    assert vs.get({"class_name": "UniformUnitScaling", "config": config}) == vs.UniformUnitScaling(1.43, 3)
    assert vs.get("UniformScaling") == vs.get("uniform_unit_scaling") == vs.UniformUnitScaling()


def test_arguments() -> None:
    """If this fails a wrong factor makes values."""
    for factor in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="`factor` must be a positive, finite number"):
            vs.UniformUnitScaling(factor)
    for factor in (1e200, 1e-200):
        with pytest.raises(ValueError, match="`factor` must be a number whose square float64 can hold"):
            vs.UniformUnitScaling(factor)
    with pytest.raises(TypeError, match="`factor` must be a real number"):
        vs.UniformUnitScaling("1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="overflow `dtype` 'float16'"):
        vs.UniformUnitScaling(1e6)((2, 2), "float16")
