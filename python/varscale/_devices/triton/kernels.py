"""Kernels: the values of a law, placed and rounded, in rows of neighbours, in single elements, or in many tensors.

A lane makes all values of a block, or one of them where elements lie apart. Real parameters cross as the bits of their
float64, for Triton passes Python's floats as float32. Integers keep one type each and are not looked at, so that a
kernel is compiled once a law and dtype, not once a seed.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .laws import (
    normal_f32,
    normal_f64,
    philox,
    truncated,
    truncated_normal_f32,
    truncated_normal_f64,
    uniform_f32,
    uniform_f64,
)

REALS = ("loc", "scale", "low", "high", "lower", "upper", "below0", "below1", "above0", "above1")
"""The real parameters of a kernel, in their order."""
STREAM = ("key", "counter")
"""The halves of an identity: Philox's key, and the high half of its counter."""
ROWS = ("start", "inner", "step0", "step1", "stride0", "stride1", "run")
SHORT_ROWS = (*ROWS, "rows", "per_row")
ELEMENTS = ("start", "count", "n1", "n2", "step0", "step1", "step2", "stride0", "stride1", "stride2")
COLUMNS: tl.constexpr = tl.constexpr(5 + len(REALS))
"""Of a table of tensors: address, first element, count, key, counter, and the real parameters."""


@triton.jit
def real(bits, WIDE: tl.constexpr):
    """A parameter in the type that values are computed in."""
    x = bits.to(tl.uint64).to(tl.float64, bitcast=True)  # the interpreter gives small integers 32 bits
    return x if WIDE else x.to(tl.float32)


@triton.jit
def pair(w0, w1, WIDE: tl.constexpr):
    """The two normal values of two words."""
    if WIDE:
        x, y = normal_f64(w0, w1)
    else:
        x, y = normal_f32(w0, w1)
    return x, y


@triton.jit
def single(
    word, lower, upper, below0, below1, above0, above1, LAW: tl.constexpr, WIDE: tl.constexpr, FMA: tl.constexpr
):
    """The value of one word, in laws that take one."""
    if LAW == "uniform":
        x = uniform_f64(word) if WIDE else uniform_f32(word)
    elif LAW == "truncated_normal":
        x = truncated_normal_f64(word) if WIDE else truncated_normal_f32(word, FMA)
    else:
        u = uniform_f64(word) if WIDE else uniform_f32(word).to(tl.float64)
        x = truncated(
            u, real(lower, True), real(upper, True), real(below0, True), real(below1, True), real(above0, True),
            real(above1, True),
        )  # fmt: skip
        x = x if WIDE else x.to(tl.float32)
    return x


@triton.jit
def placed(x, loc, scale, low, high, DTYPE: tl.constexpr, WIDE: tl.constexpr, SOFT: tl.constexpr, MINMAX: tl.constexpr):
    """The standard value times scale, plus loc, kept within [low, high], rounded once.

    `SOFT` rounds to bfloat16 in integers, for the interpreter cuts. `MINMAX` needs bounds of which none is a zero: of
    two zeros `minimum` may return either.
    """
    x = x * real(scale, WIDE) + real(loc, WIDE)
    least, most = real(low, WIDE), real(high, WIDE)
    if MINMAX:
        x = tl.minimum(tl.maximum(x, least), most)
    else:
        x = tl.where(x < least, least, x)
        x = tl.where(x > most, most, x)
    if SOFT and tl.bfloat16 == DTYPE:
        bits = x.to(tl.uint32, bitcast=True)
        made = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).to(tl.uint16).to(tl.bfloat16, bitcast=True)
    else:
        made = x.to(DTYPE)
    return made


@triton.jit
def values(
    blocks, key, counter, loc, scale, low, high, lower, upper, below0, below1, above0, above1,
    DTYPE: tl.constexpr, LAW: tl.constexpr, WIDE: tl.constexpr, FMA: tl.constexpr, SOFT: tl.constexpr,
    MINMAX: tl.constexpr,
):  # fmt: skip
    """The elements of these blocks, in order: four of each, two where they are `WIDE`."""
    x0, x1, x2, x3 = philox(blocks, counter, key)
    if WIDE:
        even = x0.to(tl.uint64) | (x1.to(tl.uint64) << 32)
        odd = x2.to(tl.uint64) | (x3.to(tl.uint64) << 32)
    else:
        even, odd = tl.interleave(x0, x2), tl.interleave(x1, x3)
    if LAW == "normal":
        even, odd = pair(even, odd, WIDE)
    else:
        even = single(even, lower, upper, below0, below1, above0, above1, LAW, WIDE, FMA)
        odd = single(odd, lower, upper, below0, below1, above0, above1, LAW, WIDE, FMA)
    return placed(tl.interleave(even, odd), loc, scale, low, high, DTYPE, WIDE, SOFT, MINMAX)


@triton.jit
def row_start(row, start, inner, step0, step1, stride0, stride1, AXES: tl.constexpr):
    """The number of a row's first element, and its place in memory.

    Of two axes row r has the place r // inner of the first and r % inner of the second.
    """
    if AXES == 1:
        first, place = start + row.to(tl.uint64) * step1, row.to(tl.int64) * stride1
    else:
        i, j = row // inner, row % inner
        first = start + i.to(tl.uint64) * step0 + j.to(tl.uint64) * step1
        place = i.to(tl.int64) * stride0 + j.to(tl.int64) * stride1
    return first, place


@triton.jit
def rows(
    out, key, counter, loc, scale, low, high, lower, upper, below0, below1, above0, above1,
    start, inner, step0, step1, stride0, stride1, run,
    LAW: tl.constexpr, WIDE: tl.constexpr, FMA: tl.constexpr, SOFT: tl.constexpr, MINMAX: tl.constexpr,
    BLOCKS: tl.constexpr, ALIGNED: tl.constexpr, AXES: tl.constexpr,
):  # fmt: skip
    """A tile of a row of `run` neighbours."""
    PER: tl.constexpr = 2 if WIDE else 4
    SIZE: tl.constexpr = BLOCKS * PER
    if AXES == 0:  # divisions would take a tenth of the time
        tile, first, place = tl.program_id(0).to(tl.int64), start, out
    else:
        tile, row = tl.program_id(1).to(tl.int64), tl.program_id(0)
        first, offset = row_start(row, start, inner, step0, step1, stride0, stride1, AXES)
        place = out + offset
    done = tile * SIZE
    blocks = first // PER + (tile.to(tl.uint64) * BLOCKS + tl.arange(0, BLOCKS).to(tl.uint64))
    x = values(
        blocks, key, counter, loc, scale, low, high, lower, upper, below0, below1, above0, above1,
        out.dtype.element_ty, LAW, WIDE, FMA, SOFT, MINMAX,
    )  # fmt: skip
    j = tl.arange(0, SIZE)
    if ALIGNED:  # every row begins with a block, at a multiple of 16 bytes
        place = tl.multiple_of(place + done, 16)
        if done + SIZE <= run:
            tl.store(place + j, x)
        else:
            tl.store(place + j, x, mask=j < run - done)
    else:
        shift = (first % PER).to(tl.int64)
        tl.store(place + (done - shift) + j, x, mask=(j < run + shift - done) & (j >= shift - done))


@triton.jit(do_not_specialize=[*STREAM, *REALS, *ROWS])
def rows_kernel(
    out, key: tl.uint64, counter: tl.uint64,
    loc: tl.uint64, scale: tl.uint64, low: tl.uint64, high: tl.uint64, lower: tl.uint64, upper: tl.uint64,
    below0: tl.uint64, below1: tl.uint64, above0: tl.uint64, above1: tl.uint64,
    start: tl.uint64, inner: tl.int32, step0: tl.uint64, step1: tl.uint64, stride0: tl.int64, stride1: tl.int64,
    run: tl.int64,
    LAW: tl.constexpr, WIDE: tl.constexpr, FMA: tl.constexpr, SOFT: tl.constexpr, MINMAX: tl.constexpr,
    BLOCKS: tl.constexpr, ALIGNED: tl.constexpr, AXES: tl.constexpr,
):  # fmt: skip
    """Rows of neighbours."""
    rows(
        out, key, counter, loc, scale, low, high, lower, upper, below0, below1, above0, above1,
        start, inner, step0, step1, stride0, stride1, run, LAW, WIDE, FMA, SOFT, MINMAX, BLOCKS, ALIGNED, AXES,
    )  # fmt: skip


@triton.jit
def unsigned(numbers, at: tl.constexpr):
    """A number in memory, which keeps 64 bits as a signed one."""
    return tl.load(numbers + at).to(tl.uint64, bitcast=True)


@triton.jit
def read_rows_kernel(
    numbers, out,
    LAW: tl.constexpr, WIDE: tl.constexpr, FMA: tl.constexpr, SOFT: tl.constexpr, MINMAX: tl.constexpr,
    BLOCKS: tl.constexpr, ALIGNED: tl.constexpr, AXES: tl.constexpr,
):  # fmt: skip
    """The same of numbers in memory, in that order: for programs that are compiled before anybody knows them."""
    rows(
        out, unsigned(numbers, 0), unsigned(numbers, 1), unsigned(numbers, 2), unsigned(numbers, 3),
        unsigned(numbers, 4), unsigned(numbers, 5), unsigned(numbers, 6), unsigned(numbers, 7), unsigned(numbers, 8),
        unsigned(numbers, 9), unsigned(numbers, 10), unsigned(numbers, 11), unsigned(numbers, 12),
        tl.load(numbers + 13).to(tl.int32), unsigned(numbers, 14), unsigned(numbers, 15), tl.load(numbers + 16),
        tl.load(numbers + 17), tl.load(numbers + 18), LAW, WIDE, FMA, SOFT, MINMAX, BLOCKS, ALIGNED, AXES,
    )  # fmt: skip


@triton.jit(do_not_specialize=[*STREAM, *REALS, *SHORT_ROWS])
def short_rows_kernel(
    out, key: tl.uint64, counter: tl.uint64,
    loc: tl.uint64, scale: tl.uint64, low: tl.uint64, high: tl.uint64, lower: tl.uint64, upper: tl.uint64,
    below0: tl.uint64, below1: tl.uint64, above0: tl.uint64, above1: tl.uint64,
    start: tl.uint64, inner: tl.int32, step0: tl.uint64, step1: tl.uint64, stride0: tl.int64, stride1: tl.int64,
    run: tl.int64, rows: tl.int64, per_row: tl.int32,
    LAW: tl.constexpr, WIDE: tl.constexpr, FMA: tl.constexpr, SOFT: tl.constexpr, MINMAX: tl.constexpr,
    BLOCKS: tl.constexpr, LONG: tl.constexpr, AXES: tl.constexpr,
):  # fmt: skip
    """The same for short rows: the blocks of all rows in one line, `per_row` of each. `LONG`: 2^31 or more of them."""
    PER: tl.constexpr = 2 if WIDE else 4
    if LONG:
        lane = tl.program_id(0).to(tl.int64) * BLOCKS + tl.arange(0, BLOCKS)
    else:
        lane = tl.program_id(0) * BLOCKS + tl.arange(0, BLOCKS)
    row, k = lane // per_row, lane % per_row
    first, place = row_start(row, start, inner, step0, step1, stride0, stride1, AXES)
    x = values(
        first // PER + k.to(tl.uint64), key, counter, loc, scale, low, high, lower, upper, below0, below1, above0,
        above1, out.dtype.element_ty, LAW, WIDE, FMA, SOFT, MINMAX,
    )  # fmt: skip
    column = (k * PER - (first % PER).to(tl.int32))[:, None] + tl.arange(0, PER)[None, :]
    inside = (column >= 0) & (column < run) & (row < rows)[:, None]
    tl.store(out + place[:, None] + column, tl.reshape(x, [BLOCKS, PER]), mask=inside)


@triton.jit(do_not_specialize=[*STREAM, *REALS, *ELEMENTS])
def elements_kernel(
    out, key: tl.uint64, counter: tl.uint64,
    loc: tl.uint64, scale: tl.uint64, low: tl.uint64, high: tl.uint64, lower: tl.uint64, upper: tl.uint64,
    below0: tl.uint64, below1: tl.uint64, above0: tl.uint64, above1: tl.uint64,
    start: tl.uint64, count: tl.int64, n1: tl.int64, n2: tl.int64,
    step0: tl.uint64, step1: tl.uint64, step2: tl.uint64, stride0: tl.int64, stride1: tl.int64, stride2: tl.int64,
    LAW: tl.constexpr, WIDE: tl.constexpr, FMA: tl.constexpr, SOFT: tl.constexpr, MINMAX: tl.constexpr,
    SIZE: tl.constexpr,
):  # fmt: skip
    """Elements of three axes, of which none are neighbours in the tensor and in memory: a lane makes one of them."""
    lane = tl.program_id(0).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    k, row = lane % n2, lane // n2
    i, j = row // n1, row % n1
    number = start + i.to(tl.uint64) * step0 + j.to(tl.uint64) * step1 + k.to(tl.uint64) * step2
    place = i * stride0 + j * stride1 + k * stride2
    x0, x1, x2, x3 = philox(number // 2 if WIDE else number // 4, counter, key)
    odd = (number & 1) != 0
    if WIDE:
        even_word = x0.to(tl.uint64) | (x1.to(tl.uint64) << 32)
        odd_word = x2.to(tl.uint64) | (x3.to(tl.uint64) << 32)
    else:
        second = (number & 2) != 0
        even_word, odd_word = tl.where(second, x2, x0), tl.where(second, x3, x1)
    if LAW == "normal":
        even, uneven = pair(even_word, odd_word, WIDE)
        x = tl.where(odd, uneven, even)
    else:
        word = tl.where(odd, odd_word, even_word)
        x = single(word, lower, upper, below0, below1, above0, above1, LAW, WIDE, FMA)
    x = placed(x, loc, scale, low, high, out.dtype.element_ty, WIDE, SOFT, MINMAX)
    tl.store(out + place, x, mask=lane < count)


@triton.jit
def group_kernel(
    table, owners,
    DTYPE: tl.constexpr, LAW: tl.constexpr, WIDE: tl.constexpr, FMA: tl.constexpr, SOFT: tl.constexpr,
    MINMAX: tl.constexpr, BLOCKS: tl.constexpr,
):  # fmt: skip
    """Many tensors, each a run of neighbours: a program does a tile of one of them.

    `owners` has for each program the tensor, and which of its tiles it is. Every tensor begins with a block, at a
    multiple of 16 bytes.
    """
    PER: tl.constexpr = 2 if WIDE else 4
    SIZE: tl.constexpr = BLOCKS * PER
    program = tl.program_id(0).to(tl.int64)
    line = table + tl.load(owners + 2 * program).to(tl.int64) * COLUMNS
    tile = tl.load(owners + 2 * program + 1).to(tl.int64)
    out = tl.load(line).to(tl.pointer_type(DTYPE))
    first = tl.load(line + 1).to(tl.uint64, bitcast=True)
    done, count = tile * SIZE, tl.load(line + 2)
    blocks = first // PER + (tile.to(tl.uint64) * BLOCKS + tl.arange(0, BLOCKS).to(tl.uint64))
    x = values(
        blocks, tl.load(line + 3).to(tl.uint64, bitcast=True), tl.load(line + 4).to(tl.uint64, bitcast=True),
        tl.load(line + 5), tl.load(line + 6), tl.load(line + 7), tl.load(line + 8), tl.load(line + 9),
        tl.load(line + 10), tl.load(line + 11), tl.load(line + 12), tl.load(line + 13), tl.load(line + 14),
        DTYPE, LAW, WIDE, FMA, SOFT, MINMAX,
    )  # fmt: skip
    place = tl.multiple_of(out + done, 16) + tl.arange(0, SIZE)
    if done + SIZE <= count:
        tl.store(place, x)
    else:
        tl.store(place, x, mask=tl.arange(0, SIZE) < count - done)
