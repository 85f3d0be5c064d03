"""A target for fuzzers: jobs as they cross into the core, legal ones and others, and a model of what each must do.

`make fuzz` finds inputs, of which a few are kept in `corpora/border.txt`; `test_border.py` does them again.
"""

from __future__ import annotations

from math import inf, nan, prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from varscale._core import fill

STORED = {
    "float8_e4m3fn": np.uint8,
    "float8_e5m2": np.uint8,
    "float16": np.uint16,
    "bfloat16": np.uint16,
    "float32": np.float32,
    "float64": np.float64,
}
CENTRAL = -0.5, 0.75
"""Bounds that JAX's laws have a use for, as the limits of a uniform one."""
BOUNDS = {
    CENTRAL: True,
    (-2.0, 2.0): True,
    (-inf, inf): True,
    (2.0, -2.0): False,
    (nan, 1.0): False,
    (60.0, 61.0): False,  # where no mass is
}
NO_NUMBERS = -1, 1 << 64, 1.5, "1", None
"""What is no 64-bit number; in the place of a stream or a whole part, no such thing either."""
Job = tuple[Any, ...]


class Bytes:
    """A fuzzer's bytes as choices; behind their end are zeros."""

    def __init__(self, data: bytes) -> None:
        self._left = iter(data)

    def below(self, count: int) -> int:
        return next(self._left, 0) % count

    def of(self, *choices: Any) -> Any:
        return choices[self.below(len(choices))]

    def seldom(self) -> bool:
        return self.below(16) == 15

    def number(self) -> int:
        """Any 64-bit number: near 0, near 2^64, or of so many bytes."""
        kind = self.below(256)
        number = int.from_bytes(bytes(self.below(256) for _ in range(kind % 9)), "big")
        return number if kind < 128 else (1 << 64) - 1 - number


def border(data: bytes) -> None:
    """One call of `fill`: each job is refused, and nothing is written, or has the values that its elements have."""
    chosen = Bytes(data)
    memory = np.full(1 << 13, 0xA5, np.uint8)
    jobs, legal = [], True
    for half in np.split(memory, 2)[: 1 + chosen.below(2)]:
        # Now and then the second job's memory is the first one's, too.
        job, is_legal = _job(chosen, memory[:4096] if chosen.seldom() else half)
        jobs.append(job)
        legal = legal and is_legal
    outs = [job[0] for job in jobs if isinstance(job[0], np.ndarray)]
    # By the addresses between which they lie, as the core does it.
    legal = legal and not (len(outs) == 2 and np.may_share_memory(*outs))
    refusal: Exception | None = None
    try:
        fill(jobs)
    except (TypeError, ValueError, OverflowError) as error:
        refusal = error
    assert (refusal is None) == legal, (jobs, refusal)
    expected = np.full_like(memory, 0xA5)
    for job in jobs if legal else ():
        _model(job, memory, expected)
    assert (memory == expected).all(), jobs


def _job(chosen: Bytes, memory: NDArray[np.uint8]) -> tuple[Job, bool]:
    """A job, and whether it is legal."""
    element = chosen.of(*STORED)
    out, fits = _out(chosen, memory, np.dtype(STORED[element]))
    full, picks, lies = _part(chosen, out.shape)
    plan = _plan(chosen)
    stream, named = _stream(chosen, element, out, full is None or prod(full) == out.size, plan)
    legal = fits and lies and named
    if chosen.seldom():
        place = chosen.below(6)
        fields: list[Any] = [out, element, plan, stream, full, picks]
        # None says that the tensor is whole, and that all of it is picked.
        fields[place] = chosen.of(*(NO_NUMBERS[:4] if place > 3 else NO_NUMBERS))
        return tuple(fields), False
    return (out, element, plan, stream, full, picks), legal


def _out(chosen: Bytes, memory: NDArray[np.uint8], dtype: np.dtype[Any]) -> tuple[NDArray[Any], bool]:
    """An array in any order, and whether it may be written as elements of this dtype."""
    order = list(range(chosen.below(4)))
    sizes, steps = [chosen.of(1, 2, 3, 4, 0, 7) for _ in order], [chosen.of(1, 2, -1, -2) for _ in order]
    order.sort(key=lambda _: chosen.below(256))
    is_odd, is_other, is_locked = chosen.seldom(), chosen.seldom(), chosen.seldom()
    stored = np.dtype(np.int16) if is_other else dtype
    around = [sizes[axis] * abs(steps[axis]) for axis in order]
    if prod(around) * stored.itemsize >= memory.size:
        around = order = steps = []
    # No element of more than a byte is aligned at an odd address.
    flat = memory[is_odd : is_odd + prod(around) * stored.itemsize].view(stored)
    base = flat.reshape(around).transpose(np.argsort(order))
    out = base[(..., *(slice(None, None, step) for step in steps))]
    if out.size and chosen.seldom():
        out = as_strided(out, (*out.shape, 2), (*out.strides, 0))  # every element twice
        return out, False
    out.flags.writeable = not is_locked
    return out, out.flags.aligned and not is_other and not is_locked


def _part(chosen: Bytes, shape: tuple[int, ...]) -> tuple[Any, Any, bool]:
    """The full tensor's shape, the picks of an array of this shape, and whether they lie in it."""
    if chosen.below(3) == 0:
        return None, None, True
    full, picks, lies = [], [], True
    for size in shape:
        extent = max(1, min(1 << 64, chosen.of(size, size + 3, 2 * size + 1, chosen.number() + 1)))
        widest = (extent - 1) // max(1, size - 1)
        step = chosen.of(0, 1, 2, chosen.number()) % (min(widest, (1 << 63) - 1) + 1)
        start = chosen.number() % max(1, extent - step * max(0, size - 1))
        if start + step * max(0, size - 1) >= extent:
            lies = lies and size == 0
        indices = [start + step * place for place in range(size)]
        if chosen.below(2):
            indices.reverse()
            start, step = (indices or [start])[0], -step
        if chosen.seldom():
            start, indices = start + extent, [index + extent for index in indices]
            lies = lies and size == 0
        full.append(extent)
        if chosen.below(3) or any(index >= 1 << 64 for index in (start, *indices)):
            picks.append((start, step, size))
            lies = lies and start < 1 << 64
        else:
            picks.append(np.array(indices, np.uint64))
    if chosen.seldom():
        full.append(chosen.number())
        lies = False
    return tuple(full), tuple(picks), lies and (0 in shape or prod(full) <= 1 << 64)


def _plan(chosen: Bytes) -> tuple[Any, ...]:
    law = "cauchy" if chosen.seldom() else chosen.of("uniform", "normal", "truncated_normal")
    return law, chosen.of(*BOUNDS), chosen.of(0.0, -0.5), chosen.of(1.0, 0.25), -inf, chosen.of(inf, 0.75)


def _stream(chosen: Bytes, element: str, out: NDArray[Any], whole: bool, plan: Any) -> tuple[Any, bool]:
    """The stream of an array, and whether there is such a one."""
    name = bytes(chosen.below(256) for _ in range(15 if chosen.seldom() else 16))
    law, bounds, *_ = plan
    wide = element not in ("float8_e4m3fn", "float8_e5m2")
    kind = chosen.below(12)
    if kind == 0:
        return ("tensorflow", (name, chosen.number())), wide and law != "cauchy" and len(name) == 16
    if kind == 1 and bounds == CENTRAL:
        key = chosen.number() >> 32, chosen.number() >> 31  # of the second one now and then a bit too many
        return ("jax", (key, None, False, chosen.below(2) == 1)), wide and law != "cauchy" and key[1] < 1 << 32
    if kind == 2 and out.flags.c_contiguous:
        drawn, capability = chosen.of("uniform", "normal", "cauchy"), chosen.of("avx2", "default", "sse")
        skip, spare = chosen.number(), chosen.of(None, chosen.number())
        fits = skip <= 1 << 63 and (spare is None or spare + 4 <= skip)
        legal = wide and whole and drawn != "cauchy" and capability != "sse" and fits
        return ("torch", (drawn, 0.0, chosen.number() >> 32, skip, spare, capability, None)), legal
    if kind == 3:
        return ("numpy", ()), False
    # A framework reads the bounds in its own way; ours are where the law is cut off.
    return name, len(name) == 16 and law != "cauchy" and (law != "truncated_normal" or BOUNDS[bounds])


def _model(job: Job, memory: NDArray[np.uint8], expected: NDArray[np.uint8]) -> None:
    """Writes each element where it belongs: the one of this number, which a simpler job makes."""
    out, element, plan, stream, full, picks = job
    numbers, places = np.zeros(out.shape, object), np.zeros(out.shape, int)
    places += out.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    stride = 1
    for axis in reversed(range(out.ndim)):
        size, extent = (out.shape[axis], full[axis]) if full else out.shape[axis : axis + 1] * 2
        pick = picks[axis] if picks else (0, 1, size)
        indices = [pick[0] + pick[1] * place for place in range(size)] if isinstance(pick, tuple) else pick.tolist()
        along = (-1, *(1,) * (out.ndim - axis - 1))
        numbers = numbers + np.array([index * stride for index in indices], object).reshape(along)
        places = places + (np.arange(size) * out.strides[axis]).reshape(along)
        stride *= extent
    values = np.empty(out.size, out.dtype)
    if stream[0] == "torch":  # whole tensors alone, whose elements are made one after another
        fill([(values, element, plan, stream, None, None)])
        values = values[numbers.ravel().astype(int)]
    else:
        for place, number in enumerate(numbers.flat):
            fill([(values[place : place + 1], element, plan, stream, (1 << 64,), ((number, 1, 1),))])
    for value, place in zip(values, places.flat, strict=True):
        expected[place : place + out.itemsize] = np.frombuffer(value.tobytes(), np.uint8)
