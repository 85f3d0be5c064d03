"""`make_array` where jax-triton is: programs for GPUs of NVIDIA's, made and looked at on CPU devices.

No GPU runs them here. What each device's kernel would read is given to the core instead, tile by tile.
"""

from __future__ import annotations

import logging
import os
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import jax_triton
import numpy as np
import pytest
from jax.sharding import NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

import varscale as vs
from kernels.ptx import contracted
from oracle.matrix import DTYPES, LAWS
from varscale import _core
from varscale._arguments.parts import indexed_part
from varscale._devices import check
from varscale._devices.jnp.x64 import enable_x64
from varscale._devices.triton import in_jax
from varscale.jax import _arrays, _kernels, _shards

INIT = vs.lecun_normal(7).fold_in("kernel")
SHAPE = (64, 4096)
SPECS = {P("a", "b"): 8, P("a"): 4, P(None, "b"): 2, P(None, ("a", "b")): 8, P(): 1}
LAW_OF = {"truncated": "truncated_normal"}


def values(variant: in_jax.Variant, numbers: np.ndarray) -> np.ndarray:
    """What the kernel makes of numbers in memory, as far as the grid's tiles reach; elsewhere sevens."""
    words = numbers.view(np.uint64).tolist()
    identity = struct.pack("<2Q", *words[:2])
    loc, scale, low, high, *bounds = np.array(words[2:8], np.uint64).view(np.float64).tolist()
    start, inner, step0, step1 = words[12:16]
    stride0, stride1, run = numbers[16:].tolist()
    per = 2 if variant.kind == "float64" else 4
    rows, tiles = variant.grid if variant.axes else (1, variant.grid[0])
    out = np.full(variant.shape, 7.0, vs.Zeros()((), variant.kind).dtype)
    flat = out.reshape(-1)
    for row in range(rows):
        i, j = divmod(row, inner)
        first, place = (start + i * step0 + j * step1) % 2**64, i * stride0 + j * stride1
        shift = 0 if variant.aligned else first % per
        assert not variant.aligned or first % per == 0
        count = min(run, tiles * variant.blocks * per - shift)
        limits = tuple(bounds[:2]) if variant.law == "truncated" else (-2.0, 2.0)
        plan = (LAW_OF.get(variant.law, variant.law), limits, loc, scale, low, high)
        made = flat[place : place + count]
        crossed = made.view(f"u{made.itemsize}") if made.itemsize < 4 else made
        _core.fill([(crossed, variant.kind, plan, identity, (2**64 - 1,), [(first, 1, count)])])
    return out


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[in_jax.Variant]]:
    """Has `make_array` take CPU devices for GPUs of NVIDIA's, whose programs the core runs; what it was asked for."""
    made: list[in_jax.Variant] = []

    def program(variant: in_jax.Variant, numbers: jax.Array) -> jax.Array:
        made.append(variant)
        # Callbacks have a thread of their own, in which JAX has no 64 bits.
        halves = jax.lax.bitcast_convert_type(numbers, "uint32")
        words, extra = ("uint16", ()) if variant.kind.endswith("16") else ("uint32", (2,) * (variant.kind == "float64"))
        shape = jax.ShapeDtypeStruct((*variant.shape, *extra), words)

        def called(halves: jax.Array) -> np.ndarray:
            return values(variant, np.asarray(halves).view(np.int64)[:, 0]).view(words).reshape(shape.shape)

        return jax.lax.bitcast_convert_type(jax.pure_callback(called, shape, halves), variant.kind)

    monkeypatch.delenv("VARSCALE_DEVICE", raising=False)
    monkeypatch.setattr(check, "_verdicts", {})
    monkeypatch.setattr(_arrays, "are_accelerators", lambda sharding: not _shards.on_the_host())
    monkeypatch.setattr(_kernels, "is_nvidia", lambda device: True)
    monkeypatch.setattr(_kernels, "_is_fast", lambda device: True)
    monkeypatch.setattr(in_jax, "program", program)
    yield made
    _shards._program.cache_clear()


def mesh() -> Any:
    return jax.make_mesh((4, 2), ("a", "b"))


def exact(array: jax.Array, full: np.ndarray) -> bool:
    return all(np.asarray(s.data).tobytes() == full[s.index].tobytes() for s in array.addressable_shards)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_any_sharding(spec: P, dtype: str, calls: list[in_jax.Variant]) -> None:
    """A device's kernel reads another shard's numbers, or tiles do not reach the end of a row."""
    array = vs.jax.make_array(INIT, SHAPE, NamedSharding(mesh(), spec), dtype)
    assert (array.shape, array.dtype, array.sharding.spec) == (SHAPE, dtype, spec)
    assert exact(array, INIT(SHAPE, dtype))
    assert calls[-1].kind == dtype


@pytest.mark.parametrize("law", LAWS)
def test_laws(law: str, calls: list[in_jax.Variant]) -> None:
    """A law's bounds or place reach the kernel in another order, or rows of two axes are counted wrong."""
    init, sharding = LAWS[law], NamedSharding(mesh(), P(None, "b", "a"))
    with jax.enable_x64(True):
        for dtype in ("float32", "float64"):
            array = vs.jax.make_array(init, (6, 4, 1600), sharding, dtype)
            assert exact(array, init((6, 4, 1600), dtype))
            assert (calls[-1].kind, calls[-1].axes) == (dtype, 2)


def test_odd_shards(calls: list[in_jax.Variant]) -> None:
    """A shard that begins inside a block, beside others that do not, loses its first values."""
    mesh = jax.make_mesh((2,), ("a",))
    for shape, spec in (((2002,), P("a")), ((5, 1998), P(None, "a"))):
        array = vs.jax.make_array(INIT, shape, NamedSharding(mesh, spec))
        assert exact(array, INIT(shape))
        assert not calls[-1].aligned


def test_what_xla_makes(calls: list[in_jax.Variant]) -> None:
    """Short rows, of which the kernel would throw most away, are wrong or refused."""
    one, columns = SingleDeviceSharding(jax.devices()[3]), NamedSharding(mesh(), P(None, "b"))
    assert exact(vs.jax.make_array(INIT, (512, 64), columns), INIT((512, 64)))
    assert not calls
    assert exact(vs.jax.make_array(INIT, SHAPE, one), INIT(SHAPE))
    assert calls


@pytest.mark.parametrize("axes", [0, 1, 2])
def test_kernels_of_other_bits(axes: int, calls: list[in_jax.Variant], monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel whose bits are others makes weights, or nobody hears of it."""
    inner = in_jax.program

    def program(variant: in_jax.Variant, numbers: jax.Array) -> jax.Array:
        made = inner(variant, numbers)
        return made.at[..., 100].multiply(1 + 2**-20) if variant.axes == axes else made

    monkeypatch.setattr(in_jax, "program", program)
    with pytest.warns(UserWarning, match=r"^cpu by jax-triton does not make .* in float32: .*\. So XLA makes them"):
        array = vs.jax.make_array(INIT, SHAPE, NamedSharding(mesh(), P("a")))
    assert exact(array, INIT(SHAPE))


def test_lack_of_memory_says_nothing(calls: list[in_jax.Variant], monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that has no room once is refused for as long as the process lives."""
    inner, error = in_jax.program, jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    def program(variant: in_jax.Variant, numbers: jax.Array) -> jax.Array:
        raise error

    monkeypatch.setattr(in_jax, "program", program)
    sharding = NamedSharding(mesh(), P("a"))
    with pytest.raises(MemoryError, match="RESOURCE_EXHAUSTED"):
        vs.jax.make_array(INIT, SHAPE, sharding)
    monkeypatch.setattr(in_jax, "program", inner)
    assert exact(vs.jax.make_array(INIT, SHAPE, sharding), INIT(SHAPE))
    assert calls


def test_within_a_program(calls: list[in_jax.Variant]) -> None:
    """An array that is made while a program is traced ends the trace, or the use of the kernels for ever."""
    sharding = SingleDeviceSharding(jax.devices()[0])
    made = jax.jit(lambda: vs.jax.make_array(INIT, SHAPE, sharding))()
    assert np.asarray(made).tobytes() == INIT(SHAPE).tobytes()
    assert not calls
    assert exact(vs.jax.make_array(INIT, SHAPE, sharding), INIT(SHAPE))
    assert calls


def test_the_cache_of_triton_stays_where_it_is() -> None:
    """Torch's kernels are compiled anew, in a folder that may not be writable, because jax-triton was imported."""
    script = "import os, varscale.jax._kernels as k; print(k._is_installed(), os.environ['TRITON_CACHE_DIR'])"
    environment = {**os.environ, "TRITON_CACHE_DIR": "/cache"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "True /cache\n"


def test_without_jax_triton(
    calls: list[in_jax.Variant], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A GPU without jax-triton, or with one for another JAX, makes nothing, or every tensor is told of it."""

    def broken() -> Any:
        msg = "cannot import name 'mlir'"
        raise ImportError(msg)

    monkeypatch.setattr(_kernels, "calls", broken)
    _kernels._is_installed.cache_clear()
    try:
        with caplog.at_level(logging.INFO, logger="varscale"):
            for _ in range(2):
                assert exact(vs.jax.make_array(INIT, SHAPE, NamedSharding(mesh(), P("a"))), INIT(SHAPE))
    finally:
        _kernels._is_installed.cache_clear()
    assert [record.message for record in caplog.records] == [
        "jax-triton cannot be imported (ImportError: cannot import name 'mlir'): "
        "XLA makes them by itself, which takes two to three times as long"
    ]
    assert not calls


def ptx(program: Any, *arguments: Any) -> str:
    """The only kernel of a program, as it is compiled for an H100."""
    with enable_x64(True):
        lowered = jax.jit(program, static_argnums=0).trace(*arguments) if arguments else jax.jit(program).trace()
        module = lowered.lower(lowering_platforms=("cuda",)).compiler_ir()
    found = [operation for operation in operations(module.operation) if operation.name == "stablehlo.custom_call"]
    assert [str(operation.attributes["call_target_name"]) for operation in found] == ['"triton_kernel_call_ffi"']
    sent = zlib.decompress(found[0].attributes["mhlo.backend_config"]["opaque"].value_bytes)
    return sent[sent.index(b".version") :].decode("latin1").split("\x00")[0]


def operations(operation: Any) -> Iterator[Any]:
    """All operations inside of one."""
    for region in operation.regions:
        for block in region.blocks:
            for each in block.operations:
                yield each.operation
                yield from operations(each.operation)


@pytest.fixture
def h100(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has programs compiled for an H100."""
    jax.clear_caches()
    monkeypatch.setattr(_kernels, "_is_fast", lambda device: True)
    monkeypatch.setattr(jax_triton, "triton_call", partial(jax_triton.triton_call, compute_capability=90))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("law", LAWS)
def test_nothing_is_contracted(law: str, dtype: str, h100: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of JAX rounds a product and a sum once, which changes 6 % of all truncated normals."""
    source, part = LAWS[law].lazy(SHAPE, dtype)._source(indexed_part(SHAPE, ...)), indexed_part(SHAPE, ...)
    variant, numbers = _kernels._prepared(source, [part], jax.devices()[:1])
    explicit = 4 * variant.blocks * 4 // (32 * variant.warps) if variant.fma else 0
    assert contracted(ptx(in_jax.program.__wrapped__, variant, numbers[0])) == explicit
    assert variant.fma == (law == "truncated_normal" and dtype != "float64")
    monkeypatch.setattr(in_jax, "OPTIONS", {"enable_fp_fusion": True})
    jax.clear_caches()
    assert contracted(ptx(in_jax.program.__wrapped__, variant, numbers[0])) > explicit


def test_the_quotients(h100: None) -> None:
    """The faster quotient is not tried, or is compared with an approximation."""
    code = ptx(in_jax.differing_quotients)
    assert re.search(r"\bdiv\.rn\.f32", code)
    assert "rsqrt.approx.ftz.f32" in code or "rsqrt.approx.f32" in code
    assert re.search(r"\b(atom|red)\S*\.add", code)


def test_a_program_of_a_mesh(h100: None) -> None:
    """JAX refuses the call inside of a program of several devices."""
    parts = [indexed_part(SHAPE, (slice(16 * row, 16 * row + 16), ...)) for row in range(4)]
    variant, numbers = _kernels._prepared(INIT.lazy(SHAPE)._source(parts[0]), parts, jax.devices()[:1])
    with enable_x64(True):
        program = _shards._program(tuple(jax.devices()[:4]), in_jax.program, variant)
        text = program.trace(numbers, ()).lower(lowering_platforms=("cuda",)).as_text()
    assert "triton_kernel_call_ffi" in text
    assert "all_gather" not in text
