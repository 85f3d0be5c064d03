"""Draws of torch's generator, one after another, in any order."""

from __future__ import annotations

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
