"""Trees of Flax' linen and nnx: names, boxes, and what layers tell of their fans."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import varscale as vs


class Block(nn.Module):
    """A block of a transformer, as linen names it by itself."""

    @nn.compact
    def __call__(self, tokens: Any) -> Any:
        x = nn.Embed(50, 32, embedding_init=nn.with_partitioning(nn.initializers.normal(), ("vocab", None)))(tokens)
        x = x + nn.MultiHeadDotProductAttention(4)(nn.LayerNorm()(x))
        x = nn.Dense(64)(x)
        return nn.Conv(8, (3,))(x)


def test_linen() -> None:
    """If this fails a network of linen loses its boxes, or has other weights than NumPy's of its names."""
    shapes = jax.eval_shape(Block().init, jax.random.key(0), jnp.zeros((1, 5), jnp.int32))
    params = vs.jax.init_tree(shapes, vs.lecun_normal(), seed=7)
    assert jax.tree.structure(params) == jax.tree.structure(shapes)
    box = params["params"]["Embed_0"]["embedding"]
    assert box.names == ("vocab", None)
    embedding = vs.RandomNormal(0.0, 0.02, 7).fold_in("params/Embed_0/embedding")((50, 32))
    assert np.array_equal(np.asarray(box.value), embedding)
    heads = "params/MultiHeadDotProductAttention_0/"
    attention = params["params"]["MultiHeadDotProductAttention_0"]
    query = vs.lecun_normal(7, in_axis=0, out_axis=(1, 2)).fold_in(f"{heads}query/kernel")((32, 4, 8))
    out = vs.lecun_normal(7, in_axis=(0, 1), out_axis=2).fold_in(f"{heads}out/kernel")((4, 8, 32))
    assert np.array_equal(np.asarray(attention["query"]["kernel"]), query)
    assert np.array_equal(np.asarray(attention["out"]["kernel"]), out)
    assert Block().apply(nn.meta.unbox(params), jnp.zeros((1, 5), jnp.int32)).shape == (1, 5, 8)


LAYERS = {
    "linear": (lambda rngs: nnx.Linear(6, 4, rngs=rngs), "kernel", (6, 4)),
    "conv": (lambda rngs: nnx.Conv(6, 4, (3, 3), rngs=rngs), "kernel", (54, 36)),
    "grouped": (lambda rngs: nnx.Conv(6, 4, (3, 3), feature_group_count=2, rngs=rngs), "kernel", (27, 18)),
    "transposed": (lambda rngs: nnx.ConvTranspose(6, 4, (3, 3), transpose_kernel=True, rngs=rngs), "kernel", (54, 36)),
    "general": (lambda rngs: nnx.LinearGeneral((6, 2), (4, 3), axis=(-2, -1), rngs=rngs), "kernel", (12, 12)),
    "query": (lambda rngs: nnx.MultiHeadAttention(4, 16, rngs=rngs), "query/kernel", (16, 16)),
    "out": (lambda rngs: nnx.MultiHeadAttention(4, 16, rngs=rngs), "out/kernel", (16, 16)),
    "lstm": (lambda rngs: nnx.OptimizedLSTMCell(6, 5, rngs=rngs), "dense_h/kernel", (5, 5)),
    "gru": (lambda rngs: nnx.GRUCell(6, 5, rngs=rngs), "dense_i/kernel", (6, 5)),
}


@pytest.mark.parametrize("case", LAYERS)
def test_fans_of_nnx(case: str) -> None:
    """If this fails a layer of nnx gets the variance of another: heads, groups, gates, transposed kernels."""
    make, name, fans = LAYERS[case]
    layer = make(nnx.Rngs(0))
    model = vs.jax.tree_model(layer)
    found = model[name].initializer.describe(model[name].shape)
    assert (found.fan_in, found.fan_out) == fans


def test_nnx() -> None:
    """If this fails a module of nnx loses its type, or its weights are not those of its names."""
    module = nnx.MultiHeadAttention(4, 16, rngs=nnx.Rngs(0))
    filled = vs.jax.init_tree(module, vs.glorot_uniform(), seed=7)
    assert type(filled) is nnx.MultiHeadAttention
    kernel = vs.glorot_uniform(7, in_axis=0, out_axis=(1, 2)).fold_in("query/kernel")((16, 4, 4))
    assert np.array_equal(np.asarray(filled.query.kernel[...]), kernel)
    assert filled(jnp.ones((2, 3, 16)), decode=False).shape == (2, 3, 16)


class Network(nnx.Module):
    """Layers whose names tell what they are, and keys of its own."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(4, 3, rngs=rngs)
        self.bn = nnx.BatchNorm(3, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)


def test_a_state_of_nnx() -> None:
    """If this fails a network loses its keys, or its weights are not those of its names."""
    network = Network(nnx.Rngs(0))
    key = network.dropout.rngs.key[...]
    nnx.update(network, vs.jax.init_tree(nnx.state(network), vs.lecun_normal(), seed=7))
    kernel = vs.lecun_normal(7).fold_in("dense/kernel")((4, 3))
    assert np.array_equal(np.asarray(network.dense.kernel[...]), kernel)
    assert (network.dropout.rngs.key[...] == key).all()


def test_stacks_of_nnx() -> None:
    """If this fails the layers of `nnx.vmap` are taken for the places of one kernel, and are too small."""

    @nnx.split_rngs(splits=5)
    @nnx.vmap
    def make(rngs: nnx.Rngs) -> Any:
        return nnx.MultiHeadAttention(4, 16, rngs=rngs)

    model = vs.jax.tree_model(make(nnx.Rngs(0)))
    for name, shape in (("query/kernel", (5, 16, 4, 4)), ("out/kernel", (5, 4, 4, 16))):
        found = model[name].initializer.describe(shape)
        assert (found.fan_in, found.fan_out) == (16, 16)


def test_tied_variables_are_refused() -> None:
    """If this fails weights that are tied come apart without a word, or a state loses them."""
    network = nnx.Sequential(nnx.Linear(4, 4, rngs=nnx.Rngs(0)), nnx.Linear(4, 4, rngs=nnx.Rngs(0)))
    network.layers[1].kernel = network.layers[0].kernel
    with pytest.raises(ValueError, match="'layers/0/kernel' and 'layers/1/kernel'"):
        vs.jax.init_tree(network, vs.lecun_normal(), seed=7)
    nnx.update(network, vs.jax.init_tree(nnx.state(network), vs.lecun_normal(), seed=7))
    assert network.layers[0].kernel is network.layers[1].kernel


def test_a_product_of_any_axes_is_refused() -> None:
    """If this fails the axes of an einsum are guessed."""
    with pytest.raises(ValueError, match="'kernel'"):
        vs.jax.init_tree(nnx.Einsum("ab,cb->ac", (3, 4), rngs=nnx.Rngs(0)), vs.lecun_normal(), seed=7)


def test_the_state_of_an_optimizer_is_refused() -> None:
    """If this fails Adam starts with random moments, and training ends in NaN."""
    params = {"dense": {"kernel": jnp.ones((3, 4))}}
    tree = {"params": params, "opt": optax.adam(1e-3).init(params)}
    with pytest.raises(ValueError, match=r"`tree` must hold parameters alone.*'opt/0/mu/dense/kernel'"):
        vs.jax.init_tree(tree, vs.lecun_normal(), seed=7)
    kept = vs.jax.init_tree(tree, vs.lecun_normal(), seed=7, keep="opt/*")
    assert (kept["opt"][0].mu["dense"]["kernel"] == 0).all()


def test_orthogonal_heads_are_refused() -> None:
    """If this fails queries are orthogonal along one head's width, which nobody asks for."""
    with pytest.raises(ValueError, match="name the `axis` of Orthogonal"):
        vs.jax.init_tree(nnx.MultiHeadAttention(4, 16, rngs=nnx.Rngs(0)), vs.Orthogonal(), seed=7)
