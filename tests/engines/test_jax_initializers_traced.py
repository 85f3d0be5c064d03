"""Initializers of JAX in programs: one call back to the host a batch, small programs, and operations elsewhere."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

import varscale as vs
from varscale.jax import _primitive, seed_of
from varscale.jax._shards import shard_map

INIT, SHAPE = vs.jax.lecun_normal(), (33, 8)
# Raw keys of NumPy: JAX's own would choose its devices now, before other files say how many there are.
KEY = np.array([0, 7], np.uint32)
KEYS = np.arange(12, dtype=np.uint32).reshape(6, 2) * np.uint32(0x9E3779B9)
RIGHT = [vs.lecun_normal(seed_of(key))(SHAPE) for key in KEYS]


def one(key: Any) -> Any:
    return INIT(key, SHAPE)


def empty(key: Any) -> Any:
    return jnp.zeros(SHAPE)


def summed(x: Any, key: Any) -> Any:
    return jnp.sum(x * jax.checkpoint(one)(key))


def alone(make: Any) -> Any:
    """A map over one device, of which each shard is one key's."""
    mesh = jax.make_mesh((1,), ("keys",), axis_types=(AxisType.Auto,), devices=jax.devices()[:1])
    return shard_map(make, mesh=mesh, in_specs=P("keys"), out_specs=P("keys"))


# How a program makes a tensor of each key, and how many calls to the host that takes.
WAYS: dict[str, tuple[Any, int]] = {
    "vmap": (jax.vmap(one), 1),
    "jit vmap": (jax.jit(jax.vmap(one)), 1),
    "two vmaps": (lambda keys: jax.jit(jax.vmap(jax.vmap(one)))(keys.reshape(2, 3)).reshape(6, *SHAPE), 1),
    "vmap, last axis": (lambda keys: jnp.moveaxis(jax.vmap(one, out_axes=2)(keys), 2, 0), 1),
    "map": (lambda keys: jax.lax.map(one, keys), 6),
    "map in batches": (lambda keys: jax.lax.map(one, keys, batch_size=3), 2),
    "scan": (jax.jit(lambda keys: jax.lax.scan(lambda _, key: (0, one(key)), 0, keys)[1]), 6),
    "remat": (jax.jit(jax.vmap(jax.checkpoint(one))), 1),
    "grad": (jax.jit(jax.vmap(lambda key: jax.grad(summed)(jnp.ones(SHAPE), key))), 1),
    "cond": (jax.jit(lambda keys: jnp.stack([jax.lax.cond(keys.size > 0, one, empty, key) for key in keys])), 6),
    "shard_map": (lambda keys: jax.jit(alone(jax.vmap(one)))(keys), 1),
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of what the host has made."""
    made: list[tuple[int, ...]] = []
    values = _primitive._values

    def counted(*operands: Any, block: Any) -> Any:
        array = values(*operands, block=block)
        made.append(array.shape)
        return array

    monkeypatch.setattr(_primitive, "_values", counted)
    return made


@pytest.mark.parametrize("way", WAYS)
def test_every_way_makes_the_values_of_the_keys(way: str, calls: list[Any]) -> None:
    """If this fails a transformation changes weights, makes layers alike, or calls the host more than once a batch."""
    run, wanted = WAYS[way]
    jax.clear_caches()
    found = np.asarray(run(jax.random.wrap_key_data(KEYS)))
    assert [tensor.tobytes() for tensor in found] == [right.tobytes() for right in RIGHT]
    assert len(calls) == wanted


def test_no_two_keys_are_alike() -> None:
    """If this fails the test above compares equal tensors with equal ones."""
    assert len({right.tobytes() for right in RIGHT}) == len(RIGHT)


def test_shapes_without_values(calls: list[Any]) -> None:
    """If this fails a model's shapes cost its values, or are others than those of its values."""
    shaped = jax.eval_shape(lambda key: vs.jax.orthogonal()(key, (4, 5), "bfloat16"), KEY)
    assert (shaped.shape, shaped.dtype, calls) == ((4, 5), jnp.bfloat16, [])
    with pytest.raises(ValueError, match="`shape` must have two axes at least"):
        jax.eval_shape(lambda key: INIT(key, (4,)), KEY)


@pytest.mark.parametrize("shape", [(3, 2), (1000, 1000), (2**16, 2**20)])
@pytest.mark.parametrize("init", [INIT, vs.jax.orthogonal(), vs.jax.zeros, vs.jax.constant(2.0)], ids=repr)
def test_a_program_is_small(init: Any, shape: tuple[int, int]) -> None:
    """If this fails a program holds the values: a kernel of 1000² would be 8 million characters."""
    assert len(jax.jit(lambda key: init(key, shape)).lower(KEY).as_text()) < 2000


def test_a_key_outside_of_the_program() -> None:
    """If this fails values of a key that is no argument are drawn while tracing, and stand in the program."""
    raw = jax.random.PRNGKey(7)
    start = jax.jit(lambda: INIT(raw, (1000, 1000)))
    assert len(start.lower().as_text()) < 2000
    assert np.array_equal(start(), vs.lecun_normal(7)((1000, 1000)))


def test_no_keys() -> None:
    """If this fails a batch of none, or an empty tensor, is an error."""
    assert jax.vmap(one)(KEYS[:0]).shape == (0, *SHAPE)
    assert jax.jit(lambda key: INIT(key, (0, 4)))(KEY).shape == (0, 4)
    assert np.array_equal(jax.jit(lambda key: vs.jax.normal()(key, ()))(KEY), vs.RandomNormal(0, 0.01, 7)(()))


@pytest.mark.parametrize("platforms", [("cuda",), ("tpu",), ("cpu", "cuda")], ids="+".join)
def test_programs_for_accelerators(platforms: tuple[str, ...]) -> None:
    """If this fails a program for a GPU waits for the host, or grows with the shape, or fails without a reason."""
    texts = [
        jax.jit(lambda key, shape=shape: INIT(key, shape)).trace(KEY).lower(lowering_platforms=platforms).as_text()
        for shape in ((64, 32), (2**14, 2**12))
    ]
    assert "callback" not in "".join(texts)
    assert len(texts[1]) < 1.05 * len(texts[0]) < 100_000  # a large shape has more digits
    with pytest.raises(NotImplementedError, match=r"Orthogonal is made by the host, which this program for .* cannot"):
        jax.jit(lambda key: vs.jax.orthogonal()(key, (4, 4))).trace(KEY).lower(lowering_platforms=platforms)


def test_the_host_is_asked_for_where_a_setting_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails `VARSCALE_DEVICE=cpu` has no effect on programs."""
    monkeypatch.setenv("VARSCALE_DEVICE", "cpu")
    with pytest.raises(NotImplementedError, match="LecunNormal is made by the host"):
        jax.jit(lambda key: INIT(key, (8, 8))).trace(KEY).lower(lowering_platforms=("cuda",))


def test_a_device_with_other_values_is_left_to_the_host(monkeypatch: pytest.MonkeyPatch, calls: list[Any]) -> None:
    """If this fails nobody compares what an accelerator makes in a program with the core's values."""
    monkeypatch.setattr(_primitive, "_is_cut", lambda context: True)
    asked: list[str] = []
    monkeypatch.setattr(_primitive, "makes", lambda source, device: asked.append(device.platform) or False)
    assert _primitive._is_traced_on("cpu", block(vs.lecun_normal(0)))
    monkeypatch.setattr(jax, "local_devices", lambda backend: jax.devices())
    assert not _primitive._is_traced_on("cuda", block(vs.lecun_normal(0)))
    assert asked == ["cpu"]


def block(rule: Any) -> _primitive.Block:
    return _primitive.Block(rule, SHAPE, SHAPE, np.dtype("float32"), b"")


def test_operations_have_the_values_of_the_host(monkeypatch: pytest.MonkeyPatch, calls: list[Any]) -> None:
    """If this fails a GPU's program has other weights than a CPU's."""
    monkeypatch.setattr(_primitive, "_is_cut", lambda context: True)
    jax.clear_caches()
    found = jax.jit(jax.vmap(one))(KEYS)
    assert [np.asarray(tensor).tobytes() for tensor in found] == [right.tobytes() for right in RIGHT]
    half = jax.jit(lambda key: vs.jax.normal()(key, (65, 3), "bfloat16"))(KEY)
    assert np.asarray(half).tobytes() == vs.RandomNormal(0, 0.01, 7)((65, 3), "bfloat16").tobytes()
    assert calls == []
    jax.clear_caches()


def test_old_versions_of_jax_call_the_host(monkeypatch: pytest.MonkeyPatch, calls: list[Any]) -> None:
    """If this fails JAX 0.6, which cuts constants to 32 bits, has other weights where XLA cuts the program."""
    monkeypatch.setattr(_primitive, "_is_cut", lambda context: True)
    monkeypatch.setattr(jax, "__version_info__", (0, 6, 2))
    jax.clear_caches()
    assert np.array_equal(jax.jit(one)(KEY), vs.lecun_normal(7)(SHAPE))
    assert calls == [SHAPE]
    jax.clear_caches()
