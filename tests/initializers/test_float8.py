"""float8 weights: the float32 values rounded once, in every initializer, and no NaN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

import varscale as vs
from varscale import _core

DTYPES = {"float8_e4m3fn": ml_dtypes.float8_e4m3fn, "float8_e5m2": ml_dtypes.float8_e5m2}
WRITTEN = [
    vs.Orthogonal(seed=3),
    vs.Orthogonal(0.7, 3, axis=0, blocks=2),
    vs.Sparse(0.4, 1.0, 3),
    vs.UniformUnitScaling(seed=3),
    vs.Identity(1.3),
    vs.Pieces([(..., vs.lecun_normal()), (1, vs.Ones())], 3),
]


def same(found: NDArray[Any], wanted: NDArray[Any]) -> bool:
    """Whether bits agree, the zeros' signs too."""
    return found.dtype == wanted.dtype and np.array_equal(found.view(np.uint8), wanted.view(np.uint8))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("init", WRITTEN, ids=repr)
def test_what_python_writes_is_rounded_once_too(init: Any, dtype: str) -> None:
    """If this fails a float8 matrix is not the float32 one."""
    whole = init((40, 26), dtype)
    assert same(whole, init((40, 26)).astype(DTYPES[dtype]))
    assert same(init((40, 26), dtype, index=(slice(None, None, -3), slice(2, 9))), whole[::-3, 2:9])


@pytest.mark.parametrize("dtype", DTYPES)
def test_parts_views_and_files(dtype: str, tmp_path: Path) -> None:
    """If this fails a part, a view or a mapped file has other values than the tensor."""
    init = vs.RandomNormal(0.0, 1.0, 7, dtype)
    whole = init((600, 700))
    assert same(init((600, 700), index=(5, [1, 7, 1])), whole[5, [1, 7, 1]])
    assert same(init.lazy((600, 700))[-1], whole[-1])
    memory = np.memmap(tmp_path / "w", np.uint8, "w+", shape=(700, 600)).view(DTYPES[dtype])
    init((600, 700), out=memory.T)
    assert same(memory.T, whole)
    small = init((9, 9))
    assert same(init((9, 9), out=np.empty((9, 9), DTYPES[dtype])), small)
    model = vs.Model({"w": {"shape": [9, 9], "dtype": {"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}[dtype]}})
    # The words of safetensors stand in their headers, whose entries are such mappings.
    assert model.init(7)["w"].dtype == DTYPES[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_uniform_values_and_numpys_cast(dtype: str) -> None:
    """If this fails values that Python computes are not the float32 ones, rounded once to nearest even."""
    init = vs.LogUniform(0.01, 100.0, 7)
    assert same(init((5000,), dtype), init((5000,)).astype(DTYPES[dtype]))
    every = np.arange(0x7C, dtype=np.uint8).view(DTYPES[dtype]).astype(np.float32)
    middle = (every[:-1] + every[1:]) / 2
    for found, wanted in (
        (np.nextafter(middle, np.float32(0)), every[:-1]),
        (middle, every[(np.arange(len(middle)) + 1) // 2 * 2]),
        (np.nextafter(middle, np.float32(np.inf)), every[1:]),
    ):
        assert np.array_equal(found.astype(DTYPES[dtype]).astype(np.float32), wanted)


@pytest.mark.parametrize(("dtype", "most"), [("float8_e4m3fn", 464.0), ("float8_e5m2", 61440.0)])
def test_what_the_dtype_cannot_hold_is_refused(dtype: str, most: float) -> None:
    """If this fails weights are NaN, which e4m3fn has in the place of infinity, or infinite."""
    for init in (
        vs.RandomNormal(0.0, most / 6.7, 1),
        vs.RandomUniform(-most, 0.0, 1),
        vs.TruncatedNormal(0.0, most / 2, 1),
        vs.TruncatedNormal(most, 1.0, 1, lower=-0.1, upper=3.0),
        vs.Orthogonal(most, 1),
        vs.Sparse(0.5, most / 6.7, 1),
        vs.LogUniform(1.0, most, 1),
        vs.Identity(most),
        vs.VarianceScaling(4 * most * most, "fan_in", "uniform", 1),
    ):
        with pytest.raises(ValueError, match=f"overflow `dtype` '{dtype}', whose largest is below {most:g}$"):
            init((4, 4), dtype)
    with pytest.raises(ValueError, match="`value` must be one that the dtype"):
        vs.Constant(2 * most, dtype)((2,))
    below = float(np.nextafter(np.float32(most), np.float32(0)))
    for init in (vs.RandomUniform(-below, below, 1), vs.RandomNormal(0.0, below / 6.78, 1)):
        values = init((300, 300), dtype).astype(np.float32)
        assert np.isfinite(values).all()
    assert np.abs(vs.RandomUniform(-below, below, 1)((300, 300), dtype).astype(np.float32)).max() > 0.9 * most


def test_replays_are_refused() -> None:
    """If this fails a float8 tensor has numbers that no framework draws."""
    with pytest.raises(ValueError, match="`dtype` must be float16, bfloat16, float32 or float64 to replay torch"):
        vs.replay.torch(0).draws().linear(2, 2, dtype="float8_e5m2")
    plan, out = ("uniform", (-2.0, 2.0), 0.0, 1.0, -1.0, 1.0), np.empty(4, np.uint8)
    with pytest.raises(ValueError, match="`element` must have 16 bits at least in a replay"):
        _core.fill([(out, "float8_e5m2", plan, ("tensorflow", (bytes(16), 0)), None, None)])
