"""TensorFlow's own values for the table of cases: runs in its environment, and knows nothing of varscale.

python tests/originals/tensorflow_values.py values.npz graph|eager|tf_keras|keras|draws|models|unit_scaling
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from cases import cases
from keras_values import Values, bits, draws, keras, make, model
from tensorflow_cases import GRAPH_SEEDS, SEQUENCE, UNIT_SCALING, WEIGHTS, pairs


def legacy(rule: str, seed: Any) -> Any:
    """The initializer of the seed page, `tf.compat.v1.keras.initializers`; needs TF_USE_LEGACY_KERAS."""
    return make(tf.compat.v1.keras.initializers, rule, seed)


def graph() -> Values:
    """Two runs of the first op of a graph, and sequences of ops without seeds."""
    for graph_seed, case in pairs():
        with tf.Graph().as_default():
            tf.compat.v1.set_random_seed(graph_seed)
            op = legacy(case.rule, case.seed)(case.shape, tf.as_dtype(case.dtype))
            with tf.compat.v1.Session() as session:
                for run in range(2):
                    yield f"{graph_seed} {case.name} run {run}", session.run(op)
    for graph_seed in GRAPH_SEEDS[1:]:
        with tf.Graph().as_default():
            tf.compat.v1.set_random_seed(graph_seed)
            ops = [legacy(rule, seed)((3, 5), tf.float32) for rule, seed in SEQUENCE]
            with tf.compat.v1.Session() as session:
                for number, values in enumerate(session.run(ops)):
                    yield f"{graph_seed} sequence {number}", values


def eager() -> Values:
    """Two executions after the global seed is set, and sequences of ops without seeds."""
    for graph_seed, case in pairs():
        tf.compat.v1.set_random_seed(graph_seed)
        init = legacy(case.rule, case.seed)
        for run in range(2):
            if case.seed is not None or run == 0:
                yield f"{graph_seed} {case.name} run {run}", init(case.shape, tf.as_dtype(case.dtype))
    for graph_seed in GRAPH_SEEDS[1:]:
        tf.compat.v1.set_random_seed(graph_seed)
        for number, (rule, seed) in enumerate(SEQUENCE):
            yield f"{graph_seed} sequence {number}", legacy(rule, seed)((3, 5), tf.float32)


def tf_keras() -> Values:
    """The initializers of tf_keras."""
    import tf_keras as module

    for case in cases():
        yield case.name, make(module.initializers, case.rule, case.seed)(case.shape, case.dtype)


def models() -> Values:
    """Whole models of both Keras, without a seed of their own."""
    import keras as keras3
    import tf_keras as keras2

    for name, module in (("keras", keras3), ("tf_keras", keras2)):
        weights = model(module)
        for number, _, _ in WEIGHTS:
            yield f"{name} {number}", weights[number]


def unit_scaling() -> Values:
    """TensorFlow 1's uniform unit scaling, by factor, dtype and shape."""
    for factor, dtype, shape in UNIT_SCALING:
        with tf.Graph().as_default():
            op = tf.compat.v1.uniform_unit_scaling_initializer(factor, 42)(shape, tf.as_dtype(dtype))
            with tf.compat.v1.Session() as session:
                yield f"{factor} {dtype} {shape}", session.run(op)


MODES: dict[str, Callable[[], Values]] = {
    mode.__name__: mode for mode in (graph, eager, tf_keras, keras, draws, models, unit_scaling)
}


if __name__ == "__main__":
    np.savez(sys.argv[1], **{name: bits(values) for name, values in MODES[sys.argv[2]]()})
