"""What plain `jnp` refuses: the least values that its limits assume."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.core import fill_words
from varscale._devices.jnp.limits import _LEAST

LARGEST = {"float32": 2**32 - 1, "float64": 2**64 - 1}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", ["uniform", "normal", "truncated_normal"])
def test_no_value_is_smaller_than_the_least(law: str, dtype: str) -> None:
    """If this fails a scale is allowed that leads to subnormal numbers, or far too many are refused."""
    # The smallest uniform values, and the least radius with every octant's least sine.
    width, last = (32, LARGEST["float32"]) if dtype == "float32" else (64, LARGEST["float64"])
    octants = [octant << (width - 3) for octant in range(8)]
    words = [word for octant in octants for word in (last, octant, last, octant ^ last)]
    words += [0, last, 1, last - 1]
    found = np.abs(fill_words(law, dtype, np.array(words, np.uint64)))
    least = _LEAST[law][dtype == "float64"]
    assert least <= found.min() < 4 * least


def test_the_least_of_other_bounds() -> None:
    """If this fails a narrow law's values may be subnormal where its limit says that they are not."""
    words = np.concatenate([np.arange(2**10), 2**32 - 1 - np.arange(2**10)])
    for reach in (1.0, 1e-6, 1e-9, 1e-12):
        bounds = (-reach, reach)
        found = np.abs(fill_words("truncated_normal", "float32", words, bounds=bounds))
        assert found[found > 0].min() >= min(_LEAST["truncated"][0], reach)
