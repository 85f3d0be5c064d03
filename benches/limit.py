"""varscale beside the limits of the machine that it runs on: ratios that do not depend on which machine that is.

    python benches/limit.py [--rounds 15] [--json FILE]      (`make bench-limit`; needs rustc)

One run measures in turns what varscale does, and what the machine can do at best: words by intrinsics (limit.rs, whose
values are first compared with varscale's), laws over words in L1, stores, new memory, and what threads are worth.
A ratio is the limit's time divided by varscale's: 1 is the limit. Nothing fails because it is slow.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import varscale as vs

SOURCE = Path(__file__).with_name("limit.rs")
# Unrolled rounds: their keys are then broadcast from memory by the instructions that use them.
FLAGS = "-C opt-level=3 -C codegen-units=1 -C llvm-args=-unroll-threshold=2000 -C panic=abort --crate-type cdylib"
LEVELS = ("baseline", "AVX2", "AVX-512")
UNIFORM, TRUNCATED, WORDS, STORE = range(4)
"""The laws of `limit` in limit.rs."""
SMALL = 384 * 680
"""Values in L2, in whole batches of limit.rs; the call itself is a twentieth of the time."""
SQUARE, LARGE = 1 << 20, 1 << 26
SEED = 7
LAWS = {
    "uniform": vs.RandomUniform(-1.0, 1.0, SEED),
    "truncated": vs.TruncatedNormal(0.0, 1.0, SEED),
    "normal": vs.RandomNormal(0.0, 1.0, SEED),
    "[-3, 3]": vs.TruncatedNormal(0.0, 1.0, SEED, lower=-3.0, upper=3.0),
}
Call = Callable[[], object]
Times = dict[str, float]


class Hand:
    """The kernels of limit.rs, compiled for this machine."""

    def __init__(self, folder: str) -> None:
        path = Path(folder) / "liblimit.so"
        subprocess.run(["rustc", "--edition", "2024", *FLAGS.split(), "-o", path, SOURCE], check=True)
        library = ctypes.CDLL(str(path))
        self._limit = library.limit
        sizes = (ctypes.c_size_t, ctypes.c_size_t)
        self._limit.argtypes = (ctypes.c_uint32, ctypes.c_uint32, ctypes.c_float, *[ctypes.c_void_p] * 2, *sizes)
        self.level: int = library.best_level()
        self._name = np.frombuffer(LAWS["uniform"]._stream(), np.uint32).copy()

    def write(self, law: int, out: NDArray[np.float32], threads: int = 1) -> None:
        """Writes whole batches of `out`."""
        self._limit(self.level, law, 1.0, self._name.ctypes.data, out.ctypes.data, out.size, threads)


def seconds(call: Call, repeats: int) -> float:
    """The seconds of one call, of so many in a row."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def cases(hand: Hand, threads: int) -> dict[str, tuple[Call, int]]:
    """What is timed, and how often in a row."""
    memory = np.ones(LARGE + 16, np.float32)
    # From a cache line on: a store of 512 bits that straddles two lines costs two.
    buffer = memory[-memory.ctypes.data % 64 // 4 :][:LARGE]

    def by_hand(law: int, values: int, threads: int = 1) -> Call:
        return partial(hand.write, law, buffer[:values], threads)

    def ours(law: str, values: int, threads: int) -> Call:
        def call() -> None:
            with vs.num_threads(threads):
                LAWS[law]((values,), out=buffer[:values])

        return call

    def new(law: str) -> Call:
        return lambda: LAWS[law]((LARGE,))

    for law, name in ((UNIFORM, "uniform"), (TRUNCATED, "truncated")):
        by_hand(law, SMALL)()
        if not (buffer[:SMALL] == LAWS[name]((SMALL,))).all():
            msg = f"limit.rs does not make varscale's values: {name}"
            raise AssertionError(msg)
    tiny, init, float32, rng = (16, 16), vs.lecun_normal(SEED), np.dtype(np.float32), np.random.default_rng(SEED)
    out = np.empty(tiny, float32)
    model = vs.Model({f"h.{layer}.w": tiny for layer in range(10_000)}, layout="jax")
    return {
        "hand words": (by_hand(WORDS, SMALL), 4),
        "hand uniform": (by_hand(UNIFORM, SMALL), 4),
        "hand truncated": (by_hand(TRUNCATED, SMALL), 4),
        **{law: (ours(law, SMALL, 1), 4) for law in LAWS},
        "hand truncated 1M": (by_hand(TRUNCATED, SQUARE), 4),
        "truncated 1M, one thread": (ours("truncated", SQUARE, 1), 4),
        "truncated 1M": (ours("truncated", SQUARE, threads), 4),
        "hand truncated 64M": (by_hand(TRUNCATED, LARGE), 1),
        "hand truncated 64M, threads": (by_hand(TRUNCATED, LARGE, threads), 1),
        "truncated 64M": (ours("truncated", LARGE, threads), 1),
        "normal 64M": (ours("normal", LARGE, threads), 1),
        "store 64M": (by_hand(STORE, LARGE), 1),
        "store new 64M, threads": (lambda: hand.write(STORE, np.empty(LARGE, float32), threads), 1),
        "np.full 64M": (lambda: np.full(LARGE, 0.5, float32), 1),
        "truncated new 64M": (new("truncated"), 1),
        "normal new 64M": (new("normal"), 1),
        "np.empty 16²": (lambda: np.empty(tiny, float32), 300),
        "NumPy's normal 16²": (lambda: rng.standard_normal(tiny, np.float32), 300),
        "init 16²": (lambda: init(tiny), 300),
        "init 16², out=": (lambda: init(tiny, out=out), 300),
        "model of 10,000 of 16²": (lambda: model.init(SEED), 1),
    }


def faults(t: Times, threads: int) -> float:
    """The time that new memory costs beyond the stores: the threads share them."""
    return max(0.0, t["store new 64M, threads"] - t["store 64M"] / threads)


def ratios(t: Times, threads: int) -> dict[str, float]:
    """The limit's time divided by varscale's."""
    scaling = t["hand truncated 64M, threads"] / t["hand truncated 64M"]
    tiny = t["np.empty 16²"] + t["hand truncated"] * 256 / SMALL
    computed = t["hand truncated 64M, threads"]
    return {
        "one thread: hand words / uniform": t["hand words"] / t["uniform"],
        "one thread: hand uniform / uniform": t["hand uniform"] / t["uniform"],
        "one thread: hand words / truncated": t["hand words"] / t["truncated"],
        "one thread: hand truncated / truncated": t["hand truncated"] / t["truncated"],
        "one thread: hand words / normal": t["hand words"] / t["normal"],
        "one thread: truncated / [-3, 3]": t["truncated"] / t["[-3, 3]"],
        "threads, 64M warm: hand / truncated": computed / t["truncated 64M"],
        "threads, 1M warm: hand at the scaling of 64M / truncated": t["hand truncated 1M"]
        * scaling
        / t["truncated 1M"],
        "new 64M: (page faults + hand) / truncated": (computed + faults(t, threads)) / t["truncated new 64M"],
        "new 64M: np.full / truncated": t["np.full 64M"] / t["truncated new 64M"],
        "new 64M: (page faults + warm) / normal": (t["normal 64M"] + faults(t, threads)) / t["normal new 64M"],
        "16²: (np.empty + 256 hand values) / init": tiny / t["init 16²"],
        "16²: NumPy's normal / init": t["NumPy's normal 16²"] / t["init 16²"],
        "16²: NumPy's normal / init with out=": t["NumPy's normal 16²"] / t["init 16², out="],
        "16²: (np.empty + 256 hand values) / a model's parameter": tiny * 10_000 / t["model of 10,000 of 16²"],
    }


def measure(hand: Hand, rounds: int) -> dict[str, Any]:
    """Times and ratios, by medians and by minima."""
    threads = vs.get_num_threads()
    calls = cases(hand, threads)
    times: dict[str, list[float]] = {label: [] for label in calls}
    for call, _ in calls.values():
        call()
    for _ in range(rounds):
        for label, (call, repeats) in calls.items():
            times[label].append(seconds(call, repeats))
    report: dict[str, Any] = {"level": LEVELS[hand.level], "machine": platform.machine(), "threads": threads}
    for word, summary in (("median", median), ("least", min)):
        found = {label: summary(values) for label, values in times.items()}
        report[word] = {"seconds": found, "ratios": ratios(found, threads)}
    return report


def text(report: dict[str, Any]) -> str:
    """The report as two tables of Markdown."""
    typical, least = report["median"], report["least"]
    worth = typical["seconds"]["hand truncated 64M"] / typical["seconds"]["hand truncated 64M, threads"]
    lines = [
        f"{report['machine']}, {report['level']}, varscale {vs.__version__}. {report['threads']} threads are worth "
        f"{worth:.2f} by hand; below 0.8 of their number, others use the machine too.",
        *("", "| ms | median | least |", "|---|--:|--:|"),
        *(
            f"| {label} | {s * 1e3:.4f} | {least['seconds'][label] * 1e3:.4f} |"
            for label, s in typical["seconds"].items()
        ),
        *("", "| limit / varscale | medians | minima |", "|---|--:|--:|"),
        *(f"| {label} | {ratio:.2f} | {least['ratios'][label]:.2f} |" for label, ratio in typical["ratios"].items()),
    ]
    return "\n".join(lines)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="writes the report there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(Hand(folder), options.rounds)
    print(text(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
