"""How far torch's generator is brought by `skip` and `spare`, against NumPy's words and a recurrence found in them."""

from __future__ import annotations

import numpy as np
import pytest

import varscale as vs
from oracle import mersenne
from varscale import _core, replay

FAR = 6000 * 624
"""The core goes so far step by step, and jumps farther."""
SKIPS = (0, 1, 622, 623, 624, 625, FAR - 1, FAR, FAR + 1, FAR + 624, 2**26 + 3, 2**32 + 5, 2**40 - 1, 2**48 - 7, 2**63)


def test_the_oracle_jumps_as_numpy_does() -> None:
    """If this fails the oracle's recurrence or its powers are wrong: NumPy has a polynomial of its own for 2^128."""
    bits = np.random.MT19937()
    bits.state = np.random.RandomState(5489).get_state(legacy=False)
    state = bits.jumped().state
    # NumPy 2.4 leaves the words in a ring that begins at `pos`, and then draws as if it began at 0.
    inner = state["state"]
    bits.state = state | {"state": {"key": np.roll(inner["key"], -inner["pos"]), "pos": 0}}
    # It jumps from the seeded state, which is 624 words before the first one drawn; a jump leaves one word undefined.
    assert (bits.random_raw(3000)[1:] == mersenne.ahead(5489, 2**128 - 623, 2999)).all()


@pytest.mark.parametrize("skip", SKIPS)
def test_words_after_a_skip(skip: int) -> None:
    """If this fails `skip` leads to other words than drawing so many, or takes hours."""
    uniforms = vs.RandomUniform(0.0, 1.0, replay.torch(42, skip))((1500,))
    # torch makes a float32 uniform of a word's last 24 bits.
    assert (uniforms * 2**24 == mersenne.ahead(42, skip, 1500) % 2**24).all()


def test_a_skip_in_a_config() -> None:
    """If this fails a config from elsewhere hangs the process that reads it."""
    seed = {"class_name": "torch", "config": {"seed": 1, "skip": 2**48}}
    init = vs.deserialize({"class_name": "RandomUniform", "config": {"seed": seed, "minval": 0.0, "maxval": 1.0}})
    assert (init((3, 3)).ravel() * 2**24 == mersenne.ahead(1, 2**48, 9) % 2**24).all()


@pytest.mark.parametrize("further", [4, 5, 2**45])
def test_a_value_that_is_kept_for_long(further: int) -> None:
    """If this fails a kept value is sought at another word than its pair's."""
    place = 2**46 + 1
    pair = vs.RandomNormal(0.0, 1.0, replay.torch(5, place))((2,))
    kept = vs.RandomNormal(0.0, 1.0, replay.torch(5, place + further, spare=place))((1,))
    assert kept.tolist() == pair[1:].tolist()


def test_draws_end_at_the_largest_skip() -> None:
    """If this fails a generator's position runs past what `skip` may be, or is moved by a draw that fails."""
    last = replay.torch(1, 2**63 - 3)
    draws = last.draws()
    with pytest.raises(ValueError, match=r"`skip` must be at most 2\^63"):
        draws(vs.RandomUniform(0.0, 1.0), (4,))
    assert draws.position == last
    draws(vs.RandomUniform(0.0, 1.0), (3,))
    assert draws.position.skip == 2**63


@pytest.mark.parametrize(
    ("skip", "spare", "part", "message"),
    [
        (2**63 + 1, None, (None, None), r"`skip` must be at most 2\^63, got 9223372036854775809"),
        (2**64 - 1, 0, (None, None), r"`skip` must be at most 2\^63"),
        (0, 2**64 - 1, (None, None), "`spare` must be at most `skip` - 4, got 18446744073709551615"),
        (7, 4, (None, None), "`spare` must be at most `skip` - 4, got 4"),
        (0, None, ((2**62,), [(2**62 - 4, 1, 4)]), "`full_shape` must be that of `out`"),
    ],
)
@pytest.mark.parametrize("law", ["uniform", "normal", "redrawn", "accepted", "keras_uniform", "keras_truncated"])
def test_the_core_counts_no_further_than_it_can(
    law: str,
    skip: int,
    spare: int | None,
    part: tuple[tuple[int] | None, list[tuple[int, int, int]] | None],
    message: str,
) -> None:
    """If this fails a sum in the core wraps: the fill panics, or a generator goes on from another place."""
    plan = ("uniform", (-2.0, 2.0), 0.0, 1.0, -1.0, 1.0)
    with pytest.raises(ValueError, match=message):
        _core.fill(
            [(np.empty(4, np.float32), "float32", plan, ("torch", (law, 0.0, 1, skip, spare, "avx2", None)), *part)]
        )
    farthest = np.empty(16, np.float32)
    _core.fill([(farthest, "float32", plan, ("torch", (law, 0.0, 1, 2**63, 2**63 - 4, "avx2", None)), None, None)])
    assert np.isfinite(farthest).all()
