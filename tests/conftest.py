"""Every test starts and ends without a global seed, and with the thread count it found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import varscale


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    threads = varscale.get_num_threads()
    varscale.set_random_seed(None)
    yield
    varscale.set_random_seed(None)
    varscale.set_num_threads(threads)
