"""Orthogonal weights in models: the out axis is that of the layout, of the layer, or of the name."""

from __future__ import annotations

import numpy as np
import pytest

import varscale as vs

ORTHOGONAL = vs.Orthogonal()


def found(name: str, shape: tuple[int, ...], init: vs.Initializer = ORTHOGONAL, layout: str | None = None) -> object:
    return vs.Model({name: shape}, [("*", init)], layout=layout)[name].initializer


def test_the_out_axis_is_the_layouts() -> None:
    """If this fails the kernel of a convolution is orthogonal along another axis than its outputs."""
    for layout, axis in (("torch", 0), ("keras", -1), ("jax", -1), ("mlx", 0)):
        assert found("conv.weight", (6, 3, 3, 4), layout=layout) == vs.Orthogonal(axis=axis)
    assert found("conv.weight", (6, 3, 3, 4), vs.Orthogonal(axis=1, blocks=3), "torch") == vs.Orthogonal(
        axis=1, blocks=3
    )
    assert found("deconv.weight", (6, 4, 3, 3), layout="torch") == vs.Orthogonal(axis=1)
    assert found("dense.weight", (6, 4)) == vs.Orthogonal(), "whose law is the same in all layouts"
    pieces = vs.Pieces([(..., vs.Orthogonal()), (0, vs.Zeros())])
    assert found("w", (4, 3, 3), pieces, "torch") == vs.Pieces([(..., vs.Orthogonal(axis=0)), (0, vs.Zeros())])


@pytest.mark.parametrize(("shape", "init"), [((6, 4, 3, 3), vs.Orthogonal()), ((6, 4), vs.Orthogonal(blocks=2))])
def test_a_layout_is_needed_where_it_counts(shape: tuple[int, ...], init: vs.Initializer) -> None:
    """If this fails the out axis is guessed where nobody has said what it is."""
    with pytest.raises(ValueError, match="`layout` must be"):
        found("a.weight", shape, init)


def test_stacked_experts_are_refused() -> None:
    """If this fails all experts of a layer are one matrix, and none of them is orthogonal."""
    with pytest.raises(ValueError, match=r"parameter 'experts.down_proj': .* name its `axis`"):
        found("experts.down_proj", (4, 6, 3), layout="jax")
    assert found("experts.down_proj", (4, 6, 3), vs.Orthogonal(axis=2), "jax") == vs.Orthogonal(axis=2)


def test_heads_are_refused() -> None:
    """If this fails queries are orthogonal along the width of one head, and not as a matrix."""
    with pytest.raises(ValueError, match=r"parameter 'SelfAttention_0/query/kernel': .* name the `axis` of Orthogonal"):
        found("SelfAttention_0/query/kernel", (6, 2, 3), layout="jax")
    assert found("SelfAttention_0/out/kernel", (2, 3, 6), layout="jax") == vs.Orthogonal(axis=2)


def test_orthogonal_is_a_usual_rule() -> None:
    """If this fails the weights of a model cannot be orthogonal but by rules of its own, or stacked ones are."""
    rules = vs.default_rules(weight=vs.Orthogonal())
    model = vs.Model({"a.weight": (6, 4, 3, 3), "b.bias": (6,)}, rules, layout="torch")
    assert model["a.weight"].initializer == vs.Orthogonal(axis=0)
    with pytest.raises(ValueError, match=r"parameter 'experts.down_proj': .* name its `axis`"):
        vs.Model({"experts.down_proj": (4, 6, 3)}, rules, layout="jax")


def test_parts_of_a_model_are_those_of_the_whole() -> None:
    """If this fails a shard of an orthogonal weight has other values than the weight."""
    model = vs.Model({"a.weight": (8, 6), "b.weight": (8, 6)}, [("*", vs.Orthogonal())], layout="torch")
    whole = model.init(seed=3)
    assert np.array_equal(whole["a.weight"], vs.Orthogonal(seed=3, axis=0).fold_in("a.weight")((8, 6)))
    for name, lazy in model.lazy(seed=3).items():
        assert np.array_equal(lazy[2:5], whole[name][2:5])
