"""Threads change the time, never a bit; their number is a setting with limits."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import varscale
from oracle import reference
from oracle.core import fill

pytestmark = pytest.mark.thread_unsafe(reason="sets the process's number of threads")

COUNTS = (1, 2, 3, 7, 16)


@pytest.mark.parametrize("dtype", reference.DTYPES)
@pytest.mark.parametrize("law", reference.LAWS)
def test_every_number_of_threads_gives_the_same_bits(law: str, dtype: str) -> None:
    """If this fails a chunk depends on which thread works on it, or on how many there are."""
    digests = set()
    for count in COUNTS:
        varscale.set_num_threads(count)
        assert varscale.get_num_threads() == count
        digests.add(hashlib.sha256(fill(law, dtype, 17 * 2**16 + 5).tobytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize("bad", [0, -1, 1025, 2**40, 2**100, 1.5, 2.0, np.float32(2)])
def test_impossible_numbers_are_refused(bad: float) -> None:
    """If this fails an absurd setting hangs the process or is silently taken for another."""
    with pytest.raises(
        ValueError, match=rf"`num_threads` must be an integer from 1 to 1024, got {re.escape(repr(bad))}"
    ):
        varscale.set_num_threads(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["2", None, True])
def test_settings_of_another_kind_are_refused(bad: object) -> None:
    """If this fails True means one thread and '2' means two."""
    with pytest.raises(TypeError, match="`num_threads` must be an integer, got"):
        varscale.set_num_threads(bad)  # type: ignore[arg-type]


def test_an_error_of_an_integer_is_its_own() -> None:
    """If this fails Ctrl-C inside a number's `__index__`, or its own fault, is called a wrong type."""

    class Broken:
        def __index__(self) -> int:
            raise KeyError("its own")

    with pytest.raises(KeyError, match="its own"):
        varscale.set_num_threads(Broken())


def test_numpy_integers_are_integers() -> None:
    """If this fails a count computed with NumPy is refused."""
    varscale.set_num_threads(np.int64(3))
    assert varscale.get_num_threads() == 3


def test_a_block_sets_the_threads_of_its_own_thread() -> None:
    """If this fails two blocks that overlap in time leave each other's setting behind."""
    varscale.set_num_threads(2)
    seen, entered, left = [], threading.Event(), threading.Event()

    def overlap() -> None:
        with varscale.num_threads(5):
            entered.set()
            left.wait()
            seen.append(varscale.get_num_threads())
        seen.append(varscale.get_num_threads())

    thread = threading.Thread(target=overlap)
    with varscale.num_threads(3):
        thread.start()
        entered.wait()
        numbers = [varscale.get_num_threads()]
        with varscale.num_threads(4):
            numbers.append(varscale.get_num_threads())
        numbers.append(varscale.get_num_threads())
    left.set()
    thread.join()
    assert numbers == [3, 4, 3]
    assert seen == [5, 2]
    assert varscale.get_num_threads() == 2
    with (
        pytest.raises(ValueError, match="`num_threads` must be an integer from 1 to 1024, got 0"),
        varscale.num_threads(0),
    ):
        pass
    assert varscale.get_num_threads() == 2


def in_a_new_process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_the_environment_variable_is_read_at_first_use() -> None:
    """If this fails VARSCALE_NUM_THREADS has no effect, or is read while importing."""
    code = "import varscale, os; os.environ['VARSCALE_NUM_THREADS'] = '5'; print(varscale.get_num_threads())"
    run = in_a_new_process(code, VARSCALE_NUM_THREADS="3")
    assert run.stdout == "5\n", run.stderr
    for bad in ("0", "-2", "many", "1025", "1.5", " "):
        run = in_a_new_process("import varscale; varscale.get_num_threads()", VARSCALE_NUM_THREADS=bad)
        assert f'ValueError: `VARSCALE_NUM_THREADS` must be an integer from 1 to 1024, got "{bad}"' in run.stderr


def test_the_gil_is_released_while_filling() -> None:
    """If this fails every other thread of the program stands still during a fill."""
    out = np.empty(2**25, np.float64)
    started, stamps, done = threading.Event(), [], False

    def tick() -> None:
        started.set()
        while not done:
            stamps.append(time.perf_counter())
            time.sleep(0)

    ticker = threading.Thread(target=tick)
    ticker.start()
    started.wait()
    varscale.set_num_threads(1)
    begin = time.perf_counter()
    varscale.RandomNormal(seed=1, dtype="float64")(out.shape, out=out)
    end = time.perf_counter()
    done = True
    ticker.join()
    inside = [stamp for stamp in stamps if begin < stamp < end]
    middle = [stamp for stamp in inside if begin + (end - begin) / 4 < stamp < end - (end - begin) / 4]
    assert len(middle) > 10


def test_64_threads_share_one_initializer() -> None:
    """If this fails concurrent calls of one initializer disturb each other."""
    init, found = varscale.lecun_normal(1).fold_in("a"), []
    barrier = threading.Barrier(64)

    def work() -> None:
        barrier.wait()
        found.extend(init((400, 401)).tobytes() for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 192
    assert set(found) == {init((400, 401)).tobytes()}
