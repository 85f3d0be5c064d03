"""Tensors of Keras in our arrays' memory, and shards of which each device's is made alone."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import varscale as vs
from process.child import run
from varscale._keras.framework import Framework


def pointer(variable: Any) -> int:
    """Where the values of a variable begin."""
    tensor, backend = variable.value, keras.backend.backend()
    if backend == "jax":
        return int(tensor.unsafe_buffer_pointer())
    if backend == "torch":
        return int(tensor.data_ptr())
    import tensorflow as tf

    tensor = tensor.read_value()
    tensor = tf.bitcast(tensor, tf.int16) if tensor.dtype == tf.bfloat16 else tensor

    class Capsule:
        def __dlpack__(self, **_: Any) -> Any:
            return tf.experimental.dlpack.to_dlpack(tensor)

        def __dlpack_device__(self) -> tuple[int, int]:
            return 1, 0

    return int(np.from_dlpack(Capsule()).ctypes.data)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_variable_has_the_memory_that_was_filled(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails first weights are copied on their way into Keras, and for a moment take twice the memory."""
    made: list[int] = []
    framework: Framework = vs.keras.HeNormal._framework

    def tensor(array: np.ndarray) -> Any:
        made.append(array.ctypes.data)
        return framework.tensor(array)

    monkeypatch.setattr(vs.keras.HeNormal, "_framework", framework._replace(tensor=tensor))
    layer = keras.layers.Dense(512, kernel_initializer=vs.keras.HeNormal(7), use_bias=False, dtype=dtype)
    layer.build((None, 256))
    assert [pointer(layer.kernel)] == made


SHARDED = """
import os
os.environ |= {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
import keras
import numpy as np
import varscale as vs

made = []
real = vs.Lazy.__getitem__
vs.Lazy.__getitem__ = lambda self, index: made.append(real(self, index)) or made[-1]
devices = keras.distribution.list_devices()
assert len(devices) == 8
layout = keras.distribution.LayoutMap(keras.distribution.DeviceMesh((2, 4), ("batch", "model"), devices))
layout[".*wide/kernel"] = (None, "model")
shapes = {
    keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch"): [(16, 16)] * 4 + [(64, 3)],
    keras.distribution.DataParallel(devices=devices): [(16, 64), (64, 3)],
}
for distribution, expected in shapes.items():
    keras.distribution.set_distribution(distribution)
    init = vs.keras.HeNormal(7)
    wide = keras.layers.Dense(64, kernel_initializer=init, name="wide")
    made.clear()
    model = keras.Sequential([keras.Input((16,)), wide, keras.layers.Dense(3, kernel_initializer=init)])
    assert [array.shape for array in made] == expected, made
    for variable in (model.weights[0], model.weights[2]):
        full = vs.he_normal(7).fold_in(variable.path)(tuple(variable.shape))
        assert all((np.asarray(s.data) == full[s.index]).all() for s in variable.value.addressable_shards)
    made.clear()
    sharding = wide.kernel.value.sharding
    vs.keras.init_(model, vs.lecun_normal(), seed=3)
    assert made[0].shape == expected[0] and wide.kernel.value.sharding == sharding
    full = vs.lecun_normal(3).fold_in(wide.kernel.path)((16, 64))
    assert all((np.asarray(s.data) == full[s.index]).all() for s in wide.kernel.value.addressable_shards)
    model.compile("sgd", "mse")
    model.fit(np.ones((16, 16)), np.ones((16, 3)), verbose=0)
"""


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="shards are JAX's")
def test_each_device_gets_its_own_shard() -> None:
    """If this fails a distributed variable is made whole, or its shards are no slices of NumPy's tensor."""
    done = run(SHARDED, timeout=240)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX takes layouts")
def test_a_layout_elsewhere_is_an_error() -> None:
    """If this fails a layout is ignored in silence."""
    with pytest.raises(ValueError, match="`layout` must be None on the backend"):
        vs.keras.HeNormal(7)((4, 4), layout="any")
