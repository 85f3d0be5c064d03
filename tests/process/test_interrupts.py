"""Ctrl-C while a long fill is under way."""

from __future__ import annotations

import pytest

from process.child import run

pytestmark = pytest.mark.thread_unsafe(reason="signals reach the main thread alone")

INTERRUPT = """
import os, signal, threading, time, numpy as np, varscale as vs
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits that it is ignored
vs.set_num_threads(THREADS)
slow = INIT
out = np.empty(SHAPE, np.float32, order="ORDER")
delays, waits = [], []
for attempt in range(3):
    sent = []
    def interrupt():
        time.sleep(WAIT)
        sent.extend((time.process_time(), time.perf_counter()))
        if os.name == "nt":
            signal.raise_signal(signal.SIGINT)
        else:
            os.kill(os.getpid(), signal.SIGINT)
    try:
        threading.Thread(target=interrupt).start()
        slow(out.shape, out=out)
        print("finished")
    except KeyboardInterrupt:
        delays.append(time.process_time() - sent[0])
        waits.append(time.perf_counter() - sent[1])
# Processor time, which a busy machine hardly stretches: a thread's share of it is the delay on an idle one. Where the
# system has no memory at hand one block alone can take 0.1 s, and the clock goes on for other processes too.
prompt = min(delays) < 0.1 * THREADS and max(delays) < 0.4 * THREADS and min(waits) < 0.4
print(len(delays), prompt, slow((3, 3)).tobytes() == slow((3, 3)).tobytes())
"""

HUGE = "(1 << 15, 1 << 14)"


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_stops_a_long_fill(threads: str, order: str) -> None:
    """If this fails Ctrl-C waits for gigabytes to be filled, or the library is unusable after it."""
    slow = "vs.TruncatedNormal(seed=1, lower=-5, upper=5)"
    code = INTERRUPT.replace("INIT", slow).replace("WAIT", "0.4").replace("THREADS", threads).replace("ORDER", order)
    code = code.replace("SHAPE", HUGE)
    assert run(code).stdout == "3 True True\n"


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("init", ["vs.Constant(0.1)", "vs.Ones()", "vs.Identity()"])
def test_ctrl_c_stops_a_long_constant(init: str, order: str) -> None:
    """If this fails Ctrl-C waits for gigabytes of one value."""
    code = INTERRUPT.replace("INIT", init).replace("WAIT", "0.03").replace("THREADS", "1").replace("ORDER", order)
    code = code.replace("SHAPE", HUGE)
    assert run(code).stdout == "3 True True\n"


@pytest.mark.parametrize(
    ("threads", "init"), [("1", "vs.Orthogonal(seed=1)"), ("2", "vs.Orthogonal(seed=1, blocks=4)")]
)
def test_ctrl_c_stops_a_factorization(threads: str, init: str) -> None:
    """If this fails Ctrl-C waits for large orthogonal matrices, or the library is unusable after it."""
    code = INTERRUPT.replace("INIT", init).replace("WAIT", "1.5").replace("THREADS", threads)
    code = code.replace("SHAPE", "(12000, 8000)").replace("ORDER", "C").replace("slow((3, 3))", "slow((4, 4))")
    assert run(code).stdout == "3 True True\n"
