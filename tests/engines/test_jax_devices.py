"""Arrays whose shards their devices make: the way of accelerators, here on CPU devices."""

from __future__ import annotations

import os
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import numpy as np
import pytest
from jax.sharding import NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

import varscale as vs
from varscale._devices import check
from varscale._devices.jnp import arithmetic
from varscale.jax import _arrays, _shards

INIT = vs.lecun_normal(7).fold_in("kernel")
SHAPE = (512, 256)
SPECS = [P("a", "b"), P("a"), P("b"), P(None, ("a", "b")), P(("b", "a"), None), P(None, "b"), P()]


def mesh(rows: int = 4, columns: int = 2) -> Any:
    return jax.make_mesh((rows, columns), ("a", "b"))


def exact(array: jax.Array, full: np.ndarray) -> bool:
    return all(np.asarray(s.data).tobytes() == full[s.index].tobytes() for s in array.addressable_shards)


@pytest.fixture
def accelerators(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has `make_array` take CPU devices for accelerators, but for what the environment says."""
    monkeypatch.delenv("VARSCALE_DEVICE", raising=False)
    monkeypatch.setattr(_arrays, "are_accelerators", lambda sharding: not _shards.on_the_host())


@pytest.fixture
def callbacks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the host is asked for."""
    made: list[Any] = []
    make = vs.Lazy._make
    monkeypatch.setattr(vs.Lazy, "_make", lambda self, *rest: made.append(rest) or make(self, *rest))
    return made


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_any_sharding(spec: P, dtype: str, accelerators: None, callbacks: list[Any]) -> None:
    """If this fails the weights of an accelerator depend on the mesh, or the host makes them."""
    array = vs.jax.make_array(INIT, SHAPE, NamedSharding(mesh(), spec), dtype)
    assert (array.shape, array.dtype, array.sharding.spec) == (SHAPE, dtype, spec)
    assert exact(array, INIT(SHAPE, dtype))
    assert callbacks == []


def test_other_tensors(accelerators: None, callbacks: list[Any]) -> None:
    """If this fails large numbers, other laws, one device or a lazy tensor go wrong on an accelerator."""
    sharding = NamedSharding(mesh(), P("a", "b"))
    for init in (
        vs.RandomUniform(0.0, 1.0, 3),
        vs.RandomNormal(0.3, 0.1, 3),
        vs.TruncatedNormal(0, 1, 3, lower=-1, upper=3),
    ):
        assert exact(vs.jax.make_array(init, (8, 6, 4), sharding), init((8, 6, 4)))
    one = vs.jax.make_array(INIT, SHAPE, SingleDeviceSharding(jax.devices()[5]))
    assert one.devices() == {jax.devices()[5]}
    assert exact(one, INIT(SHAPE))
    lazy = vs.lecun_normal().lazy((64, 8))
    assert exact(vs.jax.make_array(lazy, None, sharding), np.asarray(lazy))
    with jax.enable_x64(True):
        assert exact(vs.jax.make_array(INIT, SHAPE, sharding, "float64"), INIT(SHAPE, "float64"))
    assert [index for index, *_ in callbacks if index is not ...] == []


def test_one_program_for_all_devices(accelerators: None) -> None:
    """If this fails each device, or each tensor of a shape, compiles a program of its own."""
    compiled: list[str] = []

    def listen(event: str, duration: float, **rest: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(event)

    sharding = NamedSharding(mesh(), P("a", "b"))
    vs.jax.make_array(INIT, SHAPE, sharding)
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        vs.jax.make_array(vs.he_normal(3), SHAPE, sharding)
        assert compiled == []
        array = vs.jax.make_array(INIT, (512, 272), sharding)
        assert len(compiled) == 1
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    program = _shards._program.cache_info()
    assert program.hits > 0
    assert exact(array, INIT((512, 272)))


@pytest.mark.parametrize(
    ("init", "shape"),
    [
        (INIT, ()),
        (INIT, (0, 4)),
        (vs.Zeros(), (8, 4)),
        (vs.LogUniform(seed=3), (8, 4)),
        (vs.lecun_normal(vs.replay.jax(3)), (8, 4)),
        (vs.RandomNormal(0.0, 1e-40, seed=3), (8, 4)),
    ],
    ids=["scalar", "empty", "constant", "log_uniform", "replay", "subnormal"],
)
def test_what_the_host_makes(init: Any, shape: tuple[int, ...], accelerators: None, callbacks: list[Any]) -> None:
    """If this fails what a device cannot make is an error, or wrong."""
    sharding = NamedSharding(mesh(), P("a") if shape else P())
    array = vs.jax.make_array(init, shape, sharding)
    assert np.asarray(array).tobytes() == init(shape).tobytes()
    assert len(callbacks) >= 1


def test_the_environment_keeps_values_off_devices(
    accelerators: None, callbacks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails `VARSCALE_DEVICE=cpu` does nothing."""
    monkeypatch.setenv("VARSCALE_DEVICE", "cpu")
    assert exact(vs.jax.make_array(INIT, SHAPE, NamedSharding(mesh(), P("a"))), INIT(SHAPE))
    assert len(callbacks) == 4


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_device_that_differs_is_not_used(
    dtype: str, accelerators: None, callbacks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails a device whose arithmetic is another one makes wrong weights, or bfloat16 hides that it is."""
    monkeypatch.setattr(check, "_verdicts", {})
    monkeypatch.setattr(arithmetic, "LIFT", 0)  # products and sums are then rounded at once
    jax.clear_caches()
    sharding = NamedSharding(mesh(), P("a"))
    try:
        with pytest.warns(UserWarning, match="^cpu does not make the CPU's values of the law normal in float32"):
            array = vs.jax.make_array(vs.RandomNormal(seed=3), SHAPE, sharding, dtype)
        assert exact(array, vs.RandomNormal(seed=3)(SHAPE, dtype))
        other = vs.RandomNormal(seed=4)
        assert exact(vs.jax.make_array(other, SHAPE, sharding, dtype), other(SHAPE, dtype))
        assert len(callbacks) == 8
    finally:
        jax.clear_caches()
        _shards._program.cache_clear()


def test_which_devices_make_their_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails CPU devices, other memories or mixed meshes leave the host's way, or accelerators never do."""

    class Device:
        device_kind = "H100"

        def __init__(self, platform: str) -> None:
            self.platform = platform

        def default_memory(self) -> Any:
            return type("Memory", (), {"kind": "device"})

    class Sharding(jax.sharding.Sharding):
        def __init__(self, *platforms: str, memory: str | None = "device") -> None:
            self.devices, self.memory = {Device(platform) for platform in platforms}, memory

        device_set = addressable_devices = property(lambda self: self.devices)
        memory_kind = property(lambda self: self.memory)

    monkeypatch.delenv("VARSCALE_DEVICE", raising=False)
    assert _shards.are_accelerators(Sharding("gpu", "gpu"))
    assert _shards.are_accelerators(Sharding("tpu", memory=None))
    assert not _shards.are_accelerators(Sharding("gpu", "cpu"))
    assert not _shards.are_accelerators(Sharding("gpu", memory="pinned_host"))
    assert not _shards.are_accelerators(NamedSharding(mesh(), P()))
    assert not _shards.are_accelerators(P("a"))
    monkeypatch.setenv("VARSCALE_DEVICE", "cpu")
    assert not _shards.are_accelerators(Sharding("gpu", "gpu"))


def test_axes_are_cut_evenly(accelerators: None) -> None:
    """If this fails JAX's error is another one on accelerators."""
    with pytest.raises(ValueError, match="evenly divide"):
        vs.jax.make_array(INIT, (7, 8), NamedSharding(mesh(), P("a")))
