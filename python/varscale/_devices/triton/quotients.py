"""The faster quotient of the truncated normal law, which a device may use once all of its quotients were seen exact."""

from __future__ import annotations

import triton
import triton.language as tl

from .laws import TRUNCATED_F32_P, TRUNCATED_F32_Q, polynomial, quotient_f32, uniform_f32

SIZE = 1024
WORDS = 1 << 24
"""The law takes the upper 25 bits of a word and sets the last of these: so many words make all of its quotients."""


@triton.jit
def quotients_kernel(differing, SIZE: tl.constexpr):
    """Counts the quotients that are not those of `div_rn`, which is IEEE's."""
    number = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    u = uniform_f32(number.to(tl.uint32) << 8)
    square = u * u
    s = 1.0 - square
    p, q = square * polynomial(TRUNCATED_F32_P, 4, s), polynomial(TRUNCATED_F32_Q, 5, s)
    tl.atomic_add(differing, tl.sum((quotient_f32(p, q, True) != tl.div_rn(p, q)).to(tl.int32), axis=0))
