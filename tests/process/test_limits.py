"""In the processes that Linux really gives people: few CPUs, few threads, little memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc

import pytest

import varscale as vs
from process.child import run

pytestmark = pytest.mark.thread_unsafe(reason="limits a process, and measures it")


def test_the_default_is_what_this_process_may_use() -> None:
    """If this fails a job pinned to one CPU starts threads for the whole machine."""
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "import varscale; print(varscale.get_num_threads())"
    )
    environment = {key: value for key, value in os.environ.items() if key != "VARSCALE_NUM_THREADS"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == "1\n"


def test_without_threads_the_fill_is_serial() -> None:
    """If this fails a container that allows no more threads gives an error, or other values."""
    code = """
import os, resource, threading, varscale as vs
expected = vs.lecun_normal(1)
vs.set_num_threads(1)
serial = expected((700, 700)).tobytes()
vs.set_num_threads(1000)
if os.getuid() == 0: os.setuid(54321)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
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


def test_refused_memory_of_a_view_is_a_memory_error() -> None:
    """If this fails a worker that gets no memory for a piece of a view in another order aborts the process."""
    code = """
import resource, numpy as np, varscale as vs
vs.set_num_threads(2)
init, out, refused = vs.lecun_normal(1), np.empty((3000, 3000), np.float32, order="F"), 0
expected = init(out.shape)
with open("/proc/self/statm") as file: size = int(file.read().split()[0]) * resource.getpagesize()
hard = resource.getrlimit(resource.RLIMIT_AS)[1]
for free in range(1 << 16, 3 << 20, 1 << 16):
    out[...] = 0
    resource.setrlimit(resource.RLIMIT_AS, (size + free, hard))
    try:
        init(out.shape, out=out)
        whole = True
    except MemoryError:
        whole = False
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    refused += not whole
    assert not whole or (out == expected).all()
print(refused > 0)
"""
    # No memory of the C library's own that it has kept from before the limit.
    found = run(code, MALLOC_ARENA_MAX="1", MALLOC_MMAP_THRESHOLD_="131072")
    assert found.stdout == "True\n", found.stderr


def test_huge_arrays_need_no_memory_besides() -> None:
    """If this fails the work is listed before it is begun: memory that grows with the array, and Ctrl-C waits."""
    code = """
import mmap, os, re, signal, time, numpy as np, varscale as vs
MAP_NORESERVE = 0x4000
def anonymous():
    with open("/proc/self/status") as file: return int(re.search(r"RssAnon:\\s+(\\d+) kB", file.read())[1])
def stop(signum, frame):
    used.append(anonymous() - before)
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, stop)
vs.lecun_normal(1)((1000, 1000))
memory = mmap.mmap(-1, 1 << 39, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | MAP_NORESERVE)
flat, used = np.frombuffer(memory, np.float32), []
for order in "CF":
    array = flat.reshape((1 << 19, 1 << 18), order=order)
    before, start = anonymous(), time.process_time()
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try: vs.lecun_normal(1)(array.shape, out=array)
    except KeyboardInterrupt: print(time.process_time() - start < 0.3 * vs.get_num_threads())
print(max(used) < 8 << 10)
"""
    found = run(code)
    assert found.stdout == "True\n" * 3, found.stderr


def test_no_more_threads_than_a_fill_has_asked_for() -> None:
    """If this fails every setting leaves threads of its own behind."""
    code = """
import os, varscale as vs
alone = len(os.listdir("/proc/self/task"))
for count in (2, 7, 3, 5, 4):
    with vs.num_threads(count): vs.lecun_normal(1)((1000, 1000))
print(len(os.listdir("/proc/self/task")) - alone)
"""
    assert run(code).stdout == "6\n"  # and the caller


def test_many_calls_leak_nothing() -> None:
    """If this fails a long-running job grows with every call."""
    init, shape = vs.lecun_normal(1), (257, 256)

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def calls(count: int) -> int:
        for _ in range(count):
            init.fold_in("a")(shape)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    before = calls(3000)  # Python's free lists are full by then
    assert calls(2000) - before < 2000
    tracemalloc.stop()
    before = resident()
    calls(10_000)
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
