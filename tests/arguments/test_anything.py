"""Anything at all, anywhere: a call ends in a value or in an error that names an argument, at once and in few words."""

from __future__ import annotations

import json
import pickle
import re
import resource
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings

import varscale as vs
from arguments.anything import TheirError, value_of
from arguments.calls import CALLEES, CALLS, LEGAL, Call, everywhere, ours, plain_calls

pytestmark = pytest.mark.thread_unsafe(reason="measures the process, and sets what is process-wide")

ERRORS = (TypeError, ValueError, IndexError, KeyError, MemoryError)
NAMED = re.compile(r"`[\w.]+`|(keyword|positional) arguments?:? '")
"""What names an argument: ours in backticks, or Python's own errors about signatures."""
SECONDS, MEMORY, LETTERS = 0.05, 64 << 20, 2048
"""The most that a refused call may take of the processor, of memory, and of its reader."""
ROOM = 256 << 20
"""The memory that a call can have: a legal but large result is a MemoryError, and fills no machine."""
LIMIT = resource.getrlimit(resource.RLIMIT_AS)


class Outcome(NamedTuple):
    """How a call ended, and what it took."""

    error: BaseException | None
    seconds: float
    memory: int


def test_everything_public_is_called() -> None:
    """If this fails something new is not called with anything at all: its arguments need legal texts in `LEGAL`."""
    assert {parameter.name for callee in CALLEES for parameter in callee.parameters} - LEGAL.keys() == set()
    assert len(CALLEES) > 200
    refused = [repr(call) for call in plain_calls() if made(call).error is not None]
    more = r"vs\.(Pieces|sparse)\(.*\.from_config\(config={}\)", r"vs\.(dirac|bilinear)\(\)\.\w+\(shape=\(3, 4\)\)"
    legal = re.compile("|".join((r"replay\..*\.fold_in\(3\)", *more)))  # which need more
    assert [text for text in refused if not legal.fullmatch(text)] == [], "or calls nothing"


@pytest.mark.parametrize(
    "text",
    [
        *("10**10_000", "-10**10_000", "[10**10_000] * 3", "Fraction(10**10_000)", "np.timedelta64(3, 's')"),
        *("deep('list')", "deep('tuple')", "deep('dict')", "itself('list')", "itself('dict')", "[itself('list')] * 2"),
        *("[0] * 10**5", "['a'] * 10**5", "'x' * 10**6", "range(1, 10**8)", "range(10**30)", "'\\ud800'", "'__doc__'"),
        *("view('i1', 2**40)", "view('f4', 2**20, 2**20)", "view('O', 2**40)", "itertools.count()"),
        *("raising('__repr__')", "raising('__index__', int)", "lying('__len__', 10**18, list)"),
    ],
)
def test_in_every_argument(text: str) -> None:
    """If this fails an argument is not checked, or looked at in full, or shown in full."""
    faults = [(call, fault) for call in everywhere(text) for fault in faults_of(call)]
    assert faults == []


def test_in_any_call() -> None:
    """If this fails an argument of some kind, in some call, ends in another error than five, or costs much."""
    search(5_000, derandomize=True)  # the same calls every time: `make test-long` looks for new ones


@pytest.mark.long
def test_in_many_calls() -> None:
    """If this fails there is such a call, but it is rare."""
    search(100_000, derandomize=False)


def search(examples: int, derandomize: bool) -> None:
    @settings(max_examples=examples, derandomize=derandomize, deadline=None, suppress_health_check=list(HealthCheck))
    @given(CALLS)
    def check(call: Call) -> None:
        assert list(faults_of(call)) == []

    check()


def faults_of(call: Call) -> Iterator[str]:
    """What is wrong with the way in which a call ends."""
    outcome = made(call)
    error = outcome.error
    if error is None or isinstance(error, TheirError):
        return
    if not isinstance(error, ERRORS) or isinstance(error, UnicodeError):
        yield f"{type(error).__name__}: {text(error)[:LETTERS]}"
    elif not NAMED.search(text(error)) and (call.positional or call.named) and "lying(" not in repr(call):
        yield f"names no argument: {text(error)[:LETTERS]}"
    link: BaseException | None = error
    while link is not None and not isinstance(link, TheirError):
        if len(text(link)) > LETTERS:
            yield f"a message of {len(text(link))} letters: {text(link)[:100]}"
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    # The machine may have been busy, or Python have collected its garbage. The processor's clock takes time itself.
    for _ in range(3):
        if outcome.seconds > SECONDS or outcome.memory > MEMORY:
            outcome = made(call, time.thread_time)
    if outcome.seconds > SECONDS:
        yield f"takes {outcome.seconds:.3f} s to raise: {text(error)[:LETTERS]}"
    if outcome.memory > MEMORY:
        yield f"takes {outcome.memory >> 20} MB to raise: {text(error)[:LETTERS]}"


def text(error: BaseException) -> str:
    """The message; NumPy's errors make theirs when they are shown, which then may fail."""
    try:
        return str(error)
    except ValueError:
        return ""


def made(call: Call, clock: Callable[[], float] = time.perf_counter) -> Outcome:
    """Makes a call, and uses what it returns."""
    positional = [value_of(text) for text in call.positional]
    named = {name: value_of(text) for name, text in call.named.items()}
    threads = vs.get_num_threads()
    error = None
    before = begin()
    seconds = clock()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rules that match nothing
            result = value_of(call.function)(*positional, **named)
        use(result)
        # The classes that `raising` and `lying` make are nowhere to be found again, and JSON has no endless integers.
        if ours(type(result)) and "ing('" not in repr(call):
            pickle.loads(pickle.dumps(result))
        if isinstance(result, vs.Initializer) and "10_000" not in repr(call):
            assert vs.deserialize(json.loads(json.dumps(vs.serialize(result)))) == result
    except BaseException as caught:
        error = caught
    seconds = clock() - seconds
    resource.setrlimit(resource.RLIMIT_AS, LIMIT)
    vs.set_num_threads(threads)
    vs.set_random_seed(None)
    return Outcome(error, seconds, most_memory() - before)


def use(result: Any) -> None:
    """Enters a context, begins an iterator, and shows what is ours."""
    if isinstance(result, AbstractContextManager):
        with result:
            pass
    elif isinstance(result, Iterator):
        next(result, None)
    if ours(type(result)):
        assert len(repr(result)) < LETTERS or isinstance(result, vs.ModelTable)


def begin() -> int:
    """Limits the memory from now on, and returns the most that the process has, which is what it has now."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    with open("/proc/self/statm", encoding="ascii") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, LIMIT[1]))
    return most_memory()


def most_memory() -> int:
    """The most memory that the process has had since its record was cleared."""
    with open("/proc/self/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) << 10
