"""Replays under a named layout: the framework's own values, or an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import varscale as vs
from varscale import replay

FRAMEWORKS = {
    "tf1": replay.tf1(3),
    "tf_keras": replay.tf_keras(3),
    "keras": replay.keras(3, "numpy"),
    "jax": replay.jax(3),
    "torch": replay.torch(3),
}


def scaled(seed: Any, **arguments: Any) -> Any:
    return vs.VarianceScaling(1.0, "fan_avg", "uniform", seed, **arguments)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_own_layout_is_the_own_fans(name: str) -> None:
    """If this fails a user who says which framework it is has other values, or none."""
    layout = "torch" if name == "torch" else "keras"
    own = {"in_axis": 1, "out_axis": 0} if name == "torch" else {}
    for shape in ((6, 4), (6, 5, 3, 4)):
        named, usual = scaled(FRAMEWORKS[name], layout=layout), scaled(FRAMEWORKS[name], **own)
        assert named(shape).tobytes() == usual(shape).tobytes()


@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((6, 5, 3, 4), {"layout": "keras", "groups": 2}),
        ((6, 5, 3, 4), {"layout": "torch", "groups": 2}),
        ((6, 4), {"layout": "torch", "blocks": 3}),
        ((6, 4), {"layout": "keras", "blocks": 2}),
    ],
)
def test_fans_that_no_framework_has_are_refused(name: str, shape: Any, arguments: Any) -> None:
    """If this fails a replay draws other values than the framework, or other ones than the initializer says."""
    with pytest.raises(ValueError, match="to replay"):
        scaled(FRAMEWORKS[name], **arguments)(shape)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_axes_of_another_layout(name: str) -> None:
    """If this fails a replay has the fans of another framework's layout, although its own has no such axes."""
    shape = (6, 5, 3, 4)
    for arguments in ({"layout": "mlx"}, {"layout": "keras", "transposed": True}, {"depthwise": True}):
        axes = {"in_axis": (3,), "out_axis": (0,)} if "layout" in arguments else {}
        if arguments.get("transposed"):
            axes = {"in_axis": 3, "out_axis": 2}
        if arguments.get("depthwise"):
            axes = {"in_axis": (), "out_axis": 3, "batch_axis": 2}
        init = scaled(FRAMEWORKS[name], **arguments)
        if name == "jax":  # which has axes of every kind
            assert init(shape).tobytes() == scaled(FRAMEWORKS[name], **axes)(shape).tobytes()
            continue
        with pytest.raises(ValueError, match="`in_axis`, `out_axis` and `batch_axis` must be"):
            init(shape)


def test_a_replay_of_jax_counts_fans_by_division() -> None:
    """If this fails JAX's fans of torch's layout are others than those of the same axes."""
    shape = (6, 5, 3)
    named, axes = (
        scaled(replay.jax(3), layout="torch", batch_axis=0),
        scaled(replay.jax(3), in_axis=2, out_axis=1, batch_axis=0),
    )
    assert np.array_equal(named(shape), axes(shape))
