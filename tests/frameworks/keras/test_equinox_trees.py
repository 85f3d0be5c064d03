"""Modules of Equinox as trees: their layout, and what layers tell of their fans."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import varscale as vs

KEY = jax.random.key(0)
LAYERS: dict[str, tuple[Any, str, tuple[int, int]]] = {
    "linear": (lambda: eqx.nn.Linear(6, 4, key=KEY), "weight", (6, 4)),
    "conv": (lambda: eqx.nn.Conv2d(6, 4, 3, key=KEY), "weight", (54, 36)),
    "grouped": (lambda: eqx.nn.Conv2d(6, 4, 3, groups=2, key=KEY), "weight", (27, 18)),
    "transposed": (lambda: eqx.nn.ConvTranspose2d(6, 4, 3, key=KEY), "weight", (54, 36)),
    "gru": (lambda: eqx.nn.GRUCell(6, 5, key=KEY), "weight_ih", (6, 5)),
    "lstm": (lambda: eqx.nn.LSTMCell(6, 5, key=KEY), "weight_hh", (5, 5)),
}


@pytest.mark.parametrize("case", LAYERS)
def test_fans(case: str) -> None:
    """If this fails a layer gets the variance of another: (in, out) for (out, in), groups, gates."""
    make, name, fans = LAYERS[case]
    model = vs.jax.tree_model(make())
    found = model[name].initializer.describe(model[name].shape)
    assert (found.fan_in, found.fan_out) == fans


class Network(eqx.Module):
    """All that is not a weight too."""

    embed: eqx.nn.Embedding
    mlp: eqx.nn.MLP
    norm: eqx.nn.LayerNorm
    batch: eqx.nn.BatchNorm

    def __init__(self) -> None:
        self.embed = eqx.nn.Embedding(10, 8, key=KEY)
        self.mlp = eqx.nn.MLP(8, 4, 16, 2, key=KEY)
        self.norm = eqx.nn.LayerNorm(4)
        self.batch = eqx.nn.BatchNorm(4, "batch", mode="batch")

    def __call__(self, token: Any) -> Any:
        return self.norm(self.mlp(self.embed(token)))


def test_a_network() -> None:
    """If this fails a module does not run any more, or has other weights than NumPy's of its names."""
    network = vs.jax.init_tree(Network(), vs.he_normal(), seed=7)
    weight = vs.he_normal(7, in_axis=1, out_axis=0).fold_in("mlp/layers/0/weight")((16, 8))
    assert np.array_equal(np.asarray(network.mlp.layers[0].weight), weight)
    embedding = vs.RandomNormal(0.0, 0.02, 7).fold_in("embed/weight")((10, 8))
    assert np.array_equal(np.asarray(network.embed.weight), embedding)
    assert (network.norm.weight == 1).all()
    assert network(jnp.array(3)).shape == (4,)
    state = Network().batch.batch_state_index.init
    assert all(map(np.array_equal, network.batch.batch_state_index.init, state))


def test_an_abstract_network() -> None:
    """If this fails a network must be made by Equinox first, to be made anew."""
    shapes = eqx.filter_eval_shape(lambda: eqx.nn.MLP(8, 4, 16, 2, key=KEY))
    network = vs.jax.init_tree(shapes, vs.he_normal(), seed=7)
    assert network(jnp.ones(8)).shape == (4,)


def test_slopes_are_told_by_nobody() -> None:
    """If this fails a slope of PReLU gets a guess."""
    with pytest.raises(ValueError, match="slopes of PReLU"):
        vs.jax.init_tree(eqx.nn.PReLU(), vs.he_normal(), seed=7)


def test_stacks_of_layers() -> None:
    """If this fails the layers of a stack are taken for the places of one kernel, and are too small."""
    make = eqx.filter_vmap(lambda key: eqx.nn.Conv1d(6, 4, 3, groups=2, use_bias=False, key=key))
    stack = make(jax.random.split(KEY, 5))
    model = vs.jax.tree_model(stack, vs.default_rules(weight=vs.glorot_normal()))
    found = model["weight"].initializer.describe((5, 4, 3, 3))
    assert (found.fan_in, found.fan_out) == (9, 6)
    network = eqx.filter_vmap(lambda key: eqx.nn.MLP(8, 4, 16, 1, key=key))(jax.random.split(KEY, 5))
    filled = vs.jax.init_tree(network, vs.lecun_normal(), seed=7)
    weight = vs.lecun_normal(7, in_axis=2, out_axis=1, batch_axis=0).fold_in("layers/0/weight")((5, 16, 8))
    assert np.array_equal(np.asarray(filled.layers[0].weight), weight)
    assert (filled.layers[0].bias == 0).all()
    with pytest.raises(ValueError, match="name its `axis`"):
        vs.jax.init_tree(network, vs.Orthogonal(), seed=7)


def test_a_stack_of_tables_is_refused() -> None:
    """If this fails embeddings that are stacked are scaled like weights."""
    tables = eqx.filter_vmap(lambda key: eqx.nn.Embedding(10, 4, key=key))(jax.random.split(KEY, 3))
    with pytest.raises(ValueError, match="'weight'"):
        vs.jax.init_tree(tables, vs.lecun_normal(), seed=7)


def test_arrays_in_two_places_are_refused() -> None:
    """If this fails weights that are tied come apart without a word."""
    layer = eqx.nn.Linear(4, 4, key=KEY)
    with pytest.raises(ValueError, match="`tree` must hold each array once, has one as '0/weight' and '1/weight'"):
        vs.jax.init_tree([layer, layer], vs.lecun_normal(), seed=7)
    filled = vs.jax.init_tree([layer, layer], vs.lecun_normal(), seed=7, keep="1/*")
    assert filled[1].weight is layer.weight


class Own(eqx.Module):
    """A layer of a user's own."""

    weight: Any


def test_a_layer_of_ones_own() -> None:
    """If this fails a weight in a user's module has the fans of (in, out), which Equinox' own layers do not have."""
    model = vs.jax.tree_model(Own(jnp.ones((16, 64))))
    assert model["weight"].initializer.describe((16, 64)).fan_in == 64
