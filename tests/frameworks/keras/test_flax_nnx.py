"""Flax' nnx with initializers of keys: begun, trained, saved, loaded in a new process, cloned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import varscale as vs
from frameworks.keras import elsewhere

INIT = vs.jax.lecun_normal()
TOKENS = jnp.arange(12).reshape(2, 6)


class Network(nnx.Module):
    """An embedding, an attention, a convolution and a head."""

    def __init__(self, rngs: nnx.Rngs, init: Any = INIT) -> None:
        embed = vs.jax.variance_scaling(1.0, "fan_in", "normal", out_axis=0)
        self.embed = nnx.Embed(20, 16, embedding_init=embed, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(4, 16, kernel_init=init, decode=False, rngs=rngs)
        self.conv = nnx.Conv(16, 8, (3,), kernel_init=init, bias_init=vs.jax.zeros, rngs=rngs)
        self.head = nnx.Linear(8, 20, kernel_init=init, rngs=rngs)

    def __call__(self, tokens: Any) -> Any:
        x = self.embed(tokens)
        return self.head(nnx.relu(self.conv(x + self.attention(x))))


def values(module: Any) -> Any:
    """The arrays of a module, as NumPy's, without the keys."""
    return jax.tree.map(np.asarray, nnx.to_pure_dict(nnx.state(module, nnx.Param)))


def equal(one: Any, other: Any) -> bool:
    return jax.tree.all(jax.tree.map(lambda a, b: a.tobytes() == b.tobytes(), one, other))


def test_weights_are_numpys_of_their_keys() -> None:
    """If this fails a network's weights are not those of its keys' seeds, or `nnx.jit` makes others."""
    calls: list[tuple[int, Any]] = []

    def recorded(key: Any, shape: Any, dtype: Any) -> Any:
        calls.append((vs.jax.seed_of(key), shape))
        return INIT(key, shape, dtype)

    network = Network(nnx.Rngs(7), recorded)
    made = {vs.lecun_normal(seed)(shape).tobytes() for seed, shape in calls}
    kernels = [network.attention.query, network.attention.key, network.attention.value, network.attention.out]
    found = {np.asarray(layer.kernel[...]).tobytes() for layer in (*kernels, network.conv, network.head)}
    assert (len(made), made) == (6, found)
    assert isinstance(network.head.kernel[...], jax.Array)
    assert equal(values(network), values(Network(nnx.Rngs(7))))
    assert equal(values(network), values(nnx.jit(lambda: Network(nnx.Rngs(7)))()))
    shaped = nnx.eval_shape(lambda: Network(nnx.Rngs(7)))
    assert shaped.head.kernel.shape == (8, 20)


def test_trained_saved_loaded_and_cloned(tmp_path: Path) -> None:
    """If this fails a model with our initializers does not train, is lost in a file, or begins otherwise elsewhere."""
    network = Network(nnx.Rngs(7))
    first = values(network)
    assert equal(first, values(nnx.clone(network)))
    optimizer = nnx.Optimizer(network, optax.adam(1e-2), wrt=nnx.Param)

    @nnx.jit
    def step(network: Any, optimizer: Any) -> Any:
        loss, grads = nnx.value_and_grad(
            lambda n: optax.softmax_cross_entropy_with_integer_labels(n(TOKENS), TOKENS).mean()
        )(network)
        optimizer.update(network, grads)
        return loss

    losses = [float(step(network, optimizer)) for _ in range(10)]
    assert losses[-1] < 0.8 * losses[0]
    again, outputs = elsewhere.run(
        tmp_path,
        """
import jax
from flax import nnx
from test_flax_nnx import Network, TOKENS, values
network = Network(nnx.Rngs(7))
first = values(network)
state = nnx.state(network, nnx.Param)
nnx.replace_by_pure_dict(state, saved["values"])
nnx.update(network, state)
found = first, jax.device_get(network(TOKENS))
""",
        values=values(network),
    )
    assert equal(again, first)
    assert np.array_equal(outputs, network(TOKENS))


@pytest.mark.parametrize("is_jitted", [False, True])
def test_mapped_layers(is_jitted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails the layers of `nnx.vmap` are equal, or the host is called for each of them."""
    from varscale.jax import _primitive

    calls = []
    values = _primitive._values
    monkeypatch.setattr(_primitive, "_values", lambda *args, **kwargs: calls.append(1) or values(*args, **kwargs))

    @nnx.vmap(in_axes=0, out_axes=0)
    def make(rngs: Any) -> Any:
        return nnx.Linear(16, 16, kernel_init=INIT, rngs=rngs)

    run = nnx.jit(make) if is_jitted else make
    kernel = np.asarray(run(nnx.Rngs(7).split(5)).kernel[...])
    assert len({layer.tobytes() for layer in kernel}) == 5
    assert len(calls) == 1


MESHES = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"
import jax
import numpy as np
from flax import nnx
from jax.sharding import AxisType
import varscale as vs
init = nnx.with_partitioning(vs.jax.lecun_normal(), ("a", "b"))
make = lambda: nnx.Linear(16, 32, kernel_init=init, rngs=nnx.Rngs(7))
right = np.asarray(nnx.Linear(16, 32, kernel_init=vs.jax.lecun_normal(), rngs=nnx.Rngs(7)).kernel[...])
found = []
for kind in (AxisType.Auto, AxisType.Explicit):
    with jax.set_mesh(jax.make_mesh((4, 2), ("a", "b"), axis_types=(kind, kind))):
        for layer in (make(), nnx.jit(make)()):
            kernel = layer.kernel[...]
            found.append((tuple(kernel.sharding.spec), bool((np.asarray(kernel) == right).all())))
"""


def test_partitioned_layers(tmp_path: Path) -> None:
    """If this fails `nnx.with_partitioning` does not take our initializers under `jax.set_mesh`."""
    assert elsewhere.run(tmp_path, MESHES) == [(("a", "b"), True)] * 4
