"""Pieces: tensors whose parts follow different laws."""

from __future__ import annotations

import json
import pickle
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import varscale as vs

NORMAL = vs.RandomNormal(0.0, 0.02)
PADDED = vs.Pieces([(..., NORMAL), (0, vs.Zeros())], seed=7)
SHAPES = st.lists(st.integers(1, 6), max_size=3).map(tuple)


def entries(size: int) -> st.SearchStrategy[Any]:
    ends = st.none() | st.integers(-size - 1, size + 1)
    return st.integers(-size, size - 1) | st.builds(slice, ends, ends)


@st.composite
def indices(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    index = tuple(draw(entries(size)) for size in shape[: draw(st.integers(0, len(shape)))])
    return draw(st.sampled_from([index, (*index, ...)]))


def picks(size: int) -> st.SearchStrategy[Any]:
    """One axis of a part: any slice, a list with repetitions, or an integer."""
    return st.slices(size) | st.lists(st.integers(-size, size - 1), max_size=8) | st.integers(-size, size - 1)


@given(data=st.data(), shape=SHAPES)
def test_the_later_piece_counts_in_every_part(data: st.DataObject, shape: tuple[int, ...]) -> None:
    """If this fails an element has the law of a piece that another covers, or another number in its stream."""
    laws = st.sampled_from(
        [vs.Constant(3.0), vs.Constant(np.arange(prod(shape))), vs.RandomUniform(1.0, 2.0), vs.Zeros(), NORMAL]
    )
    pieces = [(..., NORMAL), *data.draw(st.lists(st.tuples(indices(shape), laws), max_size=4))]
    expected = np.empty(shape, np.float32)
    for index, initializer in pieces:
        expected[index] = initializer._with_seed(3)(shape)[index]
    made = vs.Pieces(pieces, seed=3)
    assert made(shape).tobytes() == expected.tobytes()
    part = tuple(data.draw(picks(size)) for size in shape)
    # One axis after another: NumPy would pair lists.
    wanted, axis = expected, 0
    for entry in part:
        wanted = wanted[(slice(None),) * axis + (entry,)]
        axis += not isinstance(entry, int)
    assert made(shape, index=part).tobytes() == wanted.tobytes()
    out = np.empty(wanted.shape[::-1], np.float32).T
    assert np.array_equal(made.lazy(shape).fill(out, part), wanted)


def test_pieces_are_one_draw() -> None:
    """If this fails the pieces of an unseeded call are of different streams, or take more than one number."""
    halves = vs.Pieces([(slice(0, 3), NORMAL), (slice(3, None), NORMAL)])
    vs.set_random_seed(4)
    try:
        first, second = halves((6,)), halves((6,))
        vs.set_random_seed(4)
        assert [NORMAL((6,)).tolist() for _ in range(2)] == [first.tolist(), second.tolist()]
    finally:
        vs.set_random_seed(None)
    assert halves((6,)).tolist() != halves((6,)).tolist()


def test_seed_path_and_dtype() -> None:
    """If this fails a seed, a path or a dtype reaches some pieces only."""
    for dtype in ("float16", "bfloat16", "float64"):
        rows = NORMAL._with_seed(7).fold_in("wte")((5, 4), dtype)
        rows[0] = 0
        assert PADDED.fold_in("wte")((5, 4), dtype).tobytes() == rows.tobytes()
    assert vs.Model({"wte": ((5, 4), None, PADDED._with_seed(None))}).init(7)["wte"].tobytes() == (
        PADDED.fold_in("wte")((5, 4)).tobytes()
    )
    steps = vs.Pieces([(..., vs.Ones()), (0, vs.Zeros())], dtype="int64")
    assert steps((2,)).tolist() == [0, 1]
    assert steps((2,)).dtype == np.int64


def test_configs_pickles_and_equality() -> None:
    """If this fails pieces are lost on the way through a file."""
    odd = vs.Pieces([((..., slice(1, None)), NORMAL), ((..., 0), vs.Constant([1.0, 2.0]))], dtype="bfloat16").fold_in(3)
    for made in (PADDED, odd):
        assert vs.deserialize(json.loads(json.dumps(vs.serialize(made)))) == made
        assert pickle.loads(pickle.dumps(made)) == made
        assert hash(pickle.loads(pickle.dumps(made))) == hash(made)
    assert odd != PADDED
    assert vs.Pieces([(..., NORMAL)]) != vs.Pieces([(slice(0, 1), NORMAL)])
    assert repr(PADDED).startswith("Pieces(pieces=[((Ellipsis,), RandomNormal(")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: vs.Pieces(5), TypeError, "`pieces` must be pairs"),
        (lambda: vs.Pieces([5]), TypeError, "`pieces` must hold pairs"),
        (lambda: vs.Pieces([(..., "zeros")]), TypeError, "`pieces` must hold varscale's own"),
        (lambda: vs.Pieces([(..., PADDED)]), TypeError, "`pieces` must hold varscale's own"),
        (lambda: vs.Pieces([(..., vs.lecun_normal(1))]), ValueError, "without seed and path"),
        (lambda: vs.Pieces([(..., vs.lecun_normal().fold_in(1))]), ValueError, "without seed and path"),
        (lambda: vs.Pieces([([1], NORMAL)]), TypeError, "`pieces` must have indices of"),
        (lambda: vs.Pieces([(slice(0, 4, 2), NORMAL)]), ValueError, "`pieces` must have slices of step 1"),
        (lambda: vs.Pieces([(slice(1.5), NORMAL)]), TypeError, "`pieces` must be an integer"),
        (lambda: vs.Pieces([(0, NORMAL)])((2,)), ValueError, "`pieces` must cover all elements"),
        (lambda: vs.Pieces([((0, 0), NORMAL)])((2,)), IndexError, "`index` must have at most 1"),
        (lambda: PADDED((2, 3), "int32"), ValueError, "`dtype` must be a floating-point or complex"),
        (lambda: vs.Pieces.from_config({"pieces": "ab"}), TypeError, "`pieces` of `config`"),
        (lambda: vs.Pieces.from_config({"pieces": [[["..."]]]}), TypeError, "`pieces` must hold pairs"),
    ],
)
def test_mistakes_are_named(make: Any, error: type[Exception], message: str) -> None:
    """If this fails a mistake comes out under another name."""
    with pytest.raises(error, match=message):
        make()


def test_pieces_of_a_tensor_of_2_to_the_64_elements() -> None:
    """If this fails a piece of more elements than C counts ends in an error, or in other values."""
    made = vs.Pieces([(..., NORMAL), (2**64 - 1, vs.Ones())], seed=1).lazy((2**64,))[[0, 2**64 - 1]]
    assert (made == [*NORMAL._with_seed(1).lazy((2**64,))[[0]], 1]).all()
