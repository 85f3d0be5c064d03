"""Signal handlers, finalizers and forks come between any two steps of a call, and may call anything."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from process.child import run

pytestmark = pytest.mark.thread_unsafe(reason="signals and finalizers of a process; ast in one thread only")

PACKAGE = Path(__file__).parents[2] / "python" / "varscale"
BEGIN = """
import gc, itertools, os, numpy as np, varscale as vs
from varscale import replay
from process.between import everywhere
vs.set_num_threads(1)
init, uniform = vs.lecun_normal(), vs.RandomUniform(0, 1)
def draw(): return float(init((1,))[0])
"""


def result(code: str, timeout: float = 300) -> str:
    """What the code prints in a new process; the test fails where that waits for ever."""
    found = run(BEGIN + code, timeout, PYTHONPATH=os.pathsep.join(sys.path))
    assert found.stderr == ""
    return found.stdout


def test_an_unseeded_call_within_an_unseeded_call() -> None:
    """If this fails a handler waits for a lock that it interrupted, or two calls take one number."""
    code = """
vs.set_random_seed(3)
first, second = draw(), draw()
def prepare():
    vs.set_random_seed(3)
    return draw, draw
found = list(everywhere(prepare))
print(len(found) > 100, {tuple(sorted(pair)) for pair in found} == {tuple(sorted((first, second)))})
"""
    assert result(code) == "True True\n"


def test_a_global_seed_set_within_an_unseeded_call() -> None:
    """If this fails a call takes one seed's stream and another one's number, or the handler waits for ever."""
    code = """
legal = []
for seed in (3, 4):
    vs.set_random_seed(seed)
    legal.append(draw())
def prepare():
    vs.set_random_seed(3)
    return draw, lambda: vs.set_random_seed(4)
found = [value for value, _ in everywhere(prepare)]
print(len(found) > 100, {*found} == {*legal})
"""
    assert result(code) == "True True\n"


def test_an_unseeded_call_within_the_setting_of_a_seed() -> None:
    """If this fails a handler that draws during `set_random_seed` waits for ever."""
    code = """
vs.set_random_seed(3)
legal = {draw()}
vs.set_random_seed(4)
legal.add(draw())
def prepare():
    vs.set_random_seed(3)
    return (lambda: vs.set_random_seed(4)), draw
found = [value for _, value in everywhere(prepare)]
print(len(found) > 10, {*found} == legal)
"""
    assert result(code) == "True True\n"


@pytest.mark.parametrize("init", ["vs.lecun_normal(5)", "vs.Constant(2.0)", "vs.Identity()"])
def test_a_fill_within_a_fill(init: str) -> None:
    """If this fails a handler's fill of another array is refused or waits, or an array can never be filled again."""
    code = f"""
init = {init}
expected = init((3, 4)).tolist()
refused = 0
def fill(out):
    try: return init(out.shape, out=out).tolist()
    except ValueError: return "refused"
def prepare():
    out = np.zeros((6, 4), np.float32)
    return (lambda: fill(out[:3])), (lambda: (fill(out[:3]), fill(out[3:])))
ends = list(everywhere(prepare))
print(len(ends) > 100, all(own == expected and other == expected for own, (_, other) in ends))
print({{repr(same) for _, (same, _) in ends}} == {{repr(expected), repr("refused")}})
out = np.zeros((3, 4), np.float32)
print(fill(out) == expected)
"""
    assert result(code) == "True True\nTrue\nTrue\n"


def test_a_draw_within_a_draw() -> None:
    """If this fails a handler waits for the draw that it interrupted, or both draw one word."""
    code = """
words = vs.RandomUniform(0, 1, seed=replay.torch(3))((4,)).tolist()
def prepare():
    draws = replay.torch(3).draws()
    return (lambda: draws(uniform, (2,)).tolist() + [draws]), lambda: next(draws)
found = list(everywhere(prepare))
legal = ([words[:2], words[2]], [words[1:3], words[0]])
print(len(found) > 100, all([own[:2], other] in legal for own, other in found))
print({own[2].position.skip for own, _ in found}, {next(own[2]) == words[3] for own, _ in found})
"""
    assert result(code) == "True True\n{3} {True}\n"


def test_a_position_read_within_a_draw() -> None:
    """If this fails who looks where a generator stands, within a draw, waits for ever or moves it."""
    code = """
words = vs.RandomUniform(0, 1, seed=replay.torch(3))((3,)).tolist()
def prepare():
    draws = replay.torch(3).draws()
    return (lambda: [next(draws), draws.position.skip]), lambda: (draws.position.skip, repr(draws))
found = list(everywhere(prepare))
print(len(found) > 100, all(own == [words[0], 1] for own, _ in found), {skip for _, (skip, _) in found} <= {0, 1})
"""
    assert result(code) == "True True True\n"


def test_finalizers() -> None:
    """If this fails a finalizer, which runs wherever Python collects garbage, waits for the call that it is within."""
    code = """
class Garbage:
    def __init__(self, call): self.itself, self.call = self, call
    def __del__(self): done.append(self.call())
done, out, draws = [], np.zeros((6, 4), np.float32), replay.torch(3).draws()
calls = [draw, lambda: vs.set_random_seed(4), lambda: init((3, 4), out=out[3:]), lambda: next(draws),
         lambda: draws.position, lambda: vs.Model({"a.bias": (2,)}).init(3), lambda: init.lazy((2,))[0]]
gc.freeze()
for allocations in range(40):
    for work, other in itertools.product(calls, calls):
        gc.collect()
        gc.set_threshold(allocations + 1)  # the next collection comes after so many objects have been made
        Garbage(other)
        init((3, 4), out=out[:3]) if work is calls[2] else work()
        gc.set_threshold(0)
gc.collect()
print(len(done))
"""
    assert result(code) == f"{40 * 7 * 7}\n"


@pytest.mark.parametrize("stride", [11, pytest.param(1, marks=pytest.mark.long)])
def test_forks_within_any_call(stride: int) -> None:
    """If this fails a child that is forked within a call can never make that call, or draws what is not next."""
    code = f"""
vs.set_random_seed(3)
first, second = draw(), draw()
words = vs.RandomUniform(0, 1, seed=replay.torch(3))((3,)).tolist()
def forked(child):
    number = os.fork()
    if number == 0: os._exit(0 if child() else 1)
    return os.waitpid(number, 0)[1] == 0
def unseeded():
    vs.set_random_seed(3)
    return draw, lambda: forked(lambda: draw() in (first, second))
def drawing():
    draws = replay.torch(3).draws()
    return (lambda: next(draws)), lambda: forked(lambda: [next(draws), next(draws)] in (words[:2], words[1:]))
def filling():
    out = np.zeros((3, 4), np.float32)
    return (lambda: init((3, 4), out=out)), lambda: forked(lambda: init((3, 4), out=out) is out)
for prepare in (unseeded, drawing, filling):
    found = [other for _, other in everywhere(prepare, {stride})]
    print(len(found) > 200 // {stride}, all(found))
"""
    assert result(code, 600) == "True True\n" * 3


def test_signals_in_the_midst_of_everything() -> None:
    """If this fails a real signal, which may also come within NumPy or the core, finds what no step of ours leaves."""
    code = """
import signal
vs.set_num_threads(2)
out, draws, seen = np.zeros((600, 400), np.float32), replay.torch(3).draws(), []
slow = vs.RandomNormal(seed=replay.tf1(5))  # the same under every global seed
def handler(number, frame):
    seen.append(next(draws))
    draw(); vs.set_random_seed(len(seen)); slow((300, 400), out=out[300:])
    signal.setitimer(signal.ITIMER_REAL, 5e-4)  # the next, so that no handler interrupts another without end
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 5e-4)
own = []
while len(seen) < 300:
    own.append(next(draws))
    draw(); slow((300, 400), out=out[:300])
signal.setitimer(signal.ITIMER_REAL, 0)
words = vs.RandomUniform(0, 1, seed=replay.torch(3))((len(own) + len(seen),)).tolist()
print(sorted(own + seen) == sorted(words), (out[:300] == out[300:]).all())
"""
    assert result(code) == "True True\n"


def test_nothing_is_locked() -> None:
    """If this fails a signal handler, a finalizer or a forked child can wait for ever for whoever holds the lock."""
    names = {
        "Lock",
        "RLock",
        "Condition",
        "Semaphore",
        "BoundedSemaphore",
        "Event",
        "Barrier",
        "Queue",
        "allocate_lock",
    }
    modules = {"threading", "_thread", "queue", "multiprocessing", "asyncio"}
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                taken = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                taken = {(node.module or "").partition(".")[0]} if node.level == 0 else set()
            else:
                taken = {node.attr} & names if isinstance(node, ast.Attribute) else set()
            found += [(path.name, name) for name in taken & (names | modules)]
    # A call that writes or reads a checkpoint hands pieces to threads of its own, which nobody else can wait for.
    assert sorted(found) == [("_sweep.py", "threading"), ("_write.py", "queue")]
