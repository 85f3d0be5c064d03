"""Layouts: which axes of a weight are its inputs, and an error where nobody says so."""

from __future__ import annotations

import pickle
from math import sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import varscale as vs

SHAPE = (64, 3, 7, 5)


def stddev(layout: Any, initializer: vs.Initializer | None = None, shape: tuple[int, ...] = SHAPE) -> float | None:
    """That of a weight in a layout."""
    (row,) = vs.Model({"weight": (shape, None, initializer)}, layout=layout).describe()
    return row.stddev


def test_a_layout_says_which_fans_count() -> None:
    """If this fails a convolution of torch has the fans of Keras, or the other way round."""
    assert stddev("torch") == sqrt(1 / (3 * 7 * 5))
    assert stddev("keras") == stddev("jax") == sqrt(1 / (64 * 3 * 7))
    assert stddev("mlx") == sqrt(1 / (5 * 3 * 7))
    assert stddev("mlx", vs.VarianceScaling(1.0, "fan_out")) == sqrt(1 / (64 * 3 * 7))
    model = vs.Model({"weight": SHAPE}, layout="torch")
    assert model["weight"].initializer == vs.lecun_normal(in_axis=1, out_axis=0)
    assert (
        model.init(7)["weight"].tobytes()
        == model["weight"].initializer._with_seed(7).fold_in("weight")(SHAPE).tobytes()
    )
    assert pickle.loads(pickle.dumps(model)) == model


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"])
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(0, 1))
@settings(max_examples=40, deadline=None)
def test_without_a_layout_only_what_depends_on_it_is_refused(mode: Any, sizes: list[int], batches: int) -> None:
    """If this fails a guess is made where it matters, or a user is asked where it does not."""
    init = vs.VarianceScaling(1.0, mode, batch_axis=0 if batches else ())
    shape = (*[4] * batches, *sizes)
    found = {stddev(layout, init, shape) for layout in ("torch", "keras", "jax", "mlx")}
    if len(found) == 1:
        assert {stddev(None, init, shape)} == found
        return
    with pytest.raises(ValueError, match='`layout` must be "torch"'):
        stddev(None, init, shape)


@pytest.mark.parametrize(
    "initializer",
    [vs.he_normal(in_axis=1, out_axis=0), vs.he_normal(in_axis=(1, 2), out_axis=3), vs.RandomNormal(), vs.Zeros(),
     vs.he_normal(in_axis=0), vs.glorot_normal(fan_in=3, fan_out=5), vs.he_normal(layout="keras"),
     vs.he_normal(layout="torch", groups=8), vs.he_normal(layout="torch", in_axis=-2, out_axis=-1)],
)  # fmt: skip
def test_who_names_axes_or_fans_is_left_alone(initializer: vs.Initializer) -> None:
    """If this fails a layout changes what a user has said outright."""
    for layout in (None, "torch", "jax", "mlx"):
        model = vs.Model({"weight": (SHAPE, None, initializer)}, layout=layout)
        assert model["weight"].initializer == initializer


@pytest.mark.parametrize(
    ("batch", "shape", "axes", "fan"),
    [(0, (8, 32, 16), (2, 1), 16), ((0, 1), (8, 2, 32, 16), (3, 2), 16), (-1, (32, 16, 8), (1, 0), 16),
     (1, (32, 8, 16, 3), (2, 0), 48)],
)  # fmt: skip
def test_batch_axes_do_not_count(batch: Any, shape: tuple[int, ...], axes: tuple[int, int], fan: int) -> None:
    """If this fails stacked experts of torch have the fans of a convolution."""
    init = vs.lecun_normal(batch_axis=batch)
    model = vs.Model({"weight": (shape, None, init)}, layout="torch")
    assert model["weight"].initializer == vs.lecun_normal(in_axis=axes[0], out_axis=axes[1], batch_axis=batch)
    assert stddev("torch", init, shape) == sqrt(1 / fan)


@pytest.mark.parametrize(
    ("layout", "name", "shape", "wanted"),
    [("torch", "experts.down_proj", (8, 6, 12), vs.he_normal(in_axis=2, out_axis=1, batch_axis=0)),
     ("jax", "experts.w1", (8, 6, 12), vs.he_normal(batch_axis=0)),
     ("torch", "deconv.weight", (6, 4, 3), vs.he_normal(in_axis=0, out_axis=1)),
     ("keras", "depthwise_kernel", (3, 3, 6, 2), vs.he_normal(in_axis=(), out_axis=-1, batch_axis=-2)),
     ("torch", "mlp.weight", (6, 4), vs.he_normal(in_axis=1, out_axis=0)),
     ("mlx", "mlp.weight", (6, 4), vs.he_normal(in_axis=1, out_axis=0)),
     ("mlx", "conv.weight", (6, 3, 3, 4), vs.he_normal(in_axis=3, out_axis=0)),
     ("mlx", "deconv.weight", (6, 3, 3, 4), vs.he_normal(in_axis=-1, out_axis=0)),
     ("mlx", "switch_mlp.experts.weight", (8, 6, 4), vs.he_normal(in_axis=2, out_axis=1, batch_axis=0))],
)  # fmt: skip
def test_rules_have_the_axes_that_names_tell(layout: Any, name: str, shape: Any, wanted: vs.Initializer) -> None:
    """If this fails a rule for stacked experts gives them the fans of a convolution, and the usual rule does not."""
    init, named = vs.he_normal(), vs.he_normal(in_axis=1, out_axis=0)
    for own, law in ((init, wanted), (named, named)):
        found = [
            vs.Model({name: shape}, [(name, own)], layout=layout),
            vs.Model({name: (shape, None, own)}, layout=layout),
        ]
        assert [model[name].initializer for model in found] == [law, law]
    assert vs.Model({name: shape}, vs.default_rules(weight=init), layout=layout)[name].initializer == wanted


@pytest.mark.parametrize(
    ("layout", "shape", "said", "fans"),
    [("torch", (64, 4, 3, 3), {"groups": 8}, (36, 72)), ("keras", (3, 3, 4, 64), {"groups": 8}, (36, 72)),
     ("mlx", (64, 3, 3, 4), {"groups": 8}, (36, 72)), ("torch", (192, 64), {"blocks": 3}, (64, 64)),
     ("torch", (32, 8, 3, 3), {"transposed": True, "groups": 8}, (36, 72)),
     ("jax", (3, 3, 8, 32), {"transposed": True, "groups": 8}, (36, 72)),
     ("mlx", (64, 3, 3, 4), {"transposed": True, "groups": 8}, (36, 72)),
     ("torch", (5, 32, 8, 3), {"transposed": True, "batch_axis": 0}, (96, 24)),
     ("keras", (3, 3, 64, 2), {"depthwise": True}, (9, 18))],
)  # fmt: skip
def test_groups_and_blocks_are_those_of_the_layout(layout: Any, shape: Any, said: Any, fans: tuple[int, int]) -> None:
    """If this fails a rule for grouped kernels means the axes of another framework than the model's."""
    init = vs.he_normal(**said)
    (row,) = vs.Model({"weight": (shape, None, init)}, layout=layout).describe()
    assert (row.fan_in, row.fan_out) == fans == init._with_layout(layout).describe(shape)[:2]
    (rule,) = vs.Model({"weight": shape}, [("weight", init)], layout=layout).describe()
    assert rule == row
    if "depthwise" not in said:
        with pytest.raises(ValueError, match='`layout` must be "torch"'):
            vs.Model({"weight": (shape, None, init)})
        return
    assert len(vs.Model({"weight": (shape, None, init)})) == 1, "no other layout has it"
    for other in ("torch", "jax", "mlx"):
        with pytest.raises(ValueError, match=f"parameter 'weight': `depthwise` must be False in the layout '{other}'"):
            vs.Model({"weight": (shape, None, init)}, layout=other)


def test_experts_of_a_named_layout() -> None:
    """If this fails the usual rule for stacked experts forgets the layout of the initializer that users choose."""
    rules = vs.default_rules(weight=vs.he_normal(layout="torch"))
    model = vs.Model({"experts.down_proj": (8, 6, 12)}, rules, layout="jax")
    assert model["experts.down_proj"].initializer == vs.he_normal(layout="torch", batch_axis=0)


def test_pieces_have_a_layout_too() -> None:
    """If this fails a weight of torch whose padding row is zero has the fans of Keras."""
    pieces = [(..., vs.lecun_normal()), (0, vs.Zeros())]
    model = vs.Model({"weight": (SHAPE, None, vs.Pieces(pieces, dtype="float64"))}, layout="torch")
    laid_out = [(..., vs.lecun_normal(in_axis=1, out_axis=0)), (0, vs.Zeros())]
    assert model["weight"].initializer == vs.Pieces(laid_out, dtype="float64")
    assert model["weight"].dtype == "float64"
    with pytest.raises(ValueError, match='`layout` must be "torch"'):
        vs.Model({"weight": (SHAPE, None, vs.Pieces(pieces))})
    assert vs.Model({"weight": (SHAPE, None, vs.Pieces(laid_out))})["weight"].initializer == vs.Pieces(laid_out)


@pytest.mark.parametrize("layout", [None, "torch", "keras"])
def test_axes_that_a_shape_lacks(layout: Any) -> None:
    """If this fails a batch axis that is not there is another one."""
    with pytest.raises(ValueError, match=r"parameter 'weight': `batch_axis` must name an axis"):
        stddev(layout, vs.lecun_normal(batch_axis=5))
    with pytest.raises(ValueError, match=r"parameter 'weight': .* share an axis"):
        stddev(layout, vs.lecun_normal(batch_axis=0), (3, 4))


def test_the_error_names_the_words_and_a_parameter() -> None:
    """If this fails a user does not learn what to write."""
    with pytest.raises(ValueError, match="`layout`") as error:
        vs.Model({"a.weight": (4, 4), "b.weight": (4, 5), "c.weight": (5, 4), "c.bias": (3,)})
    assert str(error.value) == (
        '`layout` must be "torch", for weights (out, in, *kernel), "keras" or "jax", for (*kernel, in, out), or "mlx", '
        "for (out, *kernel, in), where initializers name no axes: 2 of 4 parameters depend on it, such as 'b.weight' "
        "(4, 5)"
    )


def test_parameters_of_a_model_are_settled() -> None:
    """If this fails a model that is made of another one's parameters has other values."""
    first = vs.Model({"weight": SHAPE, "b": (3,)}, layout="keras")
    for layout in (None, "torch", "keras"):
        assert vs.Model(first, layout=layout) == first  # type: ignore[arg-type]
    lazy = vs.lecun_normal().lazy(SHAPE)
    assert vs.Model({"x": lazy})["x"].initializer == vs.lecun_normal()


class Tensor:
    """A stand-in for an array of a framework, which tells by its module which one that is."""

    def __init__(self, *shape: int) -> None:
        self.shape, self.dtype = shape, "float32"


def tensor_of(module: str) -> Tensor:
    return type("Tensor", (Tensor,), {"__module__": module})(64, 3, 7, 5)


@pytest.mark.parametrize(
    ("module", "layout"),
    [("torch", "torch"), ("torch.nn.parameter", "torch"), ("keras.src.backend.jax.core", "keras"),
     ("tf_keras.x", "keras"),
     ("tensorflow.python.ops.resource_variable_ops", "keras"), ("flax.nnx.variablelib", "jax")],
)  # fmt: skip
def test_frameworks_bring_theirs(module: str, layout: str) -> None:
    """If this fails the tensors of a framework are a puzzle, although only one layout can be meant."""
    found = vs.Model({"weight": tensor_of(module)})
    assert found == vs.Model({"weight": SHAPE}, layout=layout, dtype="float32")  # type: ignore[arg-type]
    other = "keras" if layout == "torch" else "torch"
    assert vs.Model({"weight": tensor_of(module)}, layout=other) != found  # type: ignore[arg-type]


def test_arrays_bring_none() -> None:
    """If this fails arrays of NumPy or JAX, which any framework's layout may have, are taken for one of them."""
    for module in ("numpy", "jaxlib._jax", "jax._src.array", "torchvision_like", "mlx.core"):
        with pytest.raises(ValueError, match="`layout` must be"):
            vs.Model({"weight": tensor_of(module)})


def test_two_frameworks_in_one_model() -> None:
    """If this fails the first tensor of a mixed model decides for all the others."""
    mixed = {"a.weight": tensor_of("torch"), "b.weight": tensor_of("flax.nnx")}
    with pytest.raises(
        ValueError, match="`layout` must be given where parameters are of several frameworks, got those of"
    ):
        vs.Model(mixed)
    assert len(vs.Model(mixed, layout="torch")) == 2
    assert len(vs.Model({"a.weight": tensor_of("keras.src"), "b.weight": tensor_of("flax.nnx")})) == 2


@pytest.mark.parametrize(
    "parent", ["MultiHeadDotProductAttention_0", "multi_head_attention_3", "group_query_attention"]
)
def test_heads_have_fans_of_their_own(parent: str) -> None:
    """If this fails the kernel of a query is taken for one of a convolution, and is too narrow by the root of heads."""
    shapes = {f"{parent}/query/kernel": (512, 8, 64), f"{parent}/attention_output/kernel": (8, 64, 512)}
    model = vs.Model(shapes, layout="keras")
    for parameter in model.values():
        description = parameter.initializer.describe(parameter.shape)
        assert (description.fan_in, description.fan_out) == (512, 512)
