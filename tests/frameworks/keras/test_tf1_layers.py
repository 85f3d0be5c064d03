"""Layers of TensorFlow 1: Keras 2 in graph mode, `tf.layers` and cells."""

from __future__ import annotations

from pathlib import Path

import tf1_scripts

MODEL = """
import warnings
warnings.simplefilter("error", UserWarning)
keras = tf.keras
assert keras.Sequential.__module__.startswith("tf_keras")
def build():
    return keras.Sequential([
        keras.layers.Conv2D(4, 3, kernel_initializer=initializers.he_normal(seed=1), input_shape=(8, 8, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(16, "relu", kernel_initializer=initializers.VarianceScaling(2.0, seed=2)),
        keras.layers.Dense(1, kernel_initializer=initializers.glorot_uniform(3)),
    ])
FIRST = [vs.he_normal(1)((3, 3, 1, 4)), vs.he_normal(2)((144, 16)), vs.glorot_uniform(3)((16, 1))]
def starts_right(model):
    return all((a == b).all() for a, b in zip(model.get_weights()[::2], FIRST))
path = sys.argv[1]
"""
TRAIN = """
model = build()
assert starts_right(model)
assert [layer.kernel_initializer.__class__ for layer in model.layers if hasattr(layer, "kernel")] == [
    initializers.HeNormal, initializers.VarianceScaling, initializers.GlorotUniform]
x, y = np.random.default_rng(0).normal(size=(64, 8, 8, 1)), np.ones((64, 1))
model.compile(keras.optimizers.SGD(0.05), "mse")
losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
assert losses[-1] < losses[0] / 2, losses
model.save_weights(path + "/weights.h5")
open(path + "/model.json", "w").write(model.to_json())
np.savez(path + "/weights.npz", *model.get_weights())
"""
LOAD = """
saved = list(np.load(path + "/weights.npz").values())
text = open(path + "/model.json").read()
model = build()
model.load_weights(path + "/weights.h5")
assert all((a == b).all() for a, b in zip(model.get_weights(), saved))
# What Keras makes anew has its own classes, unless it is told of ours.
swapped = keras.models.model_from_json(text)
assert swapped.layers[0].kernel_initializer.__class__.__module__.startswith("tf_keras")
with keras.utils.custom_object_scope(vars(initializers)):
    for copy in (keras.models.model_from_json(text), keras.models.clone_model(model)):
        assert isinstance(copy.layers[0].kernel_initializer, initializers.HeNormal)
        assert starts_right(copy)
"""


def test_a_model_of_keras(tmp_path: Path) -> None:
    """If this fails a model in graph mode starts from other weights, or does not train, save, load or clone."""
    tf1_scripts.run(tf1_scripts.V1 + MODEL + TRAIN, tmp_path)
    tf1_scripts.run(tf1_scripts.V1 + MODEL + LOAD, tmp_path)


LAYERS = """
x = tf.placeholder(tf.float32, (None, 8))
y = tf.layers.dense(x, 4, kernel_initializer=initializers.lecun_normal(seed=3), name="dense")
with tf.variable_scope("rnn", initializer=initializers.orthogonal_initializer(seed=5)):
    cell = tf.nn.rnn_cell.LSTMCell(16)
    out, _ = tf.nn.dynamic_rnn(cell, tf.zeros((2, 3, 8)), dtype=tf.float32)
by_name = {v.name: v for v in tf.global_variables()}
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    assert (session.run(by_name["dense/kernel:0"]) == vs.lecun_normal(3)((8, 4))).all()
    assert (session.run(by_name["rnn/rnn/lstm_cell/kernel:0"]) == vs.Orthogonal(seed=5)((24, 64))).all()
"""


def test_layers_and_cells() -> None:
    """If this fails `tf.layers` or a cell of a scope starts from other weights."""
    tf1_scripts.run(tf1_scripts.V1 + LAYERS)
