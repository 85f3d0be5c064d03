"""Initializers of JAX on 8 host devices: each device makes its own shard, and no other."""

from __future__ import annotations

import os
import subprocess
import sys
from math import prod
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

import varscale as vs
from varscale.jax import _primitive
from varscale.jax._shards import shard_map

INIT, ORTHOGONAL, SHAPE = vs.jax.lecun_normal(), vs.jax.orthogonal(), (64, 32)
FULL, MATRIX = vs.lecun_normal(7)(SHAPE), vs.Orthogonal(seed=7)(SHAPE)
KEY = np.array([0, 7], np.uint32)
# The specs, and how many parts each cuts a matrix into on a 4 x 2 mesh.
SPECS = {P("a", "b"): 8, P("a"): 4, P(None, "b"): 2, P(("b", "a"), None): 8, P(None, ("a", "b")): 8, P(): 1}
TRAFFIC = ("all-gather", "all-reduce", "all-to-all", "collective-permute")


def mesh(kind: AxisType = AxisType.Auto) -> Any:
    return jax.make_mesh((4, 2), ("a", "b"), axis_types=(kind, kind))


def exact(array: jax.Array, full: np.ndarray = FULL) -> bool:
    return all(np.asarray(s.data).tobytes() == full[s.index].tobytes() for s in array.addressable_shards)


def traffic(run: Any, *operands: Any) -> list[str]:
    """What a compiled program sends between devices."""
    text = run.lower(*operands).compile().as_text()
    return [word for word in TRAFFIC if word in text]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The elements of each call to the host."""
    sizes: list[int] = []
    values = _primitive._values

    def counted(*operands: Any, block: Any) -> Any:
        array = values(*operands, block=block)
        sizes.append(array.size)
        return array

    monkeypatch.setattr(_primitive, "_values", counted)
    jax.clear_caches()
    return sizes


def test_there_are_eight_devices() -> None:
    """If this fails the tests below shard nothing."""
    assert jax.device_count() == 8


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_a_sharding_that_is_asked_for(spec: P, made: list[int]) -> None:
    """If this fails a device makes more than its shard, or values depend on the mesh."""
    sharding = NamedSharding(mesh(), spec)
    start = jax.jit(lambda key: INIT(key, SHAPE, out_sharding=sharding))
    assert traffic(start, KEY) == []
    array = start(KEY)
    assert exact(array)
    assert array.sharding.is_equivalent_to(sharding, 2)
    assert made == [prod(SHAPE) // SPECS[spec]] * 8
    assert len(start.lower(KEY).as_text()) < 4000


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_outside_of_programs(spec: P, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a shard is made for each device that holds it, or the whole for a shard."""
    parts: list[int] = []
    make = vs.Lazy._make
    monkeypatch.setattr(vs.Lazy, "_make", lambda self, *rest: parts.append(1) or make(self, *rest))
    sharding = NamedSharding(mesh(), spec)
    array = INIT(KEY, SHAPE, None, sharding)
    assert exact(array)
    assert array.sharding == sharding
    assert len(parts) == SPECS[spec]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_a_sharding_of_the_program(spec: P, made: list[int], capfd: pytest.CaptureFixture[str]) -> None:
    """If this fails one device makes the whole of what `jit(..., out_shardings)` cuts, and sends it to all others."""
    start = jax.jit(lambda key: INIT(key, SHAPE), out_shardings=NamedSharding(mesh(), spec))
    assert traffic(start, KEY) == []
    assert exact(start(KEY))
    assert made == [], "each device makes its shard by operations"
    assert "rematerialization" not in capfd.readouterr().err


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_shards_by_operations(spec: P, made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails an accelerator's shard has the values of another place."""
    monkeypatch.setattr(_primitive, "_is_cut", lambda context: True)
    run = jax.jit(lambda key: INIT(key, SHAPE, out_sharding=NamedSharding(mesh(), spec)))
    assert traffic(run, KEY) == []
    assert exact(run(KEY))
    assert made == []


def test_shards_are_no_part_of_a_whole_that_each_device_makes() -> None:
    """If this fails each device makes the whole of a large tensor before it takes its shard."""
    start = jax.jit(lambda key: INIT(key, (4096, 512)), out_shardings=NamedSharding(mesh(), P("a", "b")))
    memory = start.lower(KEY).compile().memory_analysis()
    assert memory.temp_size_in_bytes < 4096 * 512 * 4


def test_what_the_host_alone_makes(made: list[int]) -> None:
    """If this fails an orthogonal matrix has other values in shards, or is made more than once by a program."""
    sharding = NamedSharding(mesh(), P("a", "b"))
    assert exact(jax.jit(lambda key: ORTHOGONAL(key, SHAPE), out_shardings=sharding)(KEY), MATRIX)
    assert made == [prod(SHAPE)]
    assert exact(jax.jit(lambda key: ORTHOGONAL(key, SHAPE, out_sharding=sharding))(KEY), MATRIX)
    assert made[1:] == [prod(SHAPE) // 8] * 8
    assert exact(ORTHOGONAL(KEY, SHAPE, out_sharding=sharding), MATRIX)


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=str)
def test_a_mesh_that_is_set(kind: AxisType) -> None:
    """If this fails an initializer does not work where `jax.set_mesh` does, or its arrays meet no others there."""
    with jax.set_mesh(mesh(kind)):
        array = INIT(KEY, SHAPE)
        assert exact(array)
        assert array.sharding.is_equivalent_to(jnp.zeros(SHAPE).sharding, 2), "where JAX's own lie"
        large = INIT(KEY, (512, 256)).addressable_shards
        assert len({shard.data.unsafe_buffer_pointer() for shard in large}) == 1, "all share one array"
        assert (jnp.ones((3, 64)) @ array).shape == (3, 32)
        for run in (lambda key: INIT(key, SHAPE, None, P("a", "b")), lambda key: INIT(key, SHAPE, None, P("a"))):
            for cut in (run(KEY), jax.jit(run)(KEY)):
                assert exact(cut)
                assert cut.sharding.spec[0] == "a"
        for init in (vs.jax.ones, vs.jax.constant(np.arange(32))):
            for cut in (init(KEY, SHAPE, None, P("a")), jax.jit(lambda init=init: init(KEY, SHAPE, None, P("a")))()):
                assert {shard.data.shape for shard in cut.addressable_shards} == {(16, 32)}
        assert exact(jax.jit(lambda key: INIT(key, SHAPE))(KEY))
        keys = jax.random.split(KEY, 2)
        for stacked in (jax.vmap, lambda f: jax.jit(jax.vmap(f))):
            ensemble = stacked(lambda key: INIT(key, SHAPE, None, P("a")))(keys)
            for key, found in zip(keys, np.asarray(ensemble), strict=True):
                assert np.array_equal(found, vs.lecun_normal(vs.jax.seed_of(key))(SHAPE))


def test_explicit_types() -> None:
    """If this fails a program on an explicit mesh does not know how its weights are cut."""
    with jax.set_mesh(mesh(AxisType.Explicit)):
        shaped = jax.eval_shape(lambda key: INIT(key, SHAPE, None, P("a", "b")), KEY)
        assert shaped.sharding.spec == P("a", "b")
        keys = jax.reshard(jax.random.split(KEY, 8), P("a"))
        assert jax.eval_shape(jax.vmap(lambda key: INIT(key, SHAPE)), keys).sharding.spec[0] == "a"


@pytest.mark.parametrize("check", [True, False])
def test_maps_over_shards(check: bool) -> None:
    """If this fails each device of a user's `shard_map` makes the tensor of another key than its own."""
    keys = jax.random.split(KEY, 8)
    line = jax.make_mesh((8,), ("keys",), axis_types=(AxisType.Auto,))
    run = shard_map(
        lambda key: INIT(key[0], SHAPE)[None], mesh=line, in_specs=P("keys"), out_specs=P("keys"), check_vma=check
    )
    for key, found in zip(keys, np.asarray(jax.jit(run)(keys)), strict=True):
        assert np.array_equal(found, vs.lecun_normal(vs.jax.seed_of(key))(SHAPE))


def test_maps_over_some_axes() -> None:
    """If this fails a program that is mapped by hand over one axis, and by XLA over the other, does not compile."""
    run = shard_map(lambda key: INIT(key, SHAPE), mesh=mesh(), in_specs=P(), out_specs=P(), axis_names={"a"})
    assert exact(jax.jit(run)(KEY))


def test_bad_shardings() -> None:
    """If this fails a mistake is found late, or not at all."""
    sharding = NamedSharding(mesh(), P("a"))
    for run in (
        lambda key: INIT(key, (7, 8), out_sharding=sharding),
        lambda key: INIT(key, SHAPE, out_sharding=P("a")),
    ):
        with pytest.raises(ValueError, match=r"implies that array axis 0|`out_sharding` must be a NamedSharding where"):
            run(KEY)
        with pytest.raises(ValueError, match=r"`out_sharding` must"):
            jax.jit(run)(KEY)


PROCESS = """
import sys
import jax
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 4)
jax.distributed.initialize(f"localhost:{sys.argv[1]}", 2, int(sys.argv[2]))
import numpy as np, varscale as vs
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
mesh = jax.make_mesh((4, 2), ("a", "b"), axis_types=(AxisType.Auto,) * 2)
sharding = NamedSharding(mesh, P("a", "b"))
key, init, full = jax.random.key(7), vs.jax.lecun_normal(), vs.lecun_normal(7)((64, 32))
for array in (
    init(key, (64, 32), out_sharding=sharding),
    jax.jit(lambda key: init(key, (64, 32), out_sharding=sharding))(key),
    jax.jit(lambda key: init(key, (64, 32)), out_shardings=sharding)(key),
):
    assert len(array.addressable_shards) == 4
    for shard in array.addressable_shards:
        assert np.asarray(shard.data).tobytes() == full[shard.index].tobytes()
"""


def test_two_processes() -> None:
    """If this fails processes that make one tensor together make shards of different ones, or wait for each other."""
    environment = {**os.environ, "XLA_FLAGS": ""}
    port = str(20000 + os.getpid() % 20000)
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", PROCESS, port, str(rank)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
