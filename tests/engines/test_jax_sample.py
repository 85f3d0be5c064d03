"""`sample` inside of JAX's programs: under every transformation, in parts, for every kind of initializer."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

import varscale as vs
from oracle.matrix import BOXES
from varscale._devices.jnp import x64
from varscale.jax._shards import shard_map

INIT = vs.lecun_normal(7).fold_in("kernel")
SHAPE = (512, 256)
COLLECTIVES = re.compile(r"all-\w+|collective-\w+|reduce-scatter|send|recv")


def same(array: Any, right: np.ndarray) -> bool:
    found = np.asarray(array)
    return (found.shape, found.dtype, found.tobytes()) == (right.shape, right.dtype, right.tobytes())


def mesh() -> Any:
    return jax.make_mesh((4, 2), ("a", "b"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_traced_and_not(dtype: str) -> None:
    """If this fails a program has other weights than a call."""
    right = INIT(SHAPE, dtype)
    assert same(vs.jax.sample(INIT, SHAPE, dtype), right)
    assert same(jax.jit(lambda: vs.jax.sample(INIT, SHAPE, dtype))(), right)
    assert same(vs.jax.sample(INIT.lazy(SHAPE, dtype)), right)
    assert vs.jax.sample(INIT, SHAPE, jnp.dtype(dtype)).dtype == dtype


def test_float64_where_jax_has_it() -> None:
    """If this fails float64 weights are cut to 32 bits in silence."""
    with pytest.raises(
        ValueError, match="`dtype` must have at most 32 bits while `jax_enable_x64` is off, got 'float64'"
    ):
        vs.jax.sample(INIT, SHAPE, "float64")
    with jax.enable_x64(True):
        assert same(vs.jax.sample(INIT, SHAPE, "float64"), INIT(SHAPE, "float64"))
        assert same(jax.jit(lambda: vs.jax.sample(INIT, SHAPE, "float64"))(), INIT(SHAPE, "float64"))
        assert same(jax.jit(lambda: vs.jax.sample(INIT, SHAPE))(), INIT(SHAPE))


@pytest.mark.parametrize("spec", [P("a", "b"), P("a"), P(None, ("a", "b")), P(("b", "a"), None), P()], ids=str)
def test_each_device_makes_its_own_shard(spec: P) -> None:
    """If this fails devices talk to each other, or a sharded program has other weights."""
    sharding = NamedSharding(mesh(), spec)
    program = jax.jit(lambda: vs.jax.sample(INIT, SHAPE, "bfloat16"), out_shardings=sharding)
    assert not COLLECTIVES.search(program.lower().compile().as_text())
    array = program()
    assert array.sharding.spec == spec
    right = INIT(SHAPE, "bfloat16")
    assert all(same(shard.data, right[shard.index]) for shard in array.addressable_shards)


def test_shard_map() -> None:
    """If this fails a device cannot make the part that its place in the mesh tells."""

    def shard(unused: Any) -> Any:
        rows, columns = (jax.lax.axis_index(name) * size + jnp.arange(size) for name, size in (("a", 128), ("b", 128)))
        return vs.jax.sample(INIT, SHAPE, part=(rows, columns))

    program = jax.jit(shard_map(shard, mesh=mesh(), in_specs=P(), out_specs=P("a", "b")))
    assert same(program(0), INIT(SHAPE))
    assert not COLLECTIVES.search(program.lower(0).compile().as_text())


def test_in_a_training_program() -> None:
    """If this fails a gradient, a scan or a donated buffer does not go through our values."""
    x = jnp.ones((5, 16))

    def loss(scale: Any) -> Any:
        return jnp.sum(x @ (scale * vs.jax.sample(INIT, (16, 8))))

    assert np.allclose(jax.grad(loss)(1.0), np.sum(np.ones((5, 16)) @ INIT((16, 8))), rtol=1e-4)
    layers = jax.jit(lambda: jax.lax.map(lambda n: vs.jax.sample(INIT, (6, 16, 8), part=n[None])[0], jnp.arange(6)))()
    assert same(layers, INIT((6, 16, 8)))


@pytest.mark.parametrize("box", BOXES)
def test_parts(box: str) -> None:
    """If this fails a part of a tensor in a program is not the part of the tensor."""
    shape, index = BOXES[box]
    assert same(jax.jit(lambda: vs.jax.sample(INIT, shape, part=index))(), INIT(shape, index=index))


@pytest.mark.parametrize(
    "part",
    [
        lambda n: n,
        lambda n: (n, slice(3, 9)),
        lambda n: (..., n),
        lambda n: (..., n, slice(None), 2),
        lambda n: (..., -n - 1, 5),
        lambda n: ([4, 0], n, n),
        lambda n: (n.astype(jnp.uint8), slice(None, None, -2)),
    ],
)
def test_traced_indices(part: Callable[[Any], Any]) -> None:
    """If this fails a program takes other rows than it asks for, among them those that count from the end."""
    shape, n = (5, 7, 6), np.array([4, 0, 3])
    right = INIT(shape, index=part(n))
    assert same(jax.jit(lambda n: vs.jax.sample(INIT, shape, part=part(n)))(n), right)


def test_traced_indices_of_large_tensors() -> None:
    """If this fails the numbers of a traced row's elements are cut to 32 bits."""
    shape, n = (2**21, 2**20 + 1), np.array([2**21 - 1, 3, -2], np.int32)
    right = INIT(shape, index=(n, slice(7, 20)))
    assert same(jax.jit(lambda n: vs.jax.sample(INIT, shape, part=(n, slice(7, 20))))(n), right)


def test_bad_parts() -> None:
    """If this fails a mistake is found late, or not at all."""
    with pytest.raises(IndexError, match="`index` 4 is out of bounds for axis 0 with size 4"):
        vs.jax.sample(INIT, (4, 4), part=4)
    with pytest.raises(IndexError, match="`part` must hold traced entries that are 1-D arrays of integers"):
        jax.jit(lambda n: vs.jax.sample(INIT, (4, 4), part=n))(3)
    with pytest.raises(IndexError, match="`part` must hold traced entries that are 1-D arrays of integers"):
        jax.jit(lambda n: vs.jax.sample(INIT, (4, 4), part=n))(jnp.ones(3))


KNOWN = [vs.Zeros(), vs.Ones(), vs.Constant(2.5), vs.Identity(3.0), vs.Constant(np.arange(54.0))]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float8_e4m3fn", "int8", "int4", "bool"])
@pytest.mark.parametrize("init", KNOWN, ids=lambda init: type(init).__name__)
def test_what_draws_nothing(init: Any, dtype: str) -> None:
    """If this fails a model's biases and norms cannot be made where its weights are."""
    try:
        right = init((6, 9), dtype)
    except ValueError as refused:
        with pytest.raises(ValueError, match=re.escape(str(refused))):
            vs.jax.sample(init, (6, 9), dtype)
        return
    assert same(jax.jit(lambda: vs.jax.sample(init, (6, 9), dtype))(), right)
    part = ([5, 0, 5], slice(None, None, -2))
    assert same(jax.jit(lambda: vs.jax.sample(init, (6, 9), dtype, part=part))(), init((6, 9), dtype, index=part))
    assert same(jax.jit(lambda: vs.jax.sample(init, (6, 9), dtype, part=3))(), init((6, 9), dtype, index=3))


def test_a_traced_row_of_an_identity() -> None:
    """If this fails the ones of an identity matrix stand beside its diagonal."""
    rows = np.array([5, 0])
    assert same(jax.jit(lambda n: vs.jax.sample(KNOWN[3], (6, 9), part=n))(rows), KNOWN[3]((6, 9), index=rows))


PIECES = vs.Pieces(
    [(..., vs.RandomNormal(0.0, 0.02)), (0, vs.Zeros()), ((slice(3, 9), slice(2, 5)), vs.lecun_uniform())], seed=7
)


def test_pieces() -> None:
    """If this fails an embedding with a row of zeros cannot be made in a program."""
    assert same(jax.jit(lambda: vs.jax.sample(PIECES, (30, 8)))(), PIECES((30, 8)))
    key = jax.random.key(7)
    assert same(jax.jit(lambda key: vs.jax.sample(PIECES, (30, 8), key=key))(key), PIECES((30, 8)))
    part = (slice(None, None, -3), [7, 2, 1])
    assert same(vs.jax.sample(PIECES, (30, 8), part=part), PIECES((30, 8), index=part))
    assert same(vs.jax.sample(PIECES, (30, 8), part=(4, 2)), PIECES((30, 8), index=(4, 2)))
    with pytest.raises(ValueError, match="its pieces have no traced indices"):
        jax.jit(lambda n: vs.jax.sample(PIECES, (30, 8), part=n))(np.arange(3))


@pytest.mark.parametrize(
    ("init", "why"),
    [
        (vs.LogUniform(seed=3), "Python computes its values"),
        (vs.lecun_normal(vs.replay.jax(3)), "it is a replay of jax"),
        (vs.Pieces([(..., vs.LogUniform())], seed=3), "Python computes its values"),
    ],
    ids=["LogUniform", "replay", "Pieces"],
)
def test_what_jnp_cannot_make(init: Any, why: str) -> None:
    """If this fails the values are others, or the error does not say where to turn."""
    with pytest.raises(
        ValueError, match=rf"\(else use `varscale.jax.make_array`\), got {type(init).__name__}\(.*{why}"
    ):
        vs.jax.sample(init, (4, 4))


def test_without_a_seed() -> None:
    """If this fails a compiled program repeats one draw for ever, or a call outside of one draws nothing new."""
    first, second = (np.asarray(vs.jax.sample(vs.lecun_normal(), (4, 4))) for _ in range(2))
    assert not np.array_equal(first, second)
    for seed in (None, 5):
        vs.set_random_seed(seed)
        with pytest.raises(
            ValueError, match="`init` must have a seed, or the call a `key`, in a traced program, got LecunN"
        ):
            jax.jit(lambda: vs.jax.sample(vs.lecun_normal(), (4, 4)))()
    right = vs.lecun_normal().fold_in("a")((4, 4))
    assert same(jax.jit(lambda: vs.jax.sample(vs.lecun_normal().fold_in("a"), (4, 4)))(), right)
    vs.set_random_seed(5)
    assert same(vs.jax.sample(vs.lecun_normal(), (4, 4)), _first_of(5))


def _first_of(seed: int) -> np.ndarray:
    vs.set_random_seed(seed)
    return vs.lecun_normal()((4, 4))


def test_old_versions_of_jax_are_refused_where_they_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails JAX 0.6 ends in an error of its compiler."""
    monkeypatch.setattr(jax, "__version_info__", (0, 6, 2))
    with pytest.raises(RuntimeError, match=r"a traced program needs JAX 0.7 or later, or `jax_enable_x64`, got JAX"):
        jax.jit(lambda: vs.jax.sample(INIT, (4, 4)))()
    assert same(vs.jax.sample(INIT, (4, 4)), INIT((4, 4)))
    assert x64.enable_x64 is jax.enable_x64


def test_bad_arguments() -> None:
    """If this fails a mistake is found late, or not at all."""
    with pytest.raises(TypeError, match="`init` must be one of varscale's own initializers or a lazy tensor"):
        vs.jax.sample(jax.nn.initializers.lecun_normal(), (8, 8))
    with pytest.raises(ValueError, match=r"`shape` must be that of the lazy tensor, \(8, 8\), or None"):
        vs.jax.sample(INIT.lazy((8, 8)), (8, 4))
    with pytest.raises(TypeError, match="`shape` must be"):
        vs.jax.sample(INIT)
