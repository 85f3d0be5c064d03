"""JAX on 8 host devices: any sharding, each shard made once, and through a checkpoint to another mesh."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint
import pytest
from jax.sharding import NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

import varscale as vs

INIT = vs.lecun_normal(7).fold_in("kernel")
SHAPE = (512, 256)
FULL = INIT(SHAPE)
# The specs, and how many different shards each makes of a matrix on a 4 x 2 mesh.
SPECS = {P("a", "b"): 8, P("a"): 4, P("b"): 2, P(None, ("a", "b")): 8, P(("b", "a"), None): 8, P(None, "b"): 2, P(): 1}


def mesh(rows: int, columns: int) -> Any:
    return jax.make_mesh((rows, columns), ("a", "b"))


def exact(array: jax.Array, full: np.ndarray) -> bool:
    """Whether each shard is that slice of the tensor, bit for bit."""
    return all(np.asarray(s.data).tobytes() == full[s.index].tobytes() for s in array.addressable_shards)


def test_there_are_eight_devices() -> None:
    """If this fails the tests below shard nothing."""
    assert jax.device_count() == 8


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_any_sharding(spec: P, dtype: str) -> None:
    """If this fails values depend on the mesh."""
    array = vs.jax.make_array(INIT, SHAPE, NamedSharding(mesh(4, 2), spec), dtype)
    assert array.shape == SHAPE
    assert array.dtype == dtype
    assert array.sharding.spec == spec
    assert exact(array, INIT(SHAPE, dtype))
    assert np.asarray(array).tobytes() == INIT(SHAPE, dtype).tobytes()


@pytest.mark.parametrize(("spec", "distinct"), SPECS.items(), ids=str)
def test_each_shard_is_made_once(spec: P, distinct: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails replicas cost a generation each."""
    made = []
    make = vs.Lazy._make
    monkeypatch.setattr(vs.Lazy, "_make", lambda self, *rest: made.append(rest) or make(self, *rest))
    vs.jax.make_array(INIT, SHAPE, NamedSharding(mesh(4, 2), spec))
    assert len(made) == distinct


def test_cpu_devices_take_shards_without_a_copy() -> None:
    """If this fails memory and time double: shards no longer start where JAX needs them, or it copies."""
    array = vs.jax.make_array(INIT, (2048, 512), NamedSharding(mesh(4, 2), P("a")))
    pointers = {shard.data.unsafe_buffer_pointer() for shard in array.addressable_shards}
    assert len(pointers) == 4, "replicas share their memory"
    assert all(pointer % 64 == 0 for pointer in pointers)


def test_other_shardings() -> None:
    """If this fails one device, layouts, scalars or empty arrays do not work."""
    one = vs.jax.make_array(INIT, SHAPE, SingleDeviceSharding(jax.devices()[5]))
    assert one.devices() == {jax.devices()[5]}
    assert exact(one, FULL)
    sharding = NamedSharding(mesh(4, 2), P())
    assert vs.jax.make_array(INIT, (), sharding) == INIT(())
    assert vs.jax.make_array(INIT, (0, 4), sharding).shape == (0, 4)
    assert exact(vs.jax.make_array(INIT, (8, 6, 4), NamedSharding(mesh(2, 4), P("b", "a"))), INIT((8, 6, 4)))


def test_lazy_tensors_of_a_model() -> None:
    """If this fails a model's parameters cannot be made by JAX."""
    model = vs.Model({"wte": (64, 8), "mlp.w": (8, 32), "mlp.b": (32,)}, layout="jax", dtype="bfloat16")
    for name, tensor in model.lazy(3).items():
        array = vs.jax.make_array(tensor, None, NamedSharding(mesh(4, 2), P("a")))
        assert exact(array, model.init(3)[name])


def test_without_a_seed_it_is_one_tensor() -> None:
    """If this fails the shards of an unseeded array come from several tensors."""
    replicated, cut = (P(), P("a"))
    tensor = vs.lecun_normal().lazy(SHAPE)
    arrays = [np.asarray(vs.jax.make_array(tensor, None, NamedSharding(mesh(4, 2), s))) for s in (replicated, cut)]
    assert np.array_equal(*arrays)


def test_results_are_ordinary_arrays() -> None:
    """If this fails jitted code or donation does not work on them."""
    array = vs.jax.make_array(INIT, SHAPE, NamedSharding(mesh(4, 2), P("a", "b")))
    before = INIT(SHAPE)
    updated = jax.jit(lambda w: w + 1.0, donate_argnums=0)(array)
    assert np.array_equal(np.asarray(updated), before + np.float32(1.0))
    assert np.array_equal(INIT(SHAPE), before)


def test_64_bit_values_need_jax_to_hold_them() -> None:
    """If this fails float64 weights are rounded in silence."""
    sharding = NamedSharding(mesh(4, 2), P("a"))
    with pytest.raises(ValueError, match="`dtype` must have at most 32 bits while `jax_enable_x64` is off"):
        vs.jax.make_array(INIT, SHAPE, sharding, jnp.float64)
    with jax.enable_x64(True):
        array = vs.jax.make_array(INIT, SHAPE, sharding, "float64")
        assert exact(array, INIT(SHAPE, "float64"))


def test_bad_arguments() -> None:
    """If this fails a mistake is found late, or not at all."""
    sharding = NamedSharding(mesh(4, 2), P("a"))
    with pytest.raises(ValueError, match="evenly divide"):
        vs.jax.make_array(INIT, (7, 8), sharding)
    with pytest.raises(TypeError, match="sharding"):
        vs.jax.make_array(INIT, (8, 8), P("a"))
    with pytest.raises(ValueError, match=r"`shape` must be that of the lazy tensor, \(8, 8\), or None"):
        vs.jax.make_array(INIT.lazy((8, 8)), (8, 4), sharding)
    with pytest.raises(TypeError, match="`init` must be one of varscale's own initializers or a lazy tensor"):
        vs.jax.make_array(jax.nn.initializers.lecun_normal(), (8, 8), sharding)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_orbax_from_one_mesh_to_another(tmp_path: Path) -> None:
    """If this fails a checkpoint of our arrays, restored elsewhere, is not what a call makes there."""
    shapes = {"kernel": (512, 256), "scale": (64,), "half": (64, 32)}
    dtypes = {"kernel": "float32", "scale": "float32", "half": "bfloat16"}

    def arrays(sharding: Any) -> dict[str, jax.Array]:
        return {n: vs.jax.make_array(INIT.fold_in(n), shape, sharding, dtypes[n]) for n, shape in shapes.items()}

    saved = arrays(NamedSharding(mesh(4, 2), P("a")))
    wanted = NamedSharding(mesh(2, 4), P("b"))
    with orbax.checkpoint.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "weights", saved)
        checkpointer.wait_until_finished()
        abstract = {n: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=wanted) for n, a in saved.items()}
        restored = checkpointer.restore(tmp_path / "weights", abstract)
    for name, array in restored.items():
        assert array.sharding == wanted
        assert exact(array, INIT.fold_in(name)(shapes[name], dtypes[name]))
        assert np.asarray(array).tobytes() == np.asarray(arrays(wanted)[name]).tobytes()


PROCESS = """
import sys
import jax
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 4)
jax.distributed.initialize(f"localhost:{sys.argv[1]}", 2, int(sys.argv[2]))
import numpy as np, varscale as vs
from jax.sharding import NamedSharding, PartitionSpec as P
assert (jax.process_count(), jax.device_count(), jax.local_device_count()) == (2, 8, 4)
init = vs.lecun_normal(7).fold_in("kernel")
full = init((512, 256))
mesh = jax.make_mesh((4, 2), ("a", "b"))
for spec in (P("a", "b"), P("a"), P(None, ("a", "b")), P()):
    array = vs.jax.make_array(init, (512, 256), NamedSharding(mesh, spec))
    for shard in array.addressable_shards:
        assert np.asarray(shard.data).tobytes() == full[shard.index].tobytes(), (spec, shard.index)
    assert len(array.addressable_shards) == 4
try:
    vs.jax.make_array(vs.lecun_normal(), (512, 256), NamedSharding(mesh, P("a")))
except ValueError as error:
    print(error)
"""


def test_two_processes() -> None:
    """If this fails each process of a cluster makes shards of a tensor of its own."""
    environment = {**os.environ, "XLA_FLAGS": ""}
    port = str(20000 + os.getpid() % 20000)
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", PROCESS, port, str(rank)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "must have a seed where several processes make one tensor" in output


def test_docstring_example() -> None:
    """If this fails the example of `help(varscale.jax.make_array)` does not give what it shows."""
    found = doctest.testmod(vs.jax)
    assert found.attempted > 2
    assert found.failed == 0
