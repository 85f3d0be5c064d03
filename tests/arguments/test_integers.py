"""Integers: whatever has `__index__` and no axes, wherever an integer is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import varscale as vs


class Scalar:
    """An array of one integer without axes, as JAX, torch and TensorFlow have them."""

    def __init__(self, value: int, dtype: str = "torch.int64", ndim: int = 0) -> None:
        self.value, self.dtype, self.ndim = value, dtype, ndim

    def __index__(self) -> int:
        return self.value


class Meta(Scalar):
    """One without memory, whose `__index__` fails as torch's does."""

    def __index__(self) -> int:
        raise RuntimeError("Tensor.item() cannot be called on meta tensors")


INTEGERS = [42, np.int64(42), np.uint8(42), np.array(42), np.array(42, np.int8), Scalar(42)]
NO_INTEGERS = [
    *(True, np.True_, np.array(True), 42.0, np.float32(42), np.array(42.0), np.array([42]), "42"),
    *(np.timedelta64(42), np.array(np.timedelta64(42, "s")), Scalar(1, "torch.bool"), Scalar(42, ndim=1), Meta(42)),
]


@pytest.mark.thread_unsafe(reason="sets the global seed")
@pytest.mark.parametrize("number", INTEGERS, ids=lambda number: type(number).__name__)
def test_integers_of_every_kind(number: Any) -> None:
    """If this fails a seed, a size, an axis or an index that another library made is refused, or another number."""
    assert vs.lecun_normal(number) == vs.lecun_normal(42)
    assert vs.lecun_normal(number).get_config() == {"seed": 42}
    assert vs.lecun_normal(1).fold_in(number) == vs.lecun_normal(1).fold_in(42)
    assert vs.zeros()((number, 2)).shape == (42, 2)
    assert vs.lecun_normal(7)((50,), index=number) == vs.lecun_normal(7)((50,))[42]
    assert vs.lecun_normal(in_axis=number) == vs.lecun_normal(in_axis=42)
    assert vs.replay.jax(number) == vs.replay.jax(42)
    assert vs.replay.tf1(number) == vs.replay.tf1(42)
    assert vs.Rule("*", vs.Zeros(), rank=number).rank == 42
    assert vs.Model({"a.bias": (number,)})["a.bias"].shape == (42,)
    vs.set_random_seed(number)
    expected = vs.lecun_normal().fold_in("a")((3,))
    vs.set_random_seed(42)
    assert np.array_equal(expected, vs.lecun_normal().fold_in("a")((3,)))
    vs.set_random_seed(None)


@pytest.mark.parametrize("bad", NO_INTEGERS, ids=lambda bad: type(bad).__name__)
def test_what_is_no_integer(bad: Any) -> None:
    """If this fails a bool, a time, a float or an array of several elements is silently a number."""
    with pytest.raises(TypeError, match="`seed` must be an integer"):
        vs.lecun_normal(bad)
    with pytest.raises(TypeError, match="`shape` must hold integers only"):
        vs.zeros()((bad, 2))
    with pytest.raises(TypeError, match="`path` must hold"):
        vs.lecun_normal(1).fold_in(*([bad] if not isinstance(bad, str) else [2.5]))
    with pytest.raises(TypeError, match="`in_axis` must be an integer"):
        vs.lecun_normal(in_axis=bad)
    with pytest.raises(TypeError, match="`key` must be"):
        vs.replay.jax(bad)
