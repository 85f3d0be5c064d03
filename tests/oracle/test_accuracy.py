"""Every law against its exact function, at 100,000 words with both ends and the middle.

The exact value of a word is the real function of its uniform u (tests/oracle/reference.py says how u follows from the
word); mpmath evaluates it. Words are put into the core by running Philox backwards (tests/oracle/core.py).
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf
from numpy.typing import NDArray

from oracle.core import fill_words
from oracle.reference import uniform32, uniform64

pytestmark = pytest.mark.thread_unsafe(reason="takes as much memory as there is for one")

POINTS = 100_000
BOUNDS = ((-1.0, 3.0), (8.0, 9.0), (-9.0, -8.0), (-np.inf, 0.0), (-5.0, 5.0))


def hard_words(dtype: type, seed: int) -> NDArray[np.unsignedinteger]:
    """Random words, with 500 at each end of the range and of its signed halves, and words with long runs of zeros."""
    bits = np.dtype(dtype).itemsize * 8
    unit = 1 << (7 if bits == 32 else 10)  # words that give one u
    random = np.random.default_rng(seed).integers(0, 1 << bits, POINTS, dtype=dtype)
    steps = np.arange(500, dtype=dtype) * dtype(unit)
    half = dtype(1 << (bits - 1))
    edges = np.concatenate([steps, ~steps, half + steps, half - dtype(1) - steps])
    powers = np.array([(1 << k) + d for k in range(1, bits) for d in (-1, 0, 1)], dtype=dtype)
    hazards = np.concatenate([edges, powers])
    random[: len(hazards)] = hazards
    return random


def check(found: NDArray, exact_minus_found: NDArray, allowed: NDArray) -> None:
    """Raises where |error| > allowed."""
    ratio = np.abs(exact_minus_found) / allowed
    at = int(np.argmax(ratio))
    assert np.all(np.isfinite(found))
    assert ratio[at] <= 1.0, f"value {found[at]!r} is off by {exact_minus_found[at]:.3e}, allowed {allowed[at]:.3e}"
    print(f"largest error: {ratio[at]:.3f} of what is allowed")


def residuals(u: NDArray[np.float64], x: NDArray, lower: float, upper: float) -> NDArray[np.float64]:
    """Exact value minus x, from one Newton step of the truncated distribution function at 40 digits.

    One evaluation of erfc is far cheaper than erfinv, and the step's own error is the square of what it measures.
    """
    with mpmath.workdps(40):
        root = mp.sqrt(2)

        def mass(t: mpf) -> tuple[mpf, mpf]:
            return mp.erfc(-t / root) / 2, mp.erfc(t / root) / 2

        (below_low, above_low), (below_high, above_high) = mass(mpf(lower)), mass(mpf(upper))
        steps = np.empty(len(u))
        for i, (ui, xi) in enumerate(zip(u.tolist(), x.tolist(), strict=True)):
            t, left, right = mpf(xi), (1 - mpf(ui)) / 2, (1 + mpf(ui)) / 2
            density = mp.exp(-t * t / 2) / mp.sqrt(2 * mp.pi)
            if t < 0:
                steps[i] = (below_low * left + below_high * right - mp.erfc(-t / root) / 2) / density
            else:
                steps[i] = (mp.erfc(t / root) / 2 - above_low * left - above_high * right) / density
        return steps


def test_truncated_normal_float32_is_within_5_ulp() -> None:
    """If this fails the default law's fast path lost accuracy: more than 5 units in the last place."""
    words = hard_words(np.uint32, 1)
    x = fill_words("truncated_normal", "float32", words)
    error = residuals(uniform32(words).astype(np.float64), x, -2.0, 2.0)
    check(x, error, 5 * np.spacing(np.abs(x)).astype(np.float64))


def test_truncated_normal_float64_is_within_1e_15() -> None:
    """If this fails the float64 law is only as good as a float32 one, or loses digits at the bounds."""
    words = hard_words(np.uint64, 2)
    x = fill_words("truncated_normal", "float64", words)
    check(x, residuals(uniform64(words), x, -2.0, 2.0), 1e-15 * np.maximum(1, np.abs(x)))


@pytest.mark.parametrize("bounds", BOUNDS)
def test_other_bounds_float32_are_within_1_ulp(bounds: tuple[float, float]) -> None:
    """If this fails a truncation far out, or on one side, is computed from a cancelled difference."""
    words = hard_words(np.uint32, 3)
    x = fill_words("truncated_normal", "float32", words, bounds=bounds)
    error = residuals(uniform32(words).astype(np.float64), x, *bounds)
    check(x, error, np.maximum(np.spacing(np.abs(x)).astype(np.float64), 1e-15))
    assert x.min() >= bounds[0]
    assert x.max() <= bounds[1]


@pytest.mark.parametrize("bounds", BOUNDS)
def test_other_bounds_float64_are_within_1e_15(bounds: tuple[float, float]) -> None:
    """If this fails the masses, or the inverse of the tail, are not accurate to the last digits."""
    words = hard_words(np.uint64, 4)
    x = fill_words("truncated_normal", "float64", words, bounds=bounds)
    check(x, residuals(uniform64(words), x, *bounds), 1e-15 * np.maximum(1, np.abs(x)))
    assert x.min() >= bounds[0]
    assert x.max() <= bounds[1]


def exact_pairs(words: NDArray[np.unsignedinteger], found: NDArray) -> NDArray[np.float64]:
    """Exact Box-Muller value minus the found one, for words (w0, w1) side by side."""
    bits = words.dtype.itemsize * 8
    error = np.empty(len(words))
    with mpmath.workdps(40):
        for j in range(0, len(words), 2):
            w0, w1 = int(words[j]), int(words[j + 1])
            half = mpf(1) / 2
            u1 = (w0 + half) / 2**bits
            radius = mp.sqrt(
                -2 * (mp.log(u1) if w0 < 2 ** (bits - 1) else mp.log1p(-(2**bits - 1 - w0 + half) / 2**bits))
            )
            angle = (w1 + half) / 2 ** (bits - 1)
            error[j] = radius * mp.cospi(angle) - mpf(found[j].item())
            error[j + 1] = radius * mp.sinpi(angle) - mpf(found[j + 1].item())
    return error


def pairs(dtype: type, seed: int) -> NDArray[np.unsignedinteger]:
    """Hard words for the radius beside hard words, in another order, for the angle."""
    words = np.empty(POINTS, dtype)
    words[::2] = hard_words(dtype, seed)[: POINTS // 2]
    words[1::2] = np.random.default_rng(seed).permutation(hard_words(dtype, seed + 1))[: POINTS // 2]
    words[1] = 0  # beside the word 0: the farthest value of all
    return words


def test_normal_float32_is_within_4_ulp() -> None:
    """If this fails the logarithm, the angle or the octants of the normal law lost accuracy."""
    words = pairs(np.uint32, 5)
    x = fill_words("normal", "float32", words)
    check(x, exact_pairs(words, x), 4 * np.spacing(np.maximum(np.abs(x), np.float32(2.0**-6))).astype(np.float64))
    assert np.abs(x).max() > 6.5


def test_normal_float64_is_within_1e_15() -> None:
    """If this fails float64 normals are only as good as float32 ones somewhere."""
    words = pairs(np.uint64, 7)
    x = fill_words("normal", "float64", words)
    check(x, exact_pairs(words, x), 1e-15 * np.maximum(1, np.abs(x)))
    assert np.abs(x).max() > 9


@pytest.mark.parametrize("law", ["uniform", "truncated_normal"])
@pytest.mark.parametrize(("dtype", "word"), [("float32", np.uint32), ("float64", np.uint64)])
def test_extreme_words_stay_inside(law: str, dtype: str, word: type) -> None:
    """If this fails the law reaches a bound it must not, or stops far from it."""
    ends = hard_words(word, 9)[:2000]
    x = fill_words(law, dtype, ends)
    top = 1.0 if law == "uniform" else 2.0
    assert np.abs(x).max() < top
    assert np.abs(x).max() > top * (1 - 1e-5)
    assert np.abs(x).min() > 0
