"""Other bounds than the default ones: all values of a float32 law, at every SIMD level, against the oracle."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from oracle import reference
from process.child import run

pytestmark = [pytest.mark.long, pytest.mark.thread_unsafe(reason="takes as much memory as there is for one")]

N = 2**24
"""The uniforms of a float32 law: the k-th is (k + 1/2) / 2^23 - 1."""
BOUNDS = (
    (-1.0, 1.0),
    (-3.0, 3.0),
    (-100.0, 100.0),
    (-1.0, 3.0),
    (0.0, np.inf),
    (-np.inf, -2.0),
    (6.0, 8.0),  # on both sides of the far tail's border
    (8.0, 9.0),
    (-30.0, -20.0),
)
CODE = """
import numpy as np
from oracle.core import fill, fill_words
from varscale import _core
expected, bounds = np.load(PATH), BOUNDS
missing = np.ones(len(expected), bool)
def compare(k, x):
    missing[k] = False
    assert np.array_equal(x.view(np.uint32), expected[k].view(np.uint32)), np.flatnonzero(x != expected[k])
for start in range(0, 2**27, 2**24):
    part = {"full_shape": (2**27,), "offset": (start,)}
    u = fill("uniform", "float32", 2**24, **part).astype(np.float64)
    compare(((u + 1) * 2**23).astype(np.intp), fill("truncated_normal", "float32", 2**24, bounds=bounds, **part))
# Those that no element of the stream has had, in blocks of four.
left = np.flatnonzero(missing)
left = np.append(left, np.zeros(-len(left) % 4, np.intp))
words = (left << 8 ^ 1 << 31).astype(np.uint32)
compare(left, fill_words("truncated_normal", "float32", words, bounds=bounds))
print(_core.simd_level(), missing.any(), 0 < len(left) < 20_000)
"""


def values(bounds: tuple[float, float]) -> NDArray[np.float32]:
    """The oracle's value of every uniform."""
    u = ((np.arange(k, k + N // 16) + 0.5) / 2**23 - 1 for k in range(0, N, N // 16))
    return np.concatenate([reference.truncated_between(part, *bounds).astype(np.float32) for part in u])


@pytest.mark.parametrize("bounds", BOUNDS)
def test_every_float32_of_a_law_is_the_oracles_at_every_level(bounds: tuple[float, float], tmp_path: Path) -> None:
    """If this fails some word becomes another value than it was, perhaps on some machines only."""
    path = tmp_path / "expected.npy"
    np.save(path, values(bounds))
    code = "from numpy import inf\n" + CODE.replace("PATH", repr(str(path))).replace("BOUNDS", repr(bounds))
    for level in ("baseline", "avx2", "avx512"):
        found = run(code, 600, VARSCALE_SIMD=level, PYTHONPATH=os.pathsep.join(sys.path))
        assert found.stdout == f"{level} False True\n" or "on this machine" in found.stderr, found.stderr
