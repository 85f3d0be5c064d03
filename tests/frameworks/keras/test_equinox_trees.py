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
