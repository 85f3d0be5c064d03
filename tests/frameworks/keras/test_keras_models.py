"""`varscale.keras.defaults` and `init_`: whole models, with the fans of one unit. On any backend."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import keras
import numpy as np
import pytest

import varscale as vs
from frameworks.values import ours, value


def network() -> Any:
    """Every kind of weight that layers of Keras have, with the strings that they have by default."""
    x = image = keras.Input((12, 12, 4), name="image")
    x = keras.layers.Conv2D(8, 3, name="plain")(x)
    x = keras.layers.Conv2D(8, 3, groups=2, name="grouped")(x)
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    x = keras.layers.SeparableConv2D(4, 3, name="separable")(x)
    x = keras.layers.Conv2DTranspose(6, 3, name="transposed")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Reshape((36, 6))(x)
    x = keras.layers.MultiHeadAttention(2, 4, name="attention")(x, x)
    x = keras.layers.GRU(4, return_sequences=True, name="gru")(x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(4, name="lstm"), name="both")(x)
    return keras.Model(image, keras.layers.Dense(2, name="last")(x), name="net")


FANS: dict[str, dict[str, Any]] = {
    "plain/kernel": {},
    "grouped/kernel": {"groups": 2},
    "depthwise/kernel": {"depthwise": True},
    "separable/depthwise_kernel": {"depthwise": True},
    "separable/pointwise_kernel": {},
    "transposed/kernel": {"transposed": True},
    "attention/query/kernel": {"in_axis": 0, "out_axis": (1, 2)},
    "attention/attention_output/kernel": {"in_axis": (0, 1), "out_axis": 2},
    "gru/gru_cell/kernel": {"blocks": 3},
    "both/forward_lstm/lstm_cell/kernel": {"blocks": 4},
    "both/backward_lstm/lstm_cell/kernel": {"blocks": 4},
    "last/kernel": {},
}
GATES = {"gru/gru_cell/recurrent_kernel": 3, "both/forward_lstm/lstm_cell/recurrent_kernel": 4}


def check(model: Any, law: str, seed: int, *, exact: bool = False, recurrent: str = "orthogonal") -> None:
    """Holds all weights of the network to NumPy's."""
    weights = {variable.path: value(variable) for variable in model.weights}
    for path, fans in FANS.items():
        more = fans if not exact or "attention" in path else {}
        found = weights[path]
        assert found.tobytes() == ours(law, path, found.shape, seed, **more).tobytes(), path
    for path, blocks in GATES.items():
        found = weights[path]
        more = {} if exact else {"blocks": blocks}
        assert found.tobytes() == ours(recurrent, path, found.shape, seed, **more).tobytes(), path
    for path, number in {"norm/gamma": 1, "norm/moving_mean": 0, "norm/moving_variance": 1, "plain/bias": 0}.items():
        assert (weights[path] == number).all()
    bias = weights["both/forward_lstm/lstm_cell/bias"]
    assert bias.tolist() == [0] * 4 + [1] * 4 + [0] * 8, "the forget gate starts open"


@pytest.mark.parametrize("exact", [False, True])
def test_defaults(exact: bool) -> None:
    """If this fails layers' strings are not ours, or their fans are those of several units."""
    keras.utils.clear_session()
    with vs.keras.defaults(seed=7, exact_keras_fans=exact):
        model = network()
    check(model, "glorot_uniform", 7, exact=exact)
    assert type(model.get_layer("plain").kernel_initializer) is vs.keras.GlorotUniform
    assert model.get_layer("plain").kernel_initializer.get_config()["seed"] == 7
    assert type(keras.layers.Dense(2).kernel_initializer) is keras.initializers.GlorotUniform


class Late(keras.Model):
    """A model whose layers are made inside of `defaults`, and built when nobody knows."""

    def __init__(self) -> None:
        super().__init__(name="late")
        self.conv = keras.layers.Conv1D(8, 3, groups=2, name="conv")
        self.both = keras.layers.Bidirectional(keras.layers.LSTM(4, name="lstm"), name="both")

    def call(self, x: Any) -> Any:
        return self.both(self.conv(x))


def test_layers_that_are_built_later_keep_their_fans() -> None:
    """If this fails a variable that is initialised outside of the block, and late, has the fans of another layer."""
    with vs.keras.defaults(seed=7):
        model = Late()
    model(np.zeros((2, 9, 4), np.float32))
    weights = {variable.path: value(variable) for variable in model.weights}
    for path, law, more in (
        ("late/conv/kernel", "glorot_uniform", {"groups": 2}),
        ("late/both/forward_lstm/lstm_cell/kernel", "glorot_uniform", {"blocks": 4}),
        ("late/both/backward_lstm/lstm_cell/recurrent_kernel", "orthogonal", {"blocks": 4}),
    ):
        assert weights[path].tobytes() == ours(law, path, weights[path].shape, **more).tobytes(), path


class Own(keras.layers.Layer):
    """A layer of a user's own, with a kernel of a shape that it knows alone."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(name="own")
        self.shape = shape

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=self.shape, name="kernel")


def test_fans_that_nobody_knows_are_an_error() -> None:
    """If this fails a kernel gets guessed fans in silence, or a matrix is refused."""
    with vs.keras.defaults(seed=7):
        layer = Own((4, 6))
        layer.build(None)
        assert value(layer.kernel).tobytes() == ours("glorot_uniform", "own/kernel", (4, 6)).tobytes()
        with pytest.raises(ValueError, match=r"the fans of 'kernel' \(3, 4, 6\) of 'Own' must be known"):
            Own((3, 4, 6)).build(None)
    with vs.keras.defaults(seed=7, exact_keras_fans=True):
        Own((3, 4, 6)).build(None)


def test_lora_and_quantization() -> None:
    """If this fails a layer of Keras' own cannot take LoRA or int8 inside of `defaults`, or its A has other fans."""
    with vs.keras.defaults(seed=7):
        layer = keras.layers.EinsumDense("abc,cde->abde", (None, 4, 8), name="einsum")
        layer.build((None, 5, 16))
        layer.enable_lora(4)
        conv = keras.layers.Conv2D(8, 3, name="conv")
        conv.build((None, 9, 9, 4))
        conv.enable_lora(4)
        dense = keras.layers.Dense(8, name="dense")
        dense.build((None, 16))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Keras' own code
            dense.quantize("int8")
    for a, more in ((layer.lora_kernel_a, {"in_axis": 0, "out_axis": (1, 2)}), (conv.lora_kernel_a, {})):
        assert value(a).tobytes() == ours("he_uniform", a.path, a.shape, **more).tobytes()


def test_defaults_nest_end_with_an_error_and_are_of_one_thread() -> None:
    """If this fails a block changes what is outside of it."""

    def seed() -> Any:
        return getattr(keras.layers.Dense(2).kernel_initializer, "_given", "theirs")

    found = []
    with vs.keras.defaults(seed=7):
        with pytest.raises(TypeError), vs.keras.defaults(seed=8):
            found.append(seed() + None)
        with vs.keras.defaults(seed=8):
            found.append(seed())
        found.append(seed())
        thread = threading.Thread(target=lambda: found.append(seed()))
        thread.start()
        thread.join()
    found.append(seed())
    assert found == [8, 7, "theirs", "theirs"]


def test_unseeded_defaults_take_keras_seed() -> None:
    """If this fails `set_random_seed` does not repeat a model of defaults."""
    made = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        with vs.keras.defaults():
            layers = [keras.layers.Dense(4, name="dense") for _ in range(2)]
        for layer in layers:
            layer.build((None, 4))
            made.append(value(layer.kernel).tobytes())
    assert made[:2] == made[2:]
    assert made[0] != made[1]


@pytest.mark.parametrize("exact", [False, True])
def test_init_with_each_variables_own_initializer(exact: bool) -> None:
    """If this fails a built model of Keras' own initializers does not get its laws with our values."""
    keras.utils.clear_session()
    model = network()
    assert vs.keras.init_(model, seed=5, exact_keras_fans=exact) is model
    check(model, "glorot_uniform", 5, exact=exact)


@pytest.mark.parametrize("init", [vs.he_normal(5), vs.keras.HeNormal(5)], ids=["plain", "keras"])
def test_init_with_an_initializer(init: Any) -> None:
    """If this fails weights do not get the initializer, or biases and norms do."""
    keras.utils.clear_session()
    model = network()
    for variable in model.weights:
        variable.assign(keras.ops.full(variable.shape, 9.0, variable.dtype))
    vs.keras.init_(model, init)
    check(model, "he_normal", 5, recurrent="he_normal")
    vs.keras.init_(model, init, seed=6)
    check(model, "he_normal", 6, recurrent="he_normal")


def test_init_with_a_model() -> None:
    """If this fails a model's values go to other variables, or to none."""
    keras.utils.clear_session()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")], name="net")
    described = vs.Model(
        {"net/dense/kernel": ((4, 3), None, vs.he_normal()), "net/dense/bias": ((3,), None, vs.Ones())}, layout="keras"
    )
    vs.keras.init_(model, described, seed=5)
    for variable in model.weights:
        assert value(variable).tobytes() == described.init(5)[variable.path].tobytes()
    with pytest.raises(ValueError, match=r"must have every variable of the model, lacks \['net/dense/bias'\]"):
        vs.keras.init_(model, vs.Model({"net/dense/kernel": ((4, 3), None, vs.he_normal())}, layout="keras"))
    other = vs.Model(
        {"net/dense/kernel": ((4, 4), None, vs.he_normal()), "net/dense/bias": ((3,), None, vs.Ones())}, layout="keras"
    )
    with pytest.raises(ValueError, match="must have 'net/dense/kernel' as"):
        vs.keras.init_(model, other)


def test_unseeded_init_takes_keras_seed() -> None:
    """If this fails `set_random_seed` does not repeat `init_`."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    made = []
    for init in (None, vs.he_normal(), vs.Model(model)):
        for seed in (1, 1, 2):
            keras.utils.set_random_seed(seed)
            vs.keras.init_(model, init)
            made.append(value(model.weights[0]).tobytes())
        assert made[-3] == made[-2] != made[-1]


def test_statistics_of_data_stay() -> None:
    """If this fails what a `Normalization` has seen is lost."""
    normalization = keras.layers.Normalization(name="seen")
    normalization.adapt(np.arange(12.0).reshape(6, 2))
    model = keras.Sequential([keras.Input((2,)), normalization, keras.layers.Dense(3)])
    before = [value(variable) for variable in normalization.weights]
    vs.keras.init_(model, seed=1)
    assert all(np.array_equal(a, value(b)) for a, b in zip(before, normalization.weights, strict=True))


@pytest.mark.parametrize(
    ("layers", "init", "error"),
    [
        ([keras.layers.Dense(3)], None, "`model` must be built"),
        ([keras.Input((4,)), keras.layers.Dense(3, kernel_initializer=lambda s, dtype: keras.ops.ones(s))], None,
         "an initializer must be one of keras or varscale, got"),
        ([keras.Input((4, 4)), Own((3, 3))], None, "must tell what each variable starts from, says nothing of"),
        ([keras.Input((4,)), keras.layers.Dense(3)], vs.he_normal(vs.replay.keras(7, backend="jax")),
         "`seed` must be an integer or None where parameters have names"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_an_error(layers: list[Any], init: Any, error: str) -> None:
    """If this fails a model is filled with guesses, or half of it."""
    model = keras.Sequential(layers)
    before = [value(variable) for variable in model.weights]
    with pytest.raises(ValueError, match=error):
        vs.keras.init_(model, init)
    assert all(np.array_equal(a, value(b)) for a, b in zip(before, model.weights, strict=True))


def test_two_variables_of_one_path_are_an_error() -> None:
    """If this fails two layers that a user has named alike are equal in silence."""

    class Twins(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="twins")
            self.one, self.two = (keras.layers.Dense(4, name="dense") for _ in range(2))

        def call(self, x: Any) -> Any:
            return self.two(self.one(x))

    model = Twins()
    model(np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError, match=r"each path once, got 'twins/dense/kernel' twice"):
        vs.keras.init_(model, seed=1)


def test_bad_kinds() -> None:
    """If this fails something else than a model is taken for one."""
    with pytest.raises(TypeError, match="`model` must be a model or a layer of keras"):
        vs.keras.init_([1])
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(TypeError, match="`init_or_model` must be one of varscale's own initializers"):
        vs.keras.init_(model, "he_normal")
