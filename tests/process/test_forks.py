"""Forks, by whatever the program forks with: a child has none of its parent's threads, and works all the same."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from process.child import run

pytestmark = pytest.mark.thread_unsafe(reason="forks the process")

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


def test_a_forked_child_writes_what_its_parent_was_writing() -> None:
    """If this fails a worker process forked during a fill can never fill its copy of the array, or hangs."""
    code = """
import os, threading, numpy as np, varscale as vs
out = np.zeros((4000, 4000), np.float32)
slow = vs.TruncatedNormal(seed=1, lower=-5, upper=5)
stop = False
def fill():
    while not stop: slow(out.shape, out=out)
threading.Thread(target=fill, daemon=True).start()
failed = 0
for _ in range(30):
    child = os.fork()
    if child == 0:
        try: vs.lecun_normal(1)((10, 10), out=out[:10, :10]); os._exit(0)
        except ValueError: os._exit(1)
    failed += os.waitpid(child, 0)[1] != 0
stop = True
print(failed)
"""
    assert run(code).stdout == "0\n"


def test_forks_while_other_threads_draw() -> None:
    """If this fails a child waits for a draw of a thread that it does not have, or draws what is not next."""
    code = """
import os, threading, varscale as vs
from varscale import replay
draws, stop, wrong = replay.torch(3).draws(), False, 0
def draw():
    while not stop: next(draws)
threads = [threading.Thread(target=draw, daemon=True) for _ in range(3)]
for thread in threads: thread.start()
for _ in range(50):
    child = os.fork()
    if child == 0:
        found = [next(draws) for _ in range(3)]
        words = vs.RandomUniform(0, 1, seed=replay.torch(3, draws.position.skip - 3))((3,)).tolist()
        os._exit(found != words)
    wrong += os.waitpid(child, 0)[1] != 0
stop = True
print("wrong", wrong)
os._exit(0)
"""
    assert run(code, 300).stdout == "wrong 0\n"


def test_a_forked_child_makes_its_own_workers() -> None:
    """If this fails a DataLoader worker hangs: a child has none of its parent's threads."""
    code = """
import os, numpy, varscale
varscale.set_num_threads(2)
init = varscale.lecun_normal(seed=1)
parent = init((1024, 1024))
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, b"same" if init((1024, 1024)).tobytes() == parent.tobytes() else b"differs")
    os._exit(0)
os.close(write)
print(os.read(read, 10).decode())
"""
    found = run(code)
    assert found.stdout == "same\n", found.stderr


def test_a_child_that_returns_into_its_parents_fill_gets_an_error() -> None:
    """If this fails a signal handler's child waits for ever for its parent's threads, or takes a part for the whole."""
    code = """
import os, signal, numpy as np, varscale as vs
vs.set_num_threads(2)
slow, out, children = vs.TruncatedNormal(seed=1, lower=-5, upper=5), np.empty((8000, 8000), np.float32), []
signal.signal(signal.SIGALRM, lambda *_: children or children.append(os.fork()))
expected = vs.lecun_normal(1)((300, 300)).tobytes()
while not children:
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    try: slow(out.shape, out=out)
    except RuntimeError as error:
        again = vs.lecun_normal(1)((300, 300)).tobytes() == expected  # with threads of its own
        os._exit(0 if "forked during a fill" in str(error) and again and children == [0] else 1)
print(os.waitpid(children[0], 0)[1], (out == slow(out.shape)).all())
"""
    assert run(code).stdout == "0 True\n"


def test_without_any_seed_forked_children_differ() -> None:
    """If this fails every DataLoader worker draws the same noise."""
    code = """
import os, varscale as vs
draws = [vs.lecun_normal()((8, 8)).tobytes()]
for _ in range(3):
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, vs.lecun_normal()((8, 8)).tobytes())
        os._exit(0)
    draws.append(os.read(read, 1000))
    os.wait()
print(len(set(draws)))
"""
    assert run(code).stdout == "4\n"


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(method: str, tmp_path: os.PathLike[str]) -> None:
    """If this fails worker processes hang, or initialisers do not pickle."""
    script = f"{tmp_path}/work.py"
    with open(script, "w", encoding="utf-8") as file:
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
