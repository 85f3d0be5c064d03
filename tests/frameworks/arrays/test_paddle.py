"""Paddle takes NumPy's arrays, and its tensors are filled in place; its bfloat16 goes by its bits."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import varscale as vs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it misses a compiler's cache
    import paddle

SHAPE = (64, 32)
INIT = vs.lecun_normal(7).fold_in("linear.weight")  # Paddle's Linear is (in, out), as Keras' is


def test_assign() -> None:
    """If this fails a layer starts from other values than those of the array that it was given."""
    for dtype in ("float32", "bfloat16"):
        attr = paddle.ParamAttr(initializer=paddle.nn.initializer.Assign(INIT(SHAPE, dtype)))
        layer = paddle.nn.Linear(*SHAPE, weight_attr=attr)
        assert np.array_equal(layer.weight.numpy(), INIT(SHAPE, dtype).astype(np.float32))


def test_in_place() -> None:
    """If this fails a parameter's own memory is not what is filled."""
    layer = paddle.nn.Linear(*SHAPE)
    INIT(SHAPE, out=np.from_dlpack(layer.weight.detach()))
    assert np.array_equal(layer.weight.numpy(), INIT(SHAPE))
    loss = layer(paddle.ones((2, 64))).square().mean()
    loss.backward()
    assert layer.weight.grad is not None


def test_bfloat16() -> None:
    """If this fails Paddle takes ml_dtypes' bfloat16 by now, and the guide sends its users a way round."""
    values = INIT(SHAPE, "bfloat16")
    tensor = paddle.zeros(SHAPE, "bfloat16")
    with pytest.raises(ValueError, match="bfloat16"):
        paddle.assign(values, tensor)
    with pytest.raises(BufferError, match="Unsupported dtype"):
        np.from_dlpack(tensor)
    INIT(SHAPE, out=np.from_dlpack(tensor.view("int16")).view(values.dtype))
    assert np.array_equal(tensor.astype("float32").numpy(), values.astype(np.float32))
    copied = paddle.to_tensor(values.view(np.uint16)).view("bfloat16")
    assert np.array_equal(copied.astype("float32").numpy(), values.astype(np.float32))
