"""Layouts by name: the fans of a weight by its framework, its groups, its blocks, and the kind of its convolution."""

from __future__ import annotations

import pickle
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import varscale as vs
from arguments.layers import FILE, LAYERS, Layer

MODES = {
    "keras": ("fan_in", "fan_out", "fan_avg"),
    "jax": ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"),
    "torch": ("fan_in", "fan_out", "fan_avg"),
    "mlx": ("fan_in", "fan_out", "fan_avg"),
}
"""Those that a framework has."""
PRESETS = (vs.lecun_normal, vs.lecun_uniform, vs.glorot_normal, vs.glorot_uniform, vs.he_normal, vs.he_uniform)
SCALINGS = (*PRESETS, vs.VarianceScaling, vs.UniformUnitScaling)
Shape = tuple[int, ...]


def known() -> list[tuple[str, str, Shape, tuple[int, int]]]:
    """What the frameworks say: framework, weight, shape and fans."""
    rows = [line.split(" | ") for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [
        (framework, weight, tuple(map(int, shape.strip("(,)").split(","))), tuple(map(int, fans.split())))  # type: ignore[misc]
        for framework, weight, shape, fans in rows
    ]


def n_of(mode: str, fans: tuple[float, float]) -> float:
    """What the variance is divided by."""
    return {"fan_in": fans[0], "fan_out": fans[1], "fan_avg": sum(fans) / 2, "fan_geo_avg": sqrt(fans[0] * fans[1])}[
        mode
    ]


def fans(shape: Shape, **arguments: Any) -> tuple[float, float]:
    return vs.VarianceScaling(**arguments).describe(shape)[:2]


def test_the_table_is_that_of_the_frameworks() -> None:
    """If this fails a row is compared with another weight's numbers, or with none."""
    assert [(framework, weight) for framework, weight, _, _ in known()] == [layer[:2] for layer in LAYERS]
    assert len(LAYERS) >= 60


@pytest.mark.parametrize(
    ("layer", "told"), list(zip(LAYERS, known(), strict=True)), ids=lambda row: " ".join(map(str, row[:2]))
)
def test_fans_are_the_frameworks_or_there_is_a_reason(layer: Layer, told: Any) -> None:
    """If this fails a layer starts with another scale than in its framework, and nobody says why."""
    _, _, shape, theirs = told
    assert (layer.fans is None) == (not layer.reason)
    ours = layer.fans or theirs
    assert (ours != theirs) == bool(layer.reason)
    for mode in MODES[layer.framework]:
        described = vs.VarianceScaling(2.0, mode, **layer.ours).describe(shape)  # type: ignore[arg-type]
        assert described[:2] == ours
        assert described.stddev == pytest.approx(sqrt(2.0 / n_of(mode, ours)), rel=1e-15)


@pytest.mark.parametrize(
    ("shape", "mode", "ours", "theirs", "ratio"),
    [
        ((3, 3, 512, 1), "fan_in", {"layout": "keras", "depthwise": True}, {}, 0.044),
        ((4, 4, 32, 128), "fan_in", {"layout": "keras", "transposed": True}, {}, 2.0),
        ((128, 32, 4, 4), "fan_in", {"layout": "torch", "transposed": True}, {"layout": "torch"}, 2.0),
        ((4, 4, 32, 128), "fan_in", {"layout": "jax", "transposed": True}, {}, 2.0),
        ((128, 8, 3, 3), "fan_out", {"layout": "torch", "groups": 8}, {"layout": "torch"}, 0.353),
        ((192, 64), "fan_avg", {"layout": "torch", "blocks": 3}, {"layout": "torch"}, 0.71),
        ((512, 64), "fan_avg", {"layout": "torch", "blocks": 4}, {"layout": "torch"}, 0.58),
        ((64, 512), "fan_avg", {"layout": "keras", "blocks": 4}, {}, 0.58),
        ((8, 64, 32), "fan_in", {"layout": "jax", "batch_axis": 0}, {}, 0.354),
    ],
)
def test_known_traps(shape: Shape, mode: Any, ours: Any, theirs: Any, ratio: float) -> None:
    """If this fails a weight starts as far from what its definition says as it does in its framework."""
    right, wrong = (vs.VarianceScaling(1.0, mode, **said, seed=3) for said in (ours, theirs))
    assert wrong.describe(shape).stddev / right.describe(shape).stddev == pytest.approx(ratio, abs=0.005)
    assert right(shape).std() == pytest.approx(right.describe(shape).stddev, rel=0.1)


@given(
    st.lists(st.integers(1, 5), max_size=3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3),
    st.booleans(), st.integers(0, 2),
)  # fmt: skip
def test_one_layer_has_the_same_fans_in_every_layout(
    kernel: list[int], ins: int, outs: int, groups: int, blocks: int, transposed: bool, batches: int
) -> None:
    """If this fails weights that are moved between frameworks start from another scale."""
    each, wide = (ins, groups * outs * blocks), (groups * ins, outs * blocks)
    inward, outward = wide if transposed else each
    shapes = {
        "keras": (*kernel, outward, inward) if transposed else (*kernel, inward, outward),
        "torch": (inward, outward, *kernel) if transposed else (outward, inward, *kernel),
        "mlx": (each[1], *kernel, each[0]),
    }
    shapes["jax"] = shapes["keras"]
    field = int(np.prod(kernel))
    for layout, shape in shapes.items():
        found = fans(
            (7,) * batches + shape,
            layout=layout,
            groups=groups,
            blocks=blocks,
            transposed=transposed,
            batch_axis=tuple(range(batches)),
        )
        assert found == (ins * field, outs * field), layout


@pytest.mark.parametrize("layout", [None, "keras", "jax", "torch", "mlx"])
def test_vectors_and_scalars_have_no_layout(layout: Any) -> None:
    """If this fails a bias is refused, or has other fans than today."""
    assert fans((), layout=layout) == (1, 1)
    assert fans((7,), layout=layout) == (7, 7)


def test_axes_win_over_a_layout() -> None:
    """If this fails an axis that the user names is another one."""
    shape = (8, 6, 5, 4)
    assert vs.lecun_normal(layout="torch", in_axis=2, out_axis=3) == vs.lecun_normal(in_axis=2, out_axis=3)
    assert fans(shape, layout="torch", in_axis=-2, out_axis=-1) == fans(shape) == (240, 192)
    assert fans(shape, layout="torch", transposed=True, in_axis=-2, out_axis=-1) == (240, 192)
    assert fans(shape, transposed=True, in_axis=[-2], out_axis=-1) == (240, 192)
    assert fans(shape, layout="torch", fan_in=3) == (3, 160)
    assert fans(shape, layout="torch", groups=3, fan_in=3, fan_out=5) == (3, 5), "which need no axis"
    # Groups are along the output axis, or along the input axis of a transposed kernel.
    assert fans(shape, in_axis=1, out_axis=0, groups=4) == (120, 40)
    assert fans(shape, in_axis=0, out_axis=1, groups=4, transposed=True) == (40, 120)
    assert fans(shape, in_axis=3, out_axis=0, groups=4, layout="mlx", transposed=True) == (120, 60)
    assert fans(shape, in_axis=0, out_axis=1, depthwise=True) == (20, 120)
    # In a model of torch, where default axes are torch's.
    explicit = vs.lecun_normal(layout="keras", in_axis=-2, out_axis=-1)
    assert vs.Model({"w": (shape, None, explicit)}, layout="torch")["w"].initializer == explicit


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layout": "tf"}, ValueError, "`layout` must be one of 'keras', 'jax', 'torch', 'mlx', got 'tf'"),
        ({"layout": 3}, TypeError, "`layout` must be a string, got 3"),
        ({"groups": 0}, ValueError, "`groups` must be a positive integer, got 0"),
        ({"blocks": -1}, ValueError, "`blocks` must be a positive integer, got -1"),
        ({"groups": 2.0}, TypeError, "`groups` must be an integer, got 2.0"),
        ({"blocks": True}, TypeError, "`blocks` must be an integer, got True"),
        ({"transposed": 1}, TypeError, "`transposed` must be True or False, got 1"),
        ({"depthwise": "yes"}, TypeError, "`depthwise` must be True or False, got 'yes'"),
        ({"depthwise": True, "groups": 2}, ValueError, "`depthwise` must be False for a weight that is transposed or"),
        ({"depthwise": True, "transposed": True}, ValueError, "`depthwise` must be False for a weight that is trans"),
        ({"depthwise": True, "layout": "torch"}, ValueError, "`depthwise` must be False in the layout 'torch': give"),
        ({"depthwise": True, "layout": "jax"}, ValueError, "`depthwise` must be False in the layout 'jax': give"),
        ({"depthwise": True, "layout": "mlx"}, ValueError, "`depthwise` must be False in the layout 'mlx': give"),
        ({"layout": "torch", "in_axis": 0}, ValueError, "`in_axis` and `out_axis` must both be given, or neither, be"),
        ({"transposed": True, "out_axis": 0}, ValueError, "`in_axis` and `out_axis` must both be given, or neither"),
    ],
)  # fmt: skip
def test_what_no_weight_has_is_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    """If this fails a misspelt word, or two that contradict each other, give some scale in silence."""
    for make in SCALINGS:
        with pytest.raises(error, match=f"^{message}"):
            make(**arguments)


@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((64, 8, 3, 3), {"groups": 3}, "`groups` must cut the output axis of (64, 8, 3, 3) into equal parts, got 3"),
        # 9 divides the 3 · 3 places of the kernel, but no channels.
        ((64, 8, 3, 3), {"groups": 9}, "`groups` must cut the output axis of (64, 8, 3, 3) into equal parts, got 9"),
        ((6, 64, 3), {"groups": 4, "transposed": True}, "`groups` must cut the input axis of (6, 64, 3) into equal"),
        ((64, 32), {"blocks": 3}, "`blocks` must cut the output axis of (64, 32) into equal parts, got 3"),
        ((8, 32), {"groups": 4, "blocks": 4}, "`blocks` must cut the output axis of (8, 32) into equal parts, got 4"),
        ((64,), {"groups": 4}, "`shape` must have 2 axes or more for `groups`, got (64,)"),
        ((64,), {"blocks": 4}, "`shape` must have 2 axes or more for `blocks`, got (64,)"),
        ((64,), {"transposed": True}, "`shape` must have 2 axes or more for `transposed`, got (64,)"),
        ((64, 1), {"layout": "keras", "depthwise": True}, "`shape` must have 3 axes or more for `depthwise`, got (64,"),
        ((64, 32), {"batch_axis": 0}, "`in_axis`, `out_axis` and `batch_axis` must not share an axis"),
        ((64, 32), {"batch_axis": 5}, "`batch_axis` must name an axis of the shape (64, 32), got 5"),
    ],
)  # fmt: skip
def test_what_a_shape_does_not_have_is_refused(shape: Shape, arguments: dict[str, Any], message: str) -> None:
    """If this fails a network with other groups than its rule starts with somebody's scale."""
    init = vs.he_normal(1, **{"layout": "torch", **arguments})
    for call in (init, init.lazy, init.describe):
        with pytest.raises(ValueError, match="must") as error:
            call(shape)
        assert str(error.value).startswith(message)


def test_empty_weights() -> None:
    """If this fails a layer without inputs is refused because it has groups."""
    assert fans((0, 8, 3, 3), layout="torch", groups=4, blocks=2) == (72, 0)


@pytest.mark.parametrize("make", SCALINGS)
def test_they_are_part_of_the_config(make: Any) -> None:
    """If this fails a weight has other fans after a file, or a plain config has keys that TensorFlow does not know."""
    new = {"layout", "groups", "transposed", "depthwise", "blocks"}
    assert new.isdisjoint(make().get_config())
    for said in (
        {"layout": "torch"},
        {"layout": "keras", "groups": 8, "blocks": 3, "transposed": True},
        {"depthwise": True, "batch_axis": [0]},
        {"in_axis": [-2], "out_axis": [-1], "groups": 4, "transposed": True},
    ):
        init = make(seed=3, **said)
        config = init.get_config()
        assert said.items() <= config.items()
        assert config.keys() - said.keys() == make().get_config().keys()
        for back in (make.from_config(config), pickle.loads(pickle.dumps(init)), vs.deserialize(vs.serialize(init))):
            assert back == init
            assert hash(back) == hash(init)
            assert back((2, 24, 24, 24)).tobytes() == init((2, 24, 24, 24)).tobytes()
        assert init != make(seed=3)
        assert init.fold_in("a")._with_seed(5)._wiring() == init._wiring()


def test_numpys_numbers_and_flags() -> None:
    """If this fails a config cannot be written to JSON where the numbers are NumPy's."""
    init = vs.lecun_normal(groups=np.int64(2), blocks=np.uint8(3), transposed=np.True_)
    assert [type(init.groups), type(init.blocks), type(init.transposed)] == [int, int, bool]


def test_parts_have_the_fans_of_the_whole() -> None:
    """If this fails a shard of a grouped kernel has the fans of a smaller one."""
    init = vs.he_normal(3, layout="torch", groups=8, blocks=2)
    whole = init((64, 8, 3, 3))
    assert (init((64, 8, 3, 3), index=slice(5, 6)) == whole[5:6]).all()
    assert (init((1, 8, 3, 3), partition_info=vs.PartitionInfo((64, 8, 3, 3), (5, 0, 0, 0))) == whole[5:6]).all()
    assert (init.lazy((64, 8, 3, 3))[5] == whole[5]).all()
