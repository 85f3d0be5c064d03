"""Lazy tensors: array-likes that make only what is asked of them."""

from __future__ import annotations

import copy
import pickle
from contextlib import nullcontext

import ml_dtypes
import numpy as np
import pytest

import varscale as vs

INIT = vs.lecun_normal(7).fold_in("layers", 3)


def test_describes_its_array() -> None:
    """If this fails an engine plans with a wrong shape, dtype or size."""
    lazy = INIT.lazy((2**20, 2**24), "bfloat16")
    assert (lazy.shape, lazy.ndim, lazy.size, lazy.nbytes) == ((2**20, 2**24), 2, 2**44, 2**45)
    assert lazy.dtype == ml_dtypes.bfloat16
    assert len(lazy) == 2**20
    assert INIT.lazy([3, np.int64(4)]).dtype == np.float32
    assert repr(vs.Zeros().lazy((2, 3))) == "<lazy (2, 3) float32 of Zeros(dtype='float32')>"


def test_becomes_the_array() -> None:
    """If this fails `np.asarray` of a lazy tensor is not what a call returns."""
    lazy, expected = INIT.lazy((30, 40)), INIT((30, 40))
    assert np.array_equal(np.asarray(lazy), expected)
    assert np.asarray(lazy, np.float64).dtype == np.float64
    assert np.array_equal(np.stack(list(lazy)), expected)
    assert np.array_equal(lazy[5:20:3, ::-1], expected[5:20:3, ::-1])
    with pytest.raises(ValueError, match="without a copy"):
        lazy.__array__(copy=False)
    with pytest.raises(TypeError, match="no length"):
        len(INIT.lazy(()))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_with_its_values(protocol: int) -> None:
    """If this fails another process makes other values."""
    for lazy in (
        INIT.lazy((5, 6)),
        vs.lecun_normal().lazy((5, 6)),
        vs.Identity(2).lazy((5, 6)),
        vs.Ones("int8").lazy(3 * [2]),
    ):
        back = pickle.loads(pickle.dumps(lazy, protocol))
        assert back == lazy == copy.deepcopy(lazy)
        assert hash(back) == hash(lazy)
        assert back[...].tobytes() == lazy[...].tobytes()
        assert repr(back) == repr(lazy)


def test_is_one_tensor_without_a_seed() -> None:
    """If this fails two pieces of an unseeded tensor come from two tensors."""
    lazy = vs.lecun_normal().lazy((50, 6))
    whole = lazy[...]
    assert np.array_equal(lazy[20:], whole[20:])
    assert not np.array_equal(vs.lecun_normal().lazy((50, 6))[...], whole)
    assert lazy != vs.lecun_normal().lazy((50, 6))


@pytest.mark.thread_unsafe(reason="sets the global seed")
def test_keeps_its_values_when_the_global_seed_changes() -> None:
    """If this fails a lazy tensor changes under its owner."""
    try:
        vs.set_random_seed(1)
        lazy = vs.lecun_normal().lazy((5, 6))
        whole = lazy[...]
        vs.set_random_seed(1)
        assert np.array_equal(vs.lecun_normal()((5, 6)), whole), "as the call of the same number"
        vs.set_random_seed(2)
        assert np.array_equal(lazy[...], whole)
    finally:
        vs.set_random_seed(None)


def test_is_checked_when_it_is_made_and_never_changes() -> None:
    """If this fails an error comes in the middle of an engine's run."""
    with pytest.raises(ValueError, match="two dimensions"):
        vs.Identity().lazy((2, 3, 4))
    with pytest.raises(ValueError, match="floating-point"):
        INIT.lazy((2, 3), "int8")
    with pytest.raises(AttributeError, match="immutable"):
        INIT.lazy((2, 3)).shape = (3, 2)  # type: ignore[misc]


def test_tokens_tell_modules_apart() -> None:
    """If this fails Dask takes two classes of one name for one, and gives one the values of the other."""
    tokens = []
    for module in ("first", "second"):
        kind = type("Mine", (vs.RandomNormal,), {"__module__": module})
        tokens.append(kind(0.0, 1.0, 3).lazy((2, 3)).__dask_tokenize__())
    assert tokens[0] != tokens[1]


def test_has_rows_however_many() -> None:
    """If this fails a tensor of 2^63 rows cannot be begun, or Python says of its length what nobody understands."""
    for size in (2**63 - 1, 2**63, 2**64):
        lazy = INIT.lazy((size,))
        assert next(iter(lazy)) == lazy[0]
        with (
            pytest.raises(ValueError, match=rf"fewer than 2\^63 rows .* \({size},\)")
            if size > 2**63 - 1
            else nullcontext()
        ):
            assert len(lazy) == size
    with pytest.raises(TypeError, match="no length"):
        iter(INIT.lazy(()))
