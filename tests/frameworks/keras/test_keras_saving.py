"""Models of Keras with our initializers: trained, saved, loaded in a new process, cloned. On any backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import varscale as vs
from frameworks.values import ours, value
from process.child import run


def network() -> Any:
    """Convolutions, attention, a recurrent layer: every class that has a config of its own."""
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, kernel_initializer=vs.keras.HeNormal(7), name="conv")(image)
    x = keras.layers.SeparableConv2D(4, 3, depthwise_initializer=vs.keras.HeUniform(7), name="separable")(x)
    x = keras.layers.Conv2DTranspose(4, 3, kernel_initializer=vs.keras.RandomUniform(-0.1, 0.1, 7), name="transposed")(
        x
    )
    x = keras.layers.Reshape((36, 4))(x)
    normal = vs.keras.TruncatedNormal(0.0, 0.5, 7)
    x = keras.layers.MultiHeadAttention(2, 4, kernel_initializer=normal, name="attention")(x, x)
    scaling = vs.keras.VarianceScaling(2.0, "fan_out", "uniform", 7)
    x = keras.layers.Dense(4, kernel_initializer=scaling, bias_initializer=vs.keras.Constant(0.5), name="dense")(x)
    x = keras.layers.LSTM(
        4,
        kernel_initializer=vs.keras.RandomNormal(seed=7),
        recurrent_initializer=vs.keras.Orthogonal(seed=7),
        name="lstm",
    )(x)
    return keras.Model(
        image, keras.layers.Dense(2, kernel_initializer="varscale>LecunNormal", name="last")(x), name="net"
    )


# Of what Keras' own `get_weights` and `save` call.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
CLASSES = {
    ("conv", "kernel_initializer"): "HeNormal",
    ("separable", "depthwise_initializer"): "HeUniform",
    ("transposed", "kernel_initializer"): "RandomUniform",
    ("attention", "_kernel_initializer"): "TruncatedNormal",
    ("dense", "kernel_initializer"): "VarianceScaling",
    ("dense", "bias_initializer"): "Constant",
    ("lstm", "recurrent_initializer"): "Orthogonal",
    ("last", "kernel_initializer"): "LecunNormal",
}
EXPECTED = {
    "conv/kernel": ("he_normal", {}),
    "separable/depthwise_kernel": ("he_uniform", {}),
    "transposed/kernel": ("RandomUniform", {"minval": -0.1, "maxval": 0.1}),
    "attention/key/kernel": ("TruncatedNormal", {"stddev": 0.5}),
    "dense/kernel": ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}),
    "lstm/lstm_cell/kernel": ("RandomNormal", {}),
    "lstm/lstm_cell/recurrent_kernel": ("Orthogonal", {}),
}
LOAD = """
import sys
{before}
import json
import numpy as np
import keras
folder = {folder!r}
written = list(np.load(folder + "/weights.npz").values())
for way in ("keras", "h5", "json"):
    if way == "json":
        model = keras.models.model_from_json(open(folder + "/model.json").read())
        model.load_weights(folder + "/model.weights.h5")
    else:
        model = keras.models.load_model(folder + "/model." + way)
    equal = all(np.array_equal(a, b) for a, b in zip(written, model.get_weights(), strict=True))
    classes = [type(getattr(model.get_layer(layer), attribute)) for layer, attribute in {attributes}]
    print(json.dumps([way, equal, *[cls.__module__.partition(".")[0] + "." + cls.__name__ for cls in classes]]))
"""
BLOCKED = 'sys.modules["varscale"] = None'


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that was trained for some steps, in all formats."""
    folder = tmp_path_factory.mktemp("saved")
    keras.utils.clear_session()
    model = network()
    model.compile("sgd", keras.losses.MeanSquaredError())
    before = model.get_weights()
    generator = np.random.default_rng(1)
    x, y = generator.random((8, 8, 8, 3), np.float32), generator.random((8, 2), np.float32)
    losses = model.fit(x, y, epochs=3, batch_size=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    model.save(folder / "model.keras")
    model.save(folder / "model.h5")
    model.save_weights(folder / "model.weights.h5")
    (folder / "model.json").write_text(model.to_json())
    np.savez(folder / "weights.npz", *model.get_weights())
    return folder


def test_first_weights_are_numpys() -> None:
    """If this fails a layer of a whole model has other values than NumPy's of its path."""
    keras.utils.clear_session()
    weights = {variable.path: variable for variable in network().weights}
    for path, (name, more) in EXPECTED.items():
        assert value(weights[path]).tobytes() == ours(name, path, weights[path].shape, **more).tobytes(), path


@pytest.mark.parametrize("before", ["import varscale.keras", BLOCKED])
def test_another_process_has_the_weights(saved: Path, before: str) -> None:
    """If this fails a file does not open, has other weights, or its initializers are others than they should be.

    Without varscale they are Keras' own.
    """
    done = run(LOAD.format(before=before, folder=str(saved), attributes=[*CLASSES]), timeout=240)
    assert done.returncode == 0, done.stderr
    package = "keras" if before == BLOCKED else "varscale"
    classes = [f"{package}.{name}" for name in CLASSES.values()]
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert found == [[way, True, *classes] for way in ("keras", "h5", "json")]


def test_clones_are_ours() -> None:
    """If this fails `clone_model` or `from_config` makes Keras' own initializers, or other values."""
    keras.utils.clear_session()
    model = network()
    for twin in (keras.models.clone_model(model), type(model).from_config(model.get_config())):
        for (layer, attribute), name in CLASSES.items():
            assert type(getattr(twin.get_layer(layer), attribute)) is getattr(vs.keras, name)
        pairs = {a.path: (value(a), value(b)) for a, b in zip(model.weights, twin.weights, strict=True)}
        for path in EXPECTED:
            assert np.array_equal(*pairs[path]), path
        assert not np.array_equal(*pairs["last/kernel"]), "unseeded: a copy draws anew, as in Keras"


def test_a_config_holds_what_keras_would_write() -> None:
    """If this fails a saved layer has keys that Keras' own class refuses."""
    layer = keras.layers.Dense(4, kernel_initializer=vs.keras.HeNormal(7))
    held = layer.get_config()["kernel_initializer"]
    assert held == {
        "module": "varscale.keras",
        "class_name": "HeNormal",
        "config": {"seed": 7, "input_axes": None, "output_axes": None},
        "registered_name": "varscale>HeNormal",
    }
    assert keras.saving.get_registered_object("HeNormal") is None, "the bare name stays Keras' own"


def test_a_config_may_name_its_stream() -> None:
    """If this fails a file of a newer varscale is opened with other weights, or with an error that says nothing."""
    config = vs.keras.LecunNormal(7).get_config()
    assert vs.keras.LecunNormal.from_config({**config, "stream": 1}).get_config() == config
    with pytest.raises(ValueError, match="`stream` must be 1, got 2, which needs a newer varscale"):
        vs.keras.LecunNormal.from_config({**config, "stream": 2})
