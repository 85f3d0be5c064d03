"""`init_` beside what layers were built with: axes, constants, paths, and layers of users' own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import varscale as vs

AXES: dict[str, Any] = {"input_axes": [1], "output_axes": [0]}


def value(variable: Any) -> Any:
    return np.asarray(variable.value)


def layer(initializer: Any, shape: tuple[int, ...]) -> Any:
    """A layer with one kernel of this shape."""

    class Own(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.kernel_initializer = initializer
            self.kernel = self.add_weight(shape=shape, initializer=initializer, name="kernel")
            self.built = True

    return Own()


@pytest.mark.parametrize("shape", [(4096, 256), (8, 64, 128)])
def test_axes_that_users_name_stay(shape: tuple[int, ...]) -> None:
    """If this fails `init_` counts other fans than the layer was built with."""
    expected = (1 / shape[1]) ** 0.5
    for initializer in (vs.keras.LecunNormal(7, **AXES), keras.initializers.LecunNormal(7, **AXES)):
        own = layer(initializer, shape)
        built = value(own.kernel)
        for exact in (False, True):
            vs.keras.init_(own, seed=7, exact_keras_fans=exact)
            found = value(own.kernel)
            assert abs(found.std() / expected - 1) < 0.02
        if isinstance(initializer, vs.keras.LecunNormal):
            assert np.array_equal(found, built)
    vs.keras.init_(own, vs.keras.LecunNormal(**AXES), seed=7)
    assert np.array_equal(value(own.kernel), found)


def test_constants_that_are_broadcast_stay() -> None:
    """If this fails a layer that Keras builds cannot be filled."""
    dense = keras.layers.Dense(4, kernel_initializer=vs.keras.Constant([1, 2, 3, 4]))
    dense.build((None, 3))
    vs.keras.init_(dense)
    assert (value(dense.kernel) == [1, 2, 3, 4]).all()


def test_values_of_the_seed_alone_stay() -> None:
    """If this fails `by_path=False` counts when a layer is built, but not when it is filled."""
    dense = keras.layers.Dense(4, kernel_initializer=vs.keras.HeNormal(7, by_path=False))
    dense.build((None, 3))
    built = value(dense.kernel)
    vs.keras.init_(dense)
    assert np.array_equal(value(dense.kernel), built)
    assert np.array_equal(built, vs.he_normal(7)((3, 4)))


class RMSNormalization(keras.layers.Layer):
    """A user's own, which multiplies by 1 + scale."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="zeros", name="scale")


class Normalization(keras.layers.Layer):
    """A user's own, which learns its mean."""

    def build(self, shape: Any) -> None:
        self.mean_initializer = keras.initializers.RandomNormal()
        self.mean = self.add_weight(shape=(shape[-1],), initializer=self.mean_initializer, name="mean")


def test_a_users_class_is_not_keras() -> None:
    """If this fails a layer of a user's own starts as Keras' layer of that name, whatever its code says."""
    own = RMSNormalization()
    own.build((None, 3))
    with pytest.raises(ValueError, match=r"says nothing of \['rms_normalization/scale'\]"):
        vs.keras.init_(own, seed=1)
    other = Normalization(name="other")
    other.build((None, 3))
    vs.keras.init_(other, seed=1)
    assert np.array_equal(value(other.mean), vs.RandomNormal(0.0, 0.05, 1).fold_in("other/mean")((3,)))
