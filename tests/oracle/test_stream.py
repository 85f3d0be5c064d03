"""The stream and the core's values against the readable oracle, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oracle import reference
from oracle.core import fill, fill_words, invert_philox

pytestmark = pytest.mark.known_answers

CHUNK = 1 << 16  # src/fill/run.rs
LENGTHS = (1, 3, 4, 5, CHUNK - 1, CHUNK, CHUNK + 1, 1_000_000)
KNOWN_ANSWERS = Path(__file__).parents[1] / "known_answers" / "philox4x32_10.txt"
BOUNDS = ((-1.0, 3.0), (8.0, 9.0), (-9.0, -8.0), (-np.inf, 0.0), (-5.0, 5.0), (-1.99, 1.99))


def bits(array: np.ndarray) -> np.ndarray:
    """The array as unsigned integers, so that zeros of either sign and NaNs compare as what they are."""
    return array.view(f"u{array.itemsize}")


def test_the_oracle_itself_gives_random123s_answers() -> None:
    """If this fails the oracle is no oracle: its Philox differs from the paper's authors' own."""
    rows = [line.split() for line in KNOWN_ANSWERS.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert len(rows) == 3
    for row in rows:
        counter, key, answer = ([int(word, 16) for word in row[i:j]] for i, j in ((0, 4), (4, 6), (6, 10)))
        name = b"".join(word.to_bytes(4, "little") for word in key + counter[2:])
        block = np.array([counter[0] | counter[1] << 32], np.uint64)
        assert reference.philox(name, block)[0].tolist() == answer


@pytest.mark.parametrize("dtype", reference.DTYPES)
@pytest.mark.parametrize("law", reference.LAWS)
def test_core_equals_the_oracle(law: str, dtype: str) -> None:
    """If this fails a value of the native stream is not what the specification says."""
    full = reference.values(law, dtype, bytes(range(16)), np.arange(max(LENGTHS)), loc=0.25, scale=0.7)
    for length in LENGTHS:
        found = fill(law, dtype, length, loc=0.25, scale=0.7)
        assert np.array_equal(bits(found), bits(full[:length])), f"{length} elements"


@pytest.mark.parametrize("dtype", reference.DTYPES)
@pytest.mark.parametrize("bounds", BOUNDS)
def test_core_equals_the_oracle_for_other_bounds(bounds: tuple[float, float], dtype: str) -> None:
    """If this fails a truncation at bounds other than 2 is not what the specification says."""
    found = fill("truncated_normal", dtype, 100_003, bounds=bounds)
    expected = reference.values("truncated_normal", dtype, bytes(range(16)), np.arange(100_003), bounds=bounds)
    assert np.array_equal(bits(found), bits(expected))


@pytest.mark.parametrize("dtype", reference.DTYPES)
def test_core_clamps_as_the_oracle(dtype: str) -> None:
    """If this fails a value can leave its bounds after scaling, or a clamp happens after the 16-bit rounding."""
    arguments = {"loc": -0.001, "scale": 0.05, "low": -0.03, "high": 0.0123}
    found = fill("normal", dtype, 10_000, **arguments)
    expected = reference.values("normal", dtype, bytes(range(16)), np.arange(10_000), **arguments)
    assert np.array_equal(bits(found), bits(expected))
    assert np.mean(found.astype(np.float64) == found.astype(np.float64).max()) > 0.1


@pytest.mark.parametrize("dtype", reference.DTYPES)
@pytest.mark.parametrize("law", reference.LAWS)
def test_core_equals_the_oracle_far_out(law: str, dtype: str) -> None:
    """If this fails an element number is cut to 32 or 53 bits, or blocks are numbered by elements."""
    for first in (2**32 - 5, 2**34 - 70, 2**53 + 1, 2**63 - 3, 2**64 - 301):
        found = fill(law, dtype, 300, full_shape=(2**64 - 1,), offset=(first,))
        expected = reference.values(law, dtype, bytes(range(16)), np.arange(first, first + 300, dtype=np.uint64))
        assert np.array_equal(bits(found), bits(expected)), f"from element {first}"


def test_chosen_words_are_the_words_of_the_stream() -> None:
    """If this fails the tests that force extreme words force others: Philox run backwards must run forwards."""
    wanted = np.random.default_rng(0).integers(0, 2**32, (50, 4), dtype=np.uint32)
    wanted[0], wanted[1] = 0, 2**32 - 1
    for words, (key, counter) in zip(wanted, invert_philox(wanted, 1 << 62), strict=True):
        name = key.to_bytes(8, "little") + (counter >> 64).to_bytes(8, "little")
        block = np.array([counter & (2**64 - 1)], np.uint64)
        assert reference.philox(name, block)[0].tolist() == words.tolist()
    found = fill_words("uniform", "float32", wanted.ravel())
    assert np.array_equal(found, reference.uniform32(wanted.ravel()))


def test_the_oracle_sees_a_wrong_word_order() -> None:
    """If this fails the comparisons above cannot fail: an oracle with swapped words must differ."""
    swapped = reference.values("uniform", "float32", bytes(range(16)), np.arange(4)[::-1])
    assert not np.array_equal(fill("uniform", "float32", 4), swapped)
