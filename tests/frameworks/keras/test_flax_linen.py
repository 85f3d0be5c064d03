"""Flax' linen with initializers of keys: begun, trained, saved, loaded in a new process, cloned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import varscale as vs
from frameworks.keras import elsewhere

KEY, TOKENS = jax.random.key(7), jnp.arange(12).reshape(2, 6)
EMBED = vs.jax.variance_scaling(1.0, "fan_in", "normal", out_axis=0)


class Network(nn.Module):
    """An attention, a convolution, an embedding and a head."""

    kernel_init: Any = vs.jax.lecun_normal()

    @nn.compact
    def __call__(self, tokens: Any) -> Any:
        x = nn.Embed(20, 16, embedding_init=EMBED)(tokens)
        x = x + nn.MultiHeadDotProductAttention(4, kernel_init=self.kernel_init)(x)
        x = nn.relu(nn.Conv(8, (3,), kernel_init=self.kernel_init, bias_init=vs.jax.zeros)(x))
        return nn.Dense(20, kernel_init=self.kernel_init)(x)


class Recorded:
    """An initializer that remembers the seeds and shapes that it is called with."""

    def __init__(self, init: Any) -> None:
        self.init, self.calls = init, list[tuple[int, Any]]()

    def __call__(self, key: Any, shape: Any, dtype: Any = None) -> Any:
        self.calls.append((vs.jax.seed_of(key), shape))
        return self.init(key, shape, dtype)


def equal(one: Any, other: Any) -> bool:
    return jax.tree.all(jax.tree.map(lambda a, b: np.asarray(a).tobytes() == np.asarray(b).tobytes(), one, other))


def kernels(params: Any) -> list[bytes]:
    flat = flax.traverse_util.flatten_dict(params, sep="/")
    return [np.asarray(leaf).tobytes() for name, leaf in flat.items() if "kernel" in name]


def test_weights_are_numpys_of_their_keys() -> None:
    """If this fails a network's weights are not those of its keys' seeds, two are alike, or jit makes others."""
    recorded = Recorded(vs.jax.lecun_normal())
    params = Network(recorded).init(KEY, TOKENS)["params"]
    made = {vs.lecun_normal(seed)(shape).tobytes() for seed, shape in recorded.calls}
    assert len(made) == 6
    assert made == {*kernels(params)}
    assert equal(params, Network().init(KEY, TOKENS)["params"])
    assert equal(params, jax.jit(Network().init)(KEY, TOKENS)["params"])


def test_attention_has_flaxs_fans() -> None:
    """If this fails heads get the variance of other shapes than with Flax' own initializers."""
    inputs = jnp.ones((1, 2, 512))
    ours, own = (
        nn.MultiHeadDotProductAttention(8, kernel_init=init).init(KEY, inputs)["params"]
        for init in (vs.jax.lecun_normal(), nn.initializers.lecun_normal())
    )
    for name in ("query", "key", "value", "out"):
        ratio = float(jnp.std(ours[name]["kernel"]) / jnp.std(own[name]["kernel"]))
        assert abs(ratio - 1) < 0.01, name


@pytest.mark.parametrize("init", [vs.jax.lecun_normal, vs.lecun_normal()], ids=["function", "plain"])
def test_what_takes_no_key_says_what_does(init: Any) -> None:
    """If this fails who gives Flax what it cannot call with its key is not told what to give instead."""
    for begin in (lambda: nn.Dense(3, kernel_init=init).init(KEY, jnp.ones((1, 4))),
                  lambda: nnx.Linear(4, 3, kernel_init=init, rngs=nnx.Rngs(7))):  # fmt: skip
        with pytest.raises(
            TypeError, match=r"got .*give (`varscale\.jax\.lecun_normal\(\.\.\.\)`|one of `varscale\.jax`)"
        ):
            begin()


def test_trained_saved_loaded_and_cloned(tmp_path: Path) -> None:
    """If this fails a model with our initializers does not train, is lost in a file, or begins otherwise elsewhere."""
    model = Network()
    assert model.clone() == model == Network(vs.jax.lecun_normal())
    first = params = model.init(KEY, TOKENS)
    optimizer = optax.adam(1e-2)
    state = optimizer.init(params)

    @jax.jit
    def step(params: Any, state: Any) -> Any:
        loss, grads = jax.value_and_grad(
            lambda p: optax.softmax_cross_entropy_with_integer_labels(model.apply(p, TOKENS), TOKENS).mean()
        )(params)
        updates, state = optimizer.update(grads, state)
        return optax.apply_updates(params, updates), state, loss

    losses = []
    for _ in range(10):
        params, state, loss = step(params, state)
        losses.append(float(loss))
    assert losses[-1] < 0.7 * losses[0]
    again, outputs = elsewhere.run(
        tmp_path,
        """
import flax, jax
from test_flax_linen import KEY, TOKENS
first = jax.jit(saved["model"].init)(KEY, TOKENS)
params = flax.serialization.from_bytes(first, saved["params"])
found = jax.device_get((first, saved["model"].apply(params, TOKENS)))
""",
        model=model,
        params=flax.serialization.to_bytes(params),
    )
    assert equal(again, first)
    assert np.array_equal(outputs, model.apply(params, TOKENS))


class Layer(nn.Module):
    """What `nn.scan` and `nn.vmap` repeat."""

    kernel_init: Any

    @nn.compact
    def __call__(self, x: Any, _: Any = None) -> Any:
        return nn.Dense(16, kernel_init=self.kernel_init)(x), None


def test_scanned_and_mapped_layers() -> None:
    """If this fails the layers of `nn.scan` or of `nn.vmap` are equal, or jit makes others."""
    x = jnp.ones((5, 16))
    init = vs.jax.lecun_normal()
    scanned = nn.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=5)(init)
    mapped = nn.vmap(nn.Dense, variable_axes={"params": 0}, split_rngs={"params": True})(16, kernel_init=init)
    for model, inputs in ((scanned, (x, None)), (mapped, (x,))):
        params = model.init(KEY, *inputs)
        (stacked,) = kernels(params)
        assert len({*np.frombuffer(stacked, np.float32).reshape(5, 256)[:, 0]}) == 5
        assert equal(params, jax.jit(model.init)(KEY, *inputs))
    rematted = nn.remat(Layer)(init)
    assert equal(rematted.init(KEY, x), jax.jit(rematted.init)(KEY, x))


def test_boxes() -> None:
    """If this fails `nn.with_partitioning` does not take our initializers."""
    dense = nn.Dense(4, kernel_init=nn.with_partitioning(vs.jax.he_normal(), (None, "model")))
    params = dense.init(KEY, jnp.ones((1, 8)))["params"]
    assert params["kernel"].names == (None, "model")
    assert params["kernel"].value.shape == (8, 4)
