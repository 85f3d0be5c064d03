"""In the processes people really have: forked workers, Ctrl-C, small limits, other libraries' floating-point modes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import tracemalloc

import pytest

import varscale as vs


def run(code: str, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a new process."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


# Forks ------------------------------------------------------------------------------------------------------------

FORKS = """
import os, sys, threading, varscale as vs
forks, readers, busy = map(int, sys.argv[1:]) if len(sys.argv) > 1 else (FORKS, READERS, BUSY)
vs.set_num_threads(2)
init = vs.lecun_normal(1)
expected = init((300, 300)).tobytes()
stop = False
def fill():
    while not stop: init((300, 300))
def look():
    while not stop: init((257, 256))
threads = [threading.Thread(target=fill, daemon=True) for _ in range(busy)]
threads += [threading.Thread(target=look, daemon=True) for _ in range(readers)]
for thread in threads: thread.start()
wrong = 0
for _ in range(forks):
    child = os.fork()
    if child == 0:
        os._exit(0 if init((300, 300)).tobytes() == expected else 1)
    wrong += os.waitpid(child, 0)[1] != 0
stop = True
print("wrong", wrong)
os._exit(0)
"""


def forks(count: int, readers: int, busy: int) -> str:
    return FORKS.replace("FORKS", str(count)).replace("READERS", str(readers)).replace("BUSY", str(busy))


def test_forks_while_other_threads_fill() -> None:
    """If this fails a forked worker hangs or computes other values: it has none of its parent's threads."""
    assert run(forks(150, 0, 2)).stdout == "wrong 0\n"


@pytest.mark.long
def test_3000_forks_while_other_threads_fill() -> None:
    """If this fails one fork in some thousands hangs."""
    assert run(forks(3000, 0, 2), 600).stdout == "wrong 0\n"


def test_forks_while_threads_look_for_the_pool() -> None:
    """If this fails a fork catches a thread with the pool's lock in its hand."""
    assert run(forks(30, 4, 0)).stdout == "wrong 0\n"


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(method: str, tmp_path: os.PathLike[str]) -> None:
    """If this fails worker processes hang, or initialisers do not pickle."""
    script = f"{tmp_path}/work.py"
    with open(script, "w") as file:
        file.write(
            "import multiprocessing, varscale as vs\n"
            "def work(init): return init((400, 400)).tobytes()\n"
            "if __name__ == '__main__':\n"
            "    vs.set_num_threads(2)\n"
            "    inits = [vs.lecun_normal(seed).fold_in('a') for seed in range(6)]\n"
            "    here = [work(init) for init in inits]\n"
            f"    with multiprocessing.get_context({method!r}).Pool(3) as pool:\n"
            "        print(pool.map(work, inits) == here)\n"
        )
    found = subprocess.run(
        [sys.executable, "-W", "ignore", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert found.stdout == "True\n", found.stderr


# Limits -----------------------------------------------------------------------------------------------------------


def test_without_threads_the_fill_is_serial() -> None:
    """If this fails a container that allows no more threads gives an error, or other values."""
    code = """
import os, resource, varscale as vs
expected = vs.lecun_normal(1)
vs.set_num_threads(1)
serial = expected((700, 700)).tobytes()
vs.set_num_threads(1000)
if os.getuid() == 0: os.setuid(54321)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
import threading
try:
    threading.Thread(target=print).start()
    print("threads can be had")
except RuntimeError:
    print(expected((700, 700)).tobytes() == serial)
"""
    assert run(code).stdout == "True\n"


def test_refused_memory_is_a_memory_error() -> None:
    """If this fails the process is aborted instead."""
    code = """
import resource, varscale as vs
vs.lecun_normal(1)((1000, 1000))
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
for dtype in ("bfloat16", "float32", "float64"):
    try: vs.lecun_normal(1)((1 << 16, 1 << 16), dtype)
    except MemoryError: print("refused")
print(vs.lecun_normal(1)((100, 100)).shape)
"""
    assert run(code).stdout == "refused\n" * 3 + "(100, 100)\n"


def test_many_calls_leak_nothing() -> None:
    """If this fails a long-running job grows with every call."""
    init, shape = vs.lecun_normal(1), (257, 256)

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    for _ in range(500):
        init.fold_in("a")(shape)
    before = resident()
    tracemalloc.start()
    for _ in range(500):
        init.fold_in("a")(shape)
    base = tracemalloc.get_traced_memory()[0]
    for _ in range(2000):
        init.fold_in("a")(shape)
    assert tracemalloc.get_traced_memory()[0] - base < 10_000
    tracemalloc.stop()
    for _ in range(7500):
        init.fold_in("a")(shape)
    assert resident() - before < 4 << 20


def test_peak_memory_is_the_array() -> None:
    """If this fails a fill needs the array again in temporaries."""
    code = """
import resource, varscale as vs
vs.lecun_normal(1)((1000, 1000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
array = vs.lecun_normal(1)((16384, 8192))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before - array.nbytes // 1024 < 16 * 1024)
"""
    assert run(code).stdout == "True\n"


# Ctrl-C -----------------------------------------------------------------------------------------------------------

INTERRUPT = """
import os, signal, threading, time, numpy as np, varscale as vs
vs.set_num_threads(THREADS)
slow = vs.TruncatedNormal(seed=1, lower=-5, upper=5)
out = np.empty((1 << 15, 1 << 14), np.float32, order="ORDER")
delays = []
for attempt in range(3):
    sent = []
    def interrupt():
        time.sleep(0.4)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt).start()
    try:
        slow(out.shape, out=out)
        print("finished")
    except KeyboardInterrupt:
        delays.append(time.perf_counter() - sent[0])
print(len(delays), max(delays) < 0.1, slow((3, 3)).tobytes() == slow((3, 3)).tobytes())
"""


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_stops_a_long_fill(threads: str, order: str) -> None:
    """If this fails Ctrl-C waits for gigabytes to be filled, or the library is unusable after it."""
    assert run(INTERRUPT.replace("THREADS", threads).replace("ORDER", order)).stdout == "3 True True\n"


# Threads of the program -------------------------------------------------------------------------------------------


def test_64_threads_share_one_initializer() -> None:
    """If this fails concurrent calls of one initializer disturb each other."""
    init, found = vs.lecun_normal(1).fold_in("a"), []
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


# Floating-point environment ---------------------------------------------------------------------------------------

MODES = """
import varscale as vs
from varscale import _core
inits = [vs.VarianceScaling(0.7, "fan_avg", d, 1) for d in ("uniform", "truncated_normal", "untruncated_normal")]
inits += [vs.RandomNormal(0.1, 1e-39, 1), vs.RandomNormal(0.0, 3e-7, 1), vs.RandomUniform(0.1, 0.3, 1)]
inits += [vs.TruncatedNormal(0.1, 0.3, 1, lower=-1.1, upper=3.3), vs.RandomNormal(0.0, 1e-310, 1)]
def draw():
    return [i(s, d).tobytes() for i in inits for s in ((37, 41), (400, 401)) for d in ("float16", "bfloat16", "float32", "float64")]
def strange():
    previous = _core.exchange_environment(0x1F80 | 1 << 15 | 1 << 6 | 2 << 13)
    third = 1.0 / 3.0
    return third
FIRST
strange()
assert 1.0 / 3.0 > 0.3333333333333333 and 1e-308 * 0.01 == 0.0, "the mode does something"
odd = draw()
assert 1.0 / 3.0 > 0.3333333333333333 and 1e-308 * 0.01 == 0.0, "the mode is restored"
_core.exchange_environment()
print(odd == draw())
"""


@pytest.mark.parametrize("first", ["", "draw()"])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_rounding_modes_of_other_libraries_change_nothing(threads: str, first: str) -> None:
    """If this fails values depend on what another library did to the thread, before the first fill or between two."""
    code = (
        MODES.replace("FIRST", first)
        .replace("1.0 / 3.0", "divide(1.0, 3.0)")
        .replace("1e-308 * 0.01", "times(1e-308, 0.01)")
    )
    code = "divide = lambda a, b: a / b\ntimes = lambda a, b: a * b\n" + code
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
print(_core.simd_level(), sha.hexdigest())
"""
    found = dict(
        run(code, VARSCALE_SIMD=level).stdout.split() or (level, None) for level in ("baseline", "avx2", "avx512")
    )
    available = {level: digest for level, digest in found.items() if digest}
    assert "baseline" in available
    assert len(set(available.values())) == 1
    assert run(code.replace("sha.update", "0 and sha.update")).stdout.split()[0] == list(available)[-1], (
        "the best is taken"
    )


@pytest.mark.parametrize("bad", ["sse2", "AVX2", "", "avx1024"])
def test_unknown_levels_are_refused(bad: str) -> None:
    """If this fails a misspelt level is silently ignored."""
    found = run("import varscale; varscale.lecun_normal(1)((2, 2))", VARSCALE_SIMD=bad)
    assert "ValueError: `VARSCALE_SIMD` must be one of baseline" in found.stderr
    assert f'got "{bad}"' in found.stderr


def test_importing_is_quick() -> None:
    """If this fails importing does work that belongs to the first use; the bound is wide, the figure is in the README."""
    code = """
import time, numpy, ml_dtypes
start = time.perf_counter()
import varscale
print(time.perf_counter() - start)
"""
    times = sorted(float(run(code).stdout) for _ in range(5))
    assert times[0] < 0.1, times
    assert time.perf_counter() > 0
