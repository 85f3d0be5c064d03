"""Every test starts and ends without a global seed, and with the thread count it found.

A replay of float64 values is refused where the C library is not the one they were proven with. There a test that ends
in this refusal is reported as an expected failure.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

import varscale
from varscale import _core
from varscale.replay import _xla

# Linux's limits and /proc; and where releases are made.
LINUX = ["arguments/test_anything.py", "process/test_limits.py", "package/test_release.py"]
collect_ignore = [] if sys.platform == "linux" else LINUX
collect_ignore += [] if hasattr(os, "fork") else ["process/test_forks.py", "process/test_handlers.py"]

PROVEN = _core.libm_is_proven() and _core.ln_1p_is_proven() and _xla.libm_is_proven()
REFUSAL = "`dtype` must be 16- or 32-bit on this machine, whose C library is not glibc"


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    threads = varscale.get_num_threads()
    varscale.set_random_seed(None)
    yield
    varscale.set_random_seed(None)
    varscale.set_num_threads(threads)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Iterator[None]:
    """Expects the refusal."""
    try:
        return (yield)
    except ValueError as error:
        if PROVEN or not str(error).startswith(REFUSAL):
            raise
        pytest.xfail(str(error))
