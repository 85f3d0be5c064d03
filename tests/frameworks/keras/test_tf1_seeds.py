"""Seeds of TensorFlow 1: its global seed and the number of an operation name our streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf1_scripts

import varscale as vs
import varscale.tf1 as initializers

v1 = tf.compat.v1
SHAPE = (20, 30)


def in_graph(seed: int | None, *inits: Any) -> list[Any]:
    """What initializers make in a new graph under a global seed, in this order."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(seed)
        tensors = [init(SHAPE) for init in inits]
        return session.run(tensors)


def under(seed: int | None, *inits: Any) -> list[Any]:
    """What NumPy's make under a global seed of varscale."""
    vs.set_random_seed(seed)
    made = [init(SHAPE) for init in inits]
    vs.set_random_seed(None)
    return made


def equal(ours: list[Any], theirs: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("seed", [0, 1, -5, 2**31 - 1, 2**40])
def test_the_global_seed_means_the_same_as_ours(seed: int) -> None:
    """If this fails `tf.set_random_seed` leaves initializers out, or gives two of them one stream."""
    made = in_graph(seed, initializers.lecun_normal(), initializers.lecun_normal(7), initializers.lecun_normal())
    assert equal(made, under(seed, vs.lecun_normal(), vs.lecun_normal(7), vs.lecun_normal()))
    assert not np.any(made[0] == made[2])
    assert equal(
        made, in_graph(seed, initializers.lecun_normal(), initializers.lecun_normal(7), initializers.lecun_normal())
    )


def test_without_a_global_seed() -> None:
    """If this fails a seed of an initializer is not NumPy's, or unseeded ones are alike."""
    made = in_graph(None, initializers.lecun_normal(7), initializers.lecun_normal(), initializers.lecun_normal())
    assert equal(made[:1], [vs.lecun_normal(7)(SHAPE)])
    assert not np.any(made[1] == made[2])
    assert not np.any(made[1] == in_graph(None, initializers.lecun_normal())[0])


def test_operations_are_counted_as_tensorflow_counts() -> None:
    """If this fails an unseeded operation has another number than TensorFlow's own in its place would have."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(3)
        tf.random.normal(SHAPE)
        second = initializers.he_normal()(SHAPE)
        tf.random.normal(SHAPE, seed=5)
        third = initializers.he_normal()(SHAPE)
        assert v1.get_seed(None) == (3, 3)
        made = session.run([second, third])
    assert equal(made, under(3, vs.he_normal(), vs.he_normal(), vs.he_normal())[1:])


def test_a_run_repeats_under_a_global_seed() -> None:
    """If this fails a session that starts anew has another start than the first one."""
    with tf.Graph().as_default():
        v1.set_random_seed(3)
        tensor = initializers.he_normal()(SHAPE)
        runs = [session.run(tensor) for session in (v1.Session(), v1.Session()) for _ in range(2)]
    assert equal(runs, [runs[0]] * 4)


def test_shards_under_a_global_seed() -> None:
    """If this fails a shard of an unseeded variable has another number, or lies elsewhere in its tensor."""
    two = v1.fixed_size_partitioner(2)
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(3)
        whole = v1.get_variable("v", SHAPE, initializer=initializers.he_normal(), partitioner=two)
        session.run(v1.global_variables_initializer())
        shards = session.run(list(whole))
    vs.set_random_seed(3)
    assert equal(shards, [vs.he_normal()(SHAPE, index=slice(0, 10)), vs.he_normal()(SHAPE, index=slice(10, 20))])


def test_the_seed_when_the_operation_is_made_counts() -> None:
    """If this fails a later call changes what the graph has been given, unlike in TensorFlow."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(3)
        before = initializers.he_normal(1)(SHAPE)
        v1.set_random_seed(4)
        vs.set_random_seed(5)
        made = session.run([before, initializers.he_normal(1)(SHAPE)])
    assert equal(made, [*under(3, vs.he_normal(1)), *under(4, vs.he_normal(1))])


def test_varscales_global_seed_counts_without_tensorflows() -> None:
    """If this fails `varscale.set_random_seed` means nothing in a graph, or more than TensorFlow's."""
    vs.set_random_seed(5)
    made = in_graph(None, initializers.he_normal(), initializers.he_normal(1), initializers.he_normal())
    assert equal(made, under(5, vs.he_normal(), vs.he_normal(1), vs.he_normal()))
    vs.set_random_seed(5)
    assert equal(in_graph(3, initializers.he_normal()), under(3, vs.he_normal()))


EAGER = """
shape = 20, 30
drawn = tf.function(lambda: initializers.he_normal()(shape), autograph=False)
made = []
for _ in range(2):
    tf.random.set_random_seed(3)
    made.append([initializers.he_normal()(shape), initializers.he_normal()(shape), initializers.he_normal(7)(shape)])
runs = [drawn(), drawn()]
vs.set_random_seed(3)
assert (made[0][2].numpy() == vs.he_normal(7)(shape)).all()
assert (runs[0].numpy() == vs.he_normal()(shape)).all() and (runs[0].numpy() == runs[1].numpy()).all()
assert all((one.numpy() == other.numpy()).all() for one, other in zip(*made))
assert (made[0][0].numpy() != made[0][1].numpy()).all()
print(made[0][0].numpy().tobytes().hex())
"""
KERAS = """
tf.set_random_seed(3)
layer = tf.keras.layers.Dense(30, kernel_initializer=initializers.he_normal())
layer.build((None, 20))
vs.set_random_seed(3)
session = tf.keras.backend.get_session()
session.run(tf.global_variables_initializer())
assert (session.run(layer.kernel) == vs.he_normal()((20, 30))).all()
"""
DETERMINISM = """
import tensorflow
tensorflow.config.experimental.enable_op_determinism()
assert tf.get_static_value(initializers.he_normal(7, embed=True)((3,))).tolist() == vs.he_normal(7)((3,)).tolist()
try:
    initializers.he_normal()((3,))
except RuntimeError as error:
    assert "require a seed" in str(error)
else:
    raise AssertionError("it drew entropy")
"""


def test_functions_and_eager_mode() -> None:
    """If this fails `tf.set_random_seed` does not reach eager calls or functions, or another process draws others."""
    assert len({tf1_scripts.run(tf1_scripts.START + EAGER) for _ in range(2)}) == 1


def test_keras_layers() -> None:
    """If this fails the global seed does not repeat a layer of Keras, or its numbers depend on the process."""
    tf1_scripts.run(tf1_scripts.V1 + KERAS)


def test_determinism_asks_for_seeds() -> None:
    """If this fails an unseeded initializer draws entropy where TensorFlow was told to be deterministic."""
    tf1_scripts.run(tf1_scripts.V1 + DETERMINISM)
