"""`varscale.tf_keras`: its classes in layers, whole models, trained, saved, loaded in a new process, cloned."""

from __future__ import annotations

import inspect
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import varscale as vs
from frameworks.values import ours
from process.child import run
from varscale._initializers import swapped

LEFT_OUT = {"Initializer", "deserialize", "experimental", "get", "serialize"}
THEIRS = sorted(name for name in dir(tf_keras.initializers) if not name.startswith("_") and name not in LEFT_OUT)


@pytest.mark.parametrize("name", THEIRS)
def test_every_name_has_keras_arguments_in_keras_order(name: str) -> None:
    """If this fails a user who changes the import alone has an error, or an argument for another."""
    theirs, own = getattr(tf_keras.initializers, name), getattr(vs.tf_keras, name)
    assert issubclass(own, tf_keras.initializers.Initializer)
    wanted = [(p.name, p.default) for p in inspect.signature(theirs).parameters.values() if p.name != "kwargs"]
    given = [(p.name, p.default) for p in inspect.signature(own).parameters.values()]
    more = (
        [("input_axes", None), ("output_axes", None)] if issubclass(own, tf_keras.initializers.VarianceScaling) else []
    )
    assert [pair for pair in given if pair[0] != "by_path"] == [
        (key, 0.0 if key == "value" else default) for key, default in wanted
    ] + more
    assert own().get_config() == theirs().get_config(), "which knows no axes"
    assert type(tf_keras.initializers.get(f"varscale>{own.__name__}")) is own


def network() -> Any:
    """Every kind of weight that layers of Keras have, with the strings that they have by default."""
    x = image = tf_keras.Input((12, 12, 4), name="image")
    x = tf_keras.layers.Conv2D(8, 3, name="plain")(x)
    x = tf_keras.layers.Conv2D(8, 3, groups=2, name="grouped")(x)
    x = tf_keras.layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    x = tf_keras.layers.SeparableConv2D(4, 3, name="separable")(x)
    x = tf_keras.layers.Conv2DTranspose(6, 3, name="transposed")(x)
    x = tf_keras.layers.BatchNormalization(name="norm")(x)
    x = tf_keras.layers.Reshape((36, 6))(x)
    x = tf_keras.layers.MultiHeadAttention(2, 4, name="attention")(x, x)
    x = tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(4, name="lstm"), name="both")(x)
    return tf_keras.Model(image, tf_keras.layers.Dense(2, name="last")(x), name="net")


FANS: dict[str, dict[str, Any]] = {
    "plain/kernel": {},
    "grouped/kernel": {"groups": 2},
    "depthwise/depthwise_kernel": {"depthwise": True},
    "separable/depthwise_kernel": {"depthwise": True},
    "separable/pointwise_kernel": {},
    "transposed/kernel": {"transposed": True},
    "attention/query/kernel": {"in_axis": 0, "out_axis": (1, 2)},
    "attention/attention_output/kernel": {"in_axis": (0, 1), "out_axis": 2},
    "both/forward_lstm/lstm_cell/kernel": {"blocks": 4},
    "both/backward_lstm/lstm_cell/kernel": {"blocks": 4},
    "last/kernel": {},
}


def check(model: Any, law: str, seed: int) -> None:
    """Holds all weights of the network to NumPy's."""
    weights = {variable.name.removesuffix(":0"): variable.numpy() for variable in model.weights}
    for path, fans in FANS.items():
        assert weights[path].tobytes() == ours(law, path, weights[path].shape, seed, **fans).tobytes(), path
    assert weights["both/forward_lstm/lstm_cell/bias"].tolist() == [0] * 4 + [1] * 4 + [0] * 8
    assert (weights["norm/moving_variance"] == 1).all()


@pytest.fixture
def model() -> Any:
    """The network, with our classes for its strings."""
    tf_keras.backend.clear_session()
    with vs.tf_keras.defaults(seed=7):
        return network()


def test_whole_models(model: Any) -> None:
    """If this fails `defaults` or `init_` gives a weight other values than NumPy's of its name and its fans."""
    check(model, "glorot_uniform", 7)
    vs.tf_keras.init_(model, seed=5)
    check(model, "glorot_uniform", 5)
    vs.tf_keras.init_(model, vs.tf_keras.HeNormal(6))
    check(model, "he_normal", 6)
    described = vs.Model(tf_keras.Sequential([tf_keras.layers.InputLayer((4,)), tf_keras.layers.Dense(3, name="d")]))
    dense = tf_keras.Sequential([tf_keras.layers.InputLayer((4,)), tf_keras.layers.Dense(3, name="d")])
    vs.tf_keras.init_(dense, described, seed=5)
    assert dense.weights[0].numpy().tobytes() == described.init(5)[dense.weights[0].name].tobytes()


def test_a_variable_draws_from_the_stream_of_its_name() -> None:
    """If this fails one instance makes layers equal, or attention has 0.35 of its standard deviation."""
    tf_keras.backend.clear_session()
    init = vs.tf_keras.LecunNormal(7)
    for name in ("first", "second"):
        layer = tf_keras.layers.Dense(8, kernel_initializer=init, name=name)
        layer(np.zeros((2, 16), np.float32))
        assert layer.kernel.numpy().tobytes() == ours("LecunNormal", f"{name}/kernel", (16, 8)).tobytes()
    attention = tf_keras.layers.MultiHeadAttention(8, 64, kernel_initializer=init, name="attention")
    attention(np.zeros((1, 2, 512), np.float32), np.zeros((1, 2, 512), np.float32))
    kernels = [variable.numpy() for variable in attention.weights if "kernel" in variable.name]
    assert len({kernel.tobytes() for kernel in kernels}) == 4
    assert all(abs(kernel.std() * 512**0.5 - 1) < 0.02 for kernel in kernels)
    assert init((4, 4)).numpy().tobytes() == vs.lecun_normal(7)((4, 4)).tobytes()


def test_random_seed_dtypes_and_parts() -> None:
    """If this fails unseeded layers do not repeat, a `tf.DType` is refused, or a shard is no slice of its tensor."""
    made = []
    for _ in range(2):
        tf_keras.utils.set_random_seed(1)
        made += [vs.tf_keras.HeNormal()((4, 4)).numpy().tobytes() for _ in range(2)]
    assert made[:2] == made[2:]
    assert made[0] != made[1]
    init = vs.tf_keras.HeNormal(7)
    assert init((4, 4), tf.bfloat16).dtype == tf.bfloat16
    part = init((8, 4), partition_shape=(2, 4), partition_offset=(6, 0))
    assert part.numpy().tobytes() == vs.he_normal(7)((8, 4))[6:].tobytes()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_tensor_has_the_memory_that_was_filled(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails first weights are copied on their way into TensorFlow."""
    made: list[np.ndarray] = []
    framework = vs.tf_keras.HeNormal._framework
    monkeypatch.setattr(
        vs.tf_keras.HeNormal,
        "_framework",
        framework._replace(tensor=lambda array: made.append(array) or framework.tensor(array)),
    )
    tensor = vs.tf_keras.HeNormal(7)((256, 512), dtype)
    made[0][3, 4] = 9  # of nobody's but this test's
    assert float(tensor[3, 4]) == 9


def test_axes_and_layouts_are_refused() -> None:
    """If this fails a config loses what makes the values."""
    with pytest.raises(ValueError, match="`input_axes` must be None here"):
        vs.tf_keras.HeNormal(7, [0], [1])
    with pytest.raises(ValueError, match="`layout` must be None"):
        vs.tf_keras.HeNormal(7)((4, 4), layout="any")


LOAD = """
import sys
{before}
import json
import numpy as np
import tf_keras
folder = {folder!r}
written = list(np.load(folder + "/weights.npz").values())
for way in ("keras", "h5"):
    model = tf_keras.models.load_model(folder + "/model." + way)
    equal = all(np.array_equal(a, b) for a, b in zip(written, model.get_weights(), strict=True))
    cls = type(model.get_layer("plain").kernel_initializer)
    print(json.dumps([way, equal, cls.__module__.partition(".")[0], cls.__name__]))
"""


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_training_saving_loading_and_cloning(model: Any, tmp_path: Path) -> None:
    """If this fails a model does not train, or another process or a clone has other weights or initializers.

    HDF5 files name the bare class, so that there it is tf_keras' own.
    """
    for layer in tf_keras.models.clone_model(model).layers:
        if layer.name == "plain":
            assert type(layer.kernel_initializer) is vs.tf_keras.GlorotUniform
            assert layer.kernel_initializer.get_config() == {"seed": 7}
    model.compile("sgd", tf_keras.losses.MeanSquaredError())
    x, y = np.random.default_rng(1).random((8, 12, 12, 4), np.float32), np.ones((8, 2), np.float32)
    losses = model.fit(x, y, epochs=3, batch_size=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.h5")
    np.savez(tmp_path / "weights.npz", *model.get_weights())
    for before, package in (("import varscale.tf_keras", "varscale"), ('sys.modules["varscale"] = None', "tf_keras")):
        done = run(LOAD.format(before=before, folder=str(tmp_path)), timeout=240)
        assert done.returncode == 0, done.stderr
        found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        assert found == [["keras", True, package, "GlorotUniform"], ["h5", True, "tf_keras", "GlorotUniform"]]


def test_a_plain_initializer_in_a_layer_warns_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails users do not learn that tf_keras swaps plain objects when it loads a model."""
    monkeypatch.setattr(swapped, "_warned", set())
    with pytest.warns(UserWarning, match=r"tf_keras loads and clones HeNormal.*`varscale.tf_keras`"):
        tf_keras.layers.Dense(8, kernel_initializer=vs.he_normal(7)).build((None, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tf_keras.layers.Dense(8, kernel_initializer=vs.he_normal(7)).build((None, 4))
        monkeypatch.setattr(swapped, "_warned", set())
        tf.Variable(lambda: vs.he_normal(7)((3, 4)))  # which is no layer's


class Block(tf_keras.layers.Layer):
    """A layer that builds its own, as users' layers do: TensorFlow opens no scope for those."""

    def __init__(self) -> None:
        super().__init__(name="block")
        self.query, self.key = (
            tf_keras.layers.Dense(4, kernel_initializer=vs.tf_keras.HeNormal(7), name=name) for name in ("query", "key")
        )

    def build(self, shape: Any) -> None:
        self.query.build(shape)
        self.key.build(shape)
        super().build(shape)

    def call(self, inputs: Any) -> Any:
        return self.query(inputs) + self.key(inputs)


def test_layers_that_a_layer_builds_differ() -> None:
    """If this fails query and key are one matrix, though their layers have names of their own."""
    block = Block()
    block(np.zeros((1, 3), "float32"))
    for layer in (block.query, block.key):
        assert layer.kernel.name == "block/kernel:0"
        expected = vs.he_normal(7).fold_in(f"block/{layer.name}/kernel")((3, 4))
        assert np.array_equal(layer.kernel.numpy(), expected)
    vs.tf_keras.init_(block, vs.he_normal(), seed=8)
    expected = vs.he_normal(8).fold_in("block/query/kernel")((3, 4))
    assert np.array_equal(block.query.kernel.numpy(), expected)
