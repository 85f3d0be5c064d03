"""Draws of torch's generator, one after another, in any order."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import varscale as vs
from varscale import replay
from varscale.replay._place import Place

INITIALIZERS = (
    vs.RandomUniform(0.0, 1.0),
    vs.RandomNormal(0.0, 1.0),
    vs.TruncatedNormal(0.0, 1.0),
    vs.TruncatedNormal(0.0, 1.0, lower=1.0, upper=3.0),
)
SIZES = st.integers(0, 40)


@pytest.mark.parametrize("dtypes", [("bfloat16", "float16", "float32"), ("bfloat16", "float16", "float32", "float64")])
@settings(deadline=None)
@given(data=st.data())
def test_a_position_is_a_seed(dtypes: tuple[str, ...], data: st.DataObject) -> None:
    """If this fails a draw depends on more than its position: every step is also drawn from its seed alone."""
    draws = replay.torch(11).draws()
    steps = st.tuples(st.sampled_from(INITIALIZERS), st.sampled_from(dtypes), SIZES)
    for init, dtype, size in data.draw(st.lists(steps, max_size=5)):
        alone = type(init).from_config(init.get_config() | {"seed": draws.position})((size,), dtype)
        assert draws(init, (size,), dtype).tobytes() == alone.tobytes()


def test_a_place_leads_to_one_other() -> None:
    """If this fails two threads that draw from one generator at the same time get the same numbers."""
    here, one, other = Place(replay.torch(0)), Place(), Place()
    assert here.lead_to(one)
    assert not here.lead_to(other)
    assert here.lead_to(one)
    assert here.last() is one


def test_threads_draw_each_word_once() -> None:
    """If this fails two threads that share a generator draw one word, or a word is lost between them."""
    draws, seed = replay.torch(11).draws(), replay.torch(11)
    found: list[float] = []
    barrier = threading.Barrier(8)

    def work(size: int) -> None:
        barrier.wait()
        for _ in range(50):
            found.extend([next(draws)] if size == 0 else draws(INITIALIZERS[0], (size,)).tolist())

    threads = [threading.Thread(target=work, args=(size,)) for size in (0, 0, 0, 1, 2, 3, 5, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    words = vs.RandomUniform(0.0, 1.0, seed=seed)((50 * 21,)).tolist()
    assert sorted(found) == sorted(words)
    assert draws.position == replay.torch(11, len(words))


def test_copies_are_generators_of_their_own() -> None:
    """If this fails a copy moves its original on, or begins elsewhere."""
    draws = replay.torch(11).draws()
    next(draws)
    copies = [copy.copy(draws), copy.deepcopy(draws), pickle.loads(pickle.dumps(draws))]
    following = [[next(made) for _ in range(3)] for made in (*copies, draws)]
    assert following == [following[0]] * 4
    assert {made.position for made in (*copies, draws)} == {replay.torch(11, 4)}


def test_a_draw_cannot_be_part_of_another() -> None:
    """If this fails a draw that needs what comes after itself never ends, or moves the generator on."""
    draws = replay.torch(11).draws()

    class Nested(vs.RandomUniform):
        def __call__(self, shape: Any, dtype: Any = None, **keywords: Any) -> Any:
            next(draws)
            return super().__call__(shape, dtype, **keywords)

    for _ in range(3):
        with pytest.raises(ValueError, match="`initializer` must not draw from the draws that it is drawn from"):
            draws(Nested(), (3,))
        assert draws.position == replay.torch(11)
    other = replay.torch(11).draws()
    assert other(Nested(), (3,)).size == 3, "from another generator it may"
    assert (other.position.skip, draws.position.skip) == (3, 1)
    assert next(draws) == next(replay.torch(11, 1).draws())
