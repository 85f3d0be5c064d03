"""Equinox with initializers of keys: begun, trained, saved, loaded in a new process, compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import varscale as vs
from frameworks.keras import elsewhere

KEY, INPUTS = jax.random.key(7), jnp.linspace(-1, 1, 32).reshape(8, 4)
# Equinox's weights are (out, in, *kernel).
INIT = vs.jax.lecun_normal(in_axis=-1, out_axis=-2)


class Layer(eqx.Module):
    """A layer that keeps its initializer, as a part of its type."""

    weight: jax.Array
    init: Any = eqx.field(static=True)

    def __init__(self, init: Any, key: Any) -> None:
        self.init = init
        self.weight = init(key, (3, 4))

    def __call__(self, x: Any) -> Any:
        return self.weight @ x


def begun(key: Any) -> eqx.nn.MLP:
    """A network whose weights are ours."""
    network = eqx.nn.MLP(4, 1, 16, 2, key=key)
    weights = lambda network: [layer.weight for layer in network.layers]  # noqa: E731
    keys = jax.random.split(key, 3)
    return eqx.tree_at(
        weights, network, [INIT(key, weight.shape) for key, weight in zip(keys, weights(network), strict=True)]
    )


def test_weights_are_numpys_of_their_keys() -> None:
    """If this fails weights have the fans of (in, out), or are not those of their keys' seeds."""
    network = begun(KEY)
    for key, layer in zip(jax.random.split(KEY, 3), network.layers, strict=True):
        right = vs.lecun_normal(vs.jax.seed_of(key), in_axis=-1, out_axis=-2)(layer.weight.shape)
        assert np.asarray(layer.weight).tobytes() == right.tobytes()
    assert eqx.tree_equal(network, eqx.filter_jit(begun)(KEY), typematch=True)


def test_modules_that_hold_an_initializer() -> None:
    """If this fails equal modules differ, or a jitted function is compiled for each of them."""
    assert eqx.tree_equal(Layer(INIT, KEY), Layer(vs.jax.lecun_normal(-1, -2), KEY))
    traces: list[int] = []
    run = eqx.filter_jit(lambda layer, x: traces.append(1) or layer(x))
    run(Layer(INIT, KEY), INPUTS[0]), run(Layer(vs.jax.lecun_normal(-1, -2), KEY), INPUTS[0])
    assert len(traces) == 1
    ensemble = eqx.filter_vmap(lambda key: Layer(INIT, key))(jax.random.split(KEY, 4))
    assert len({weight.tobytes() for weight in np.asarray(ensemble.weight)}) == 4


def test_trained_saved_and_loaded(tmp_path: Path) -> None:
    """If this fails a network with our weights does not train, is lost in a file, or begins otherwise elsewhere."""
    network = begun(KEY)
    optimizer = optax.adam(1e-2)
    state = optimizer.init(eqx.filter(network, eqx.is_array))

    @eqx.filter_jit
    def step(network: Any, state: Any) -> Any:
        loss, grads = eqx.filter_value_and_grad(lambda n: jnp.mean((jax.vmap(n)(INPUTS) - 1.0) ** 2))(network)
        updates, state = optimizer.update(grads, state)
        return eqx.apply_updates(network, updates), state, loss

    losses = []
    for _ in range(20):
        network, state, loss = step(network, state)
        losses.append(float(loss))
    assert losses[-1] < 0.7 * losses[0]
    eqx.tree_serialise_leaves(tmp_path / "weights.eqx", network)
    first, outputs = elsewhere.run(
        tmp_path,
        """
import equinox as eqx, jax
from test_equinox_initializers import KEY, INPUTS, begun
network = eqx.tree_deserialise_leaves(folder / "weights.eqx", eqx.filter_eval_shape(begun, KEY))
found = jax.device_get(([layer.weight for layer in begun(KEY).layers], jax.vmap(network)(INPUTS)))
""",
    )
    assert all(np.array_equal(a, layer.weight) for a, layer in zip(first, begun(KEY).layers, strict=True))
    assert np.array_equal(outputs, jax.vmap(network)(INPUTS))
