"""Whatever instructions the machine has, and whatever other libraries did to the thread: the same bits."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from process.child import run

# Floating-point environment ---------------------------------------------------------------------------------------

FLUSH_TO_ZERO_AND_ROUND_UPWARD = {"x86": 0x1F80 | 1 << 15 | 1 << 6 | 2 << 13, "arm": 1 << 24 | 1 << 22}
ARCHITECTURE = "arm" if platform.machine().lower() in {"aarch64", "arm64"} else "x86"
MODES = """
import varscale as vs
from varscale import _core
inits = [vs.VarianceScaling(0.7, "fan_avg", d, 1) for d in ("uniform", "truncated_normal", "untruncated_normal")]
inits += [vs.RandomNormal(0.1, 1e-39, 1), vs.RandomNormal(0.0, 3e-7, 1), vs.RandomUniform(0.1, 0.3, 1)]
inits += [vs.TruncatedNormal(0.1, 0.3, 1, lower=-1.1, upper=3.3), vs.RandomNormal(0.0, 1e-310, 1)]
inits += [vs.LogUniform(0.001, 0.1, 1, floor=0.002, inverse_softplus=True)]
inits += [vs.Orthogonal(0.3, 1)]
inits += [vs.Constant(0.1), vs.Constant(0.7), vs.Constant(1e-40), vs.Identity(0.1), vs.Identity(0.7)]
listed = vs.Constant([i / 700 for i in range(700)])
def draw():
    dtypes, shapes = ("float16", "bfloat16", "float32", "float64"), ((37, 41), (400, 401))
    made = [init(shape, dtype) for init in inits for shape in shapes for dtype in dtypes]
    made += [listed((7, 100), dtype) for dtype in dtypes]
    described = vs.TruncatedNormal(0.1, 0.3, lower=-1.1, upper=3.3).describe((3, 4))
    return [array.tobytes() for array in made], described
def strange():
    return divide(1.0, 3.0) > 1 / 3 and times(1e-308, 0.01) == 0
FIRST
_core.exchange_environment(STRANGE)
assert strange()
odd = draw()
assert strange(), "the caller's mode is restored"
_core.exchange_environment()
assert not strange()
print(odd == draw())
""".replace("STRANGE", hex(FLUSH_TO_ZERO_AND_ROUND_UPWARD[ARCHITECTURE]))


@pytest.mark.parametrize("first", ["", "draw()"])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_rounding_modes_of_other_libraries_change_nothing(threads: str, first: str) -> None:
    """If this fails values depend on what another library did to the thread, before the first fill or between two."""
    code = "divide = lambda a, b: a / b\ntimes = lambda a, b: a * b\n" + MODES.replace("FIRST", first)
    found = run(code, VARSCALE_NUM_THREADS=threads)
    assert found.stdout == "True\n", found.stderr


# SIMD levels ------------------------------------------------------------------------------------------------------


def test_every_available_level_gives_the_same_bits() -> None:
    """If this fails a machine with other SIMD instructions starts from other weights."""
    code = """
import hashlib, varscale as vs
from varscale import _core
sha = hashlib.sha256()
for d in ("float16", "bfloat16", "float32", "float64"):
    for init in (vs.RandomUniform(-1, 1, 3, d), vs.RandomNormal(0, 1, 3, d), vs.TruncatedNormal(0, 1, 3, d),
                 vs.TruncatedNormal(0, 1, 3, d, lower=-1, upper=3)):
        sha.update(init((1003, 301)).tobytes())
    sha.update(vs.Orthogonal(0.7, 3, d)((203, 101)).tobytes())
print(_core.simd_level(), sha.hexdigest())
"""
    rows = [run(code, VARSCALE_SIMD=level).stdout.split() for level in ("baseline", "avx2", "avx512")]
    available = dict(row for row in rows if row)
    assert "baseline" in available
    assert len(set(available.values())) == 1
    environment = {key: value for key, value in os.environ.items() if key != "VARSCALE_SIMD"}
    best = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert best.stdout.split()[0] == list(available)[-1], "the best level is the default"


@pytest.mark.parametrize("bad", ["sse2", "AVX2", " ", "avx1024"])
def test_unknown_levels_are_refused(bad: str) -> None:
    """If this fails a misspelt level is silently ignored."""
    found = run("import varscale; varscale.lecun_normal(1)((2, 2))", VARSCALE_SIMD=bad)
    assert "ValueError: `VARSCALE_SIMD` must be one of baseline" in found.stderr
    assert f'got "{bad}"' in found.stderr
