"""What an initializer remembers of its calls: plans, which no other dtype, shape or axis may share."""

from __future__ import annotations

import pytest

import varscale as vs


def test_calls_in_other_dtypes_change_nothing() -> None:
    """If this fails a float16 tensor overflows unnoticed after a float32 call of the same shape."""
    init = vs.RandomNormal(0.0, 1e4, 1)
    assert init((3,)).dtype == "float32"
    with pytest.raises(ValueError, match="overflow `dtype` 'float16'"):
        init((3,), "float16")
    wide = vs.RandomUniform(0.0, 1.0, 1)
    assert wide._remembered_plan((3,), vs.RandomUniform(dtype="float64")._kind).high > 1 - 2.0**-24
    assert wide._remembered_plan((3,), wide._kind).high == 1 - 2.0**-24


def test_other_axes_have_plans_of_their_own() -> None:
    """If this fails a layer in PyTorch's layout gets the scale of the other layout after a call in that one."""
    init = vs.lecun_normal(1)
    before = init((4, 900))
    turned = init._with_axes(in_axis=1, out_axis=0)
    assert turned((4, 900)).tobytes() == vs.lecun_normal(1, in_axis=1, out_axis=0)((4, 900)).tobytes()
    assert init((4, 900)).tobytes() == before.tobytes()


def test_few_plans_are_kept() -> None:
    """If this fails a process that makes tensors of ever new shapes grows for ever."""
    init = vs.lecun_normal(1)
    for size in range(1000):
        init((size,))
    assert len(init._plans) <= 256
