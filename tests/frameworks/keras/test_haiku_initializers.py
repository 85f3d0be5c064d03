"""Haiku with initializers that take the next key: begun, trained, saved, loaded in a new process."""

from __future__ import annotations

import copy
import doctest
import inspect
import pickle
from pathlib import Path
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import varscale as vs
from frameworks.keras import elsewhere

KEY, INPUTS = jax.random.key(7), jnp.linspace(-1, 1, 32).reshape(4, 8)
KEYLESS = {"Initializer", "identity", "init_tree", "make_array", "sample", "seed_of", "tree_model"}


def forward(x: Any) -> Any:
    """One initializer in three layers of one shape, and one beside it."""
    w = vs.jax.haiku.lecun_normal()
    layers = [hk.Linear(8, w_init=w, b_init=vs.jax.haiku.zeros) for _ in range(3)]
    x = hk.Sequential([*layers, jax.nn.relu])(x)
    x = hk.MultiHeadAttention(2, 4, model_size=8, w_init=vs.jax.haiku.variance_scaling(1.0, "fan_in", "normal"))(
        x, x, x
    )
    return hk.Linear(1, w_init=vs.jax.haiku.orthogonal())(x)


def test_names() -> None:
    """If this fails a name of `varscale.jax` is missing, or has other arguments in Haiku."""
    names = {*vs.jax.__all__} - KEYLESS
    assert {*vs.jax.haiku.__all__} == names | {"Initializer"}
    for name in names - {"ones", "zeros"}:
        ours, keyed = (inspect.signature(getattr(module, name)) for module in (vs.jax.haiku, vs.jax))
        assert list(ours.parameters.items()) == list(keyed.parameters.items())
        assert getattr(vs.jax.haiku, name).__module__ == "varscale.jax.haiku"
    assert "haiku" in dir(vs.jax)


def test_weights_are_numpys_of_their_keys() -> None:
    """If this fails two layers of one initializer are equal, or weights are not those of Haiku's keys."""
    network = hk.transform(forward)
    params = network.init(KEY, INPUTS)
    seeds = hk.transform(lambda: [vs.jax.seed_of(hk.next_rng_key()) for _ in range(3)]).apply({}, KEY)
    for seed, name in zip(seeds, ("linear", "linear_1", "linear_2"), strict=True):
        assert np.array_equal(params[name]["w"], vs.lecun_normal(seed)((8, 8))), "constants take no key"
    again = jax.jit(network.init)(KEY, INPUTS)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), params, again))


def test_trained_saved_and_loaded(tmp_path: Path) -> None:
    """If this fails a network with our initializers does not train, is lost in a file, or begins otherwise there."""
    network = hk.without_apply_rng(hk.transform(forward))
    first = params = network.init(KEY, INPUTS)
    optimizer = optax.adam(1e-2)
    state = optimizer.init(params)

    @jax.jit
    def step(params: Any, state: Any) -> Any:
        loss, grads = jax.value_and_grad(lambda p: jnp.mean((network.apply(p, INPUTS) - 1.0) ** 2))(params)
        updates, state = optimizer.update(grads, state)
        return optax.apply_updates(params, updates), state, loss

    losses = []
    for _ in range(20):
        params, state, loss = step(params, state)
        losses.append(float(loss))
    assert losses[-1] < 0.7 * losses[0]
    again, outputs = elsewhere.run(
        tmp_path,
        """
import haiku as hk, jax
from test_haiku_initializers import KEY, INPUTS, forward
network = hk.without_apply_rng(hk.transform(forward))
found = jax.device_get((network.init(KEY, INPUTS), network.apply(saved["params"], INPUTS)))
""",
        params=jax.device_get(params),
    )
    assert jax.tree.all(jax.tree.map(lambda a, b: a.tobytes() == np.asarray(b).tobytes(), again, first))
    assert np.array_equal(outputs, network.apply(params, INPUTS))


def test_lifted_layers() -> None:
    """If this fails the layers of `hk.experimental.layer_stack` are equal."""

    def stacked(x: Any) -> Any:
        layer = hk.experimental.layer_stack(4)(lambda x: hk.Linear(8, w_init=vs.jax.haiku.he_normal())(x))
        return layer(x)

    (layers,) = jax.jit(hk.transform(stacked).init)(KEY, INPUTS).values()
    assert len({layer.tobytes() for layer in np.asarray(layers["w"])}) == 4


def test_initializers_are_values() -> None:
    """If this fails an initializer of Haiku cannot be saved, or does not equal another of the same arguments."""
    for init in (vs.jax.haiku.normal(0.5, "bfloat16"), vs.jax.haiku.zeros, vs.jax.haiku.constant([1, 2])):
        assert pickle.loads(pickle.dumps(init)) == init == copy.deepcopy(init)
        assert hash(init) == hash(pickle.loads(pickle.dumps(init)))
    assert vs.jax.haiku.normal(0.5) == vs.jax.haiku.normal(0.5) != vs.jax.haiku.normal(0.25)
    assert repr(vs.jax.haiku.normal(0.5)) == "normal(stddev=0.5)"
    assert vs.jax.haiku.constant(2)((2,), "float16").tolist() == [2, 2]
    with pytest.raises(ValueError, match=r"hk\.transform"):
        vs.jax.haiku.normal()((2, 2))


def test_docstring_example() -> None:
    """If this fails the example of `help(varscale.jax.haiku.Initializer)` does not give what it shows."""
    found = doctest.testmod(vs.jax.haiku)
    assert (found.attempted > 1, found.failed) == (True, 0)
