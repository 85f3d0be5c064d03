"""Graphs of TensorFlow 1: values that an operation draws when a session runs it, for variables and their shards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.autograph.impl import api

import varscale as vs
import varscale.tf1 as initializers

v1 = tf.compat.v1
SHAPE = (50, 30)
READS_CODE = pytest.mark.filterwarnings("ignore:.*arbitrary keyword arguments:DeprecationWarning")
"""AutoGraph's own parser uses what Python will drop."""


@pytest.fixture
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def values(*tensors: Any) -> list[Any]:
    """What a new session makes of them, once it has initialised every variable."""
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        return session.run(list(tensors))


@pytest.mark.parametrize("use_resource", [True, False])
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64])
def test_variables(graph: tf.Graph, use_resource: bool, dtype: tf.DType) -> None:
    """If this fails a variable starts from other values than NumPy's."""
    pairs = [
        (initializers.lecun_normal(7), vs.lecun_normal(7)),
        (initializers.orthogonal_initializer(seed=7), vs.Orthogonal(seed=7)),
        (initializers.random_uniform_initializer(-1, 1, seed=7), vs.RandomUniform(-1.0, 1.0, 7)),
    ]
    variables = [
        v1.get_variable(f"v{n}", SHAPE, dtype, init, use_resource=use_resource) for n, (init, _) in enumerate(pairs)
    ]
    assert all(v.dtype.base_dtype == dtype and v.shape == SHAPE for v in variables)
    for made, (_, same) in zip(values(*variables), pairs, strict=True):
        assert made.tobytes() == same(SHAPE, dtype).tobytes()


def test_scopes_and_reuse(graph: tf.Graph) -> None:
    """If this fails the initializer of a scope does not reach its variables, or a shared variable is made twice."""
    with v1.variable_scope("scope", initializer=initializers.he_normal(seed=3)):
        kernel = v1.get_variable("kernel", SHAPE)
    with v1.variable_scope("scope", reuse=True):
        assert v1.get_variable("kernel", SHAPE) is kernel
    by_class = v1.get_variable("other", SHAPE, initializer=initializers.zeros)
    direct = v1.Variable(initializers.lecun_normal(4)(SHAPE))
    assert len([op for op in graph.get_operations() if op.type == "PyFunc"]) == 2
    made = values(kernel, by_class, direct)
    for value, same in zip(made, (vs.he_normal(3), vs.Zeros(), vs.lecun_normal(4)), strict=True):
        assert np.array_equal(value, same(SHAPE))


@pytest.mark.parametrize("use_resource", [True, False])
@pytest.mark.parametrize(
    "partitioner",
    [
        v1.fixed_size_partitioner(3),
        v1.fixed_size_partitioner(7, axis=1),
        v1.variable_axis_size_partitioner(1000),
        v1.variable_axis_size_partitioner(700, axis=1),
        v1.min_max_variable_partitioner(4, min_slice_size=1000),
    ],
)
def test_partitioners(graph: tf.Graph, partitioner: Any, use_resource: bool) -> None:
    """If this fails a partitioned variable is another tensor than the whole one."""
    inits = initializers.lecun_normal(7), initializers.orthogonal(seed=7)
    whole = [
        v1.get_variable(f"v{n}", SHAPE, tf.bfloat16, init, partitioner=partitioner, use_resource=use_resource)
        for n, init in enumerate(inits)
    ]
    assert all(len(list(variable)) > 1 for variable in whole)
    for made, same in zip(
        values(*map(tf.convert_to_tensor, whole)), (vs.lecun_normal(7), vs.Orthogonal(seed=7)), strict=True
    ):
        assert made.tobytes() == same(SHAPE, "bfloat16").tobytes()


def test_shards_of_unseeded_matrices(graph: tf.Graph) -> None:
    """If this fails the shards of one orthogonal matrix come from several, and nobody learns of it."""
    two = v1.fixed_size_partitioner(2)
    with pytest.raises(ValueError, match=r"`seed` must be an integer where an orthogonal matrix is partitioned"):
        v1.get_variable("a", SHAPE, initializer=initializers.orthogonal(), partitioner=two)
    v1.get_variable("b", SHAPE, initializer=initializers.orthogonal(), partitioner=v1.fixed_size_partitioner(1))
    v1.get_variable("c", SHAPE, initializer=initializers.he_normal(), partitioner=two)


def test_the_graph_holds_no_values(graph: tf.Graph) -> None:
    """If this fails a graph swells with its weights, and one above 2 GB cannot be made."""
    v1.get_variable("huge", (2**20, 2**12), initializer=initializers.lecun_normal(seed=7))  # 16 GB
    v1.get_variable(
        "half", (2**20, 2**12), tf.bfloat16, initializers.he_normal(), partitioner=v1.fixed_size_partitioner(8)
    )
    assert len(graph.as_graph_def().SerializeToString()) < 20_000


def test_embedded_values(graph: tf.Graph) -> None:
    """If this fails `embed` makes a graph that does not run without this process, or other values."""
    a = initializers.lecun_normal(7, embed=True)(SHAPE)
    b = initializers.lecun_normal(embed=True)(SHAPE)
    assert {op.type for op in graph.get_operations()} == {"Const"}
    first, second = values(a, b), values(a, b)
    assert np.array_equal(first[0], vs.lecun_normal(7)(SHAPE))
    assert np.array_equal(first, second)


def test_running_again(graph: tf.Graph) -> None:
    """If this fails an initialization that is run again changes what is seeded, or repeats what is not."""
    seeded = v1.get_variable("seeded", SHAPE, initializer=initializers.lecun_normal(seed=7))
    unseeded = v1.get_variable("unseeded", SHAPE, initializer=initializers.lecun_normal())
    with v1.Session() as session:
        runs = []
        for _ in range(2):
            session.run(v1.global_variables_initializer())
            runs.append(session.run([seeded, unseeded]))
    assert np.array_equal(runs[0][0], runs[1][0])
    assert not np.any(runs[0][1] == runs[1][1])
    assert abs(np.std(runs[1][1]) * np.sqrt(50) - 1) < 0.1


def test_the_operation_does_not_hold_the_variable(graph: tf.Graph) -> None:
    """If this fails a variable moves to the CPU where Python is, or its initializer to a server without Python."""
    variable = v1.get_variable("v", SHAPE, initializer=initializers.lecun_normal(seed=7), use_resource=True)
    (op,) = (op for op in graph.get_operations() if op.type == "PyFunc")
    assert op.device == "/device:CPU:0"
    assert b"loc:@v" not in op.node_def.SerializeToString()
    assert variable.device == ""
    with tf.device("/job:worker/task:1/gpu:0"):
        assert initializers.he_normal()(SHAPE).op.device == "/job:worker/task:1/device:CPU:0"


@pytest.mark.parametrize(
    "shape",
    [
        [v1.Dimension(50), v1.Dimension(30)],
        (v1.Dimension(50), 30),
        v1.TensorShape([50, 30]),
        v1.TensorShape([50, 30]).dims,
        [50, 30],
        np.array([50, 30]),
    ],
)
def test_spellings_of_shapes(graph: tf.Graph, shape: Any) -> None:
    """If this fails a shape that TensorFlow takes is refused, here or by the NumPy initializers."""
    expected = vs.lecun_normal(7)(SHAPE)
    (made,) = values(initializers.lecun_normal(7)(shape))
    assert np.array_equal(made, expected)
    assert np.array_equal(vs.lecun_normal(7)(shape), expected)


@pytest.mark.parametrize("shape", [(), (0, 4), (5,), (2, 3, 4, 5)])
def test_every_rank(graph: tf.Graph, shape: tuple[int, ...]) -> None:
    """If this fails scalars, vectors, empty or deep tensors cannot be made."""
    tensor = initializers.lecun_normal(7)(shape)
    assert tensor.shape == shape
    assert np.array_equal(values(tensor)[0], vs.lecun_normal(7)(shape))


def test_errors_come_when_the_graph_is_built(graph: tf.Graph) -> None:
    """If this fails a mistake shows when a session runs, far from its line."""
    for call, error, text in (
        (lambda: initializers.orthogonal(seed=1)((5,)), ValueError, "`shape` must have two axes"),
        (lambda: initializers.lecun_normal()((5, -1)), ValueError, "`shape` must not hold negative sizes"),
        (lambda: initializers.lecun_normal()((None, 3)), TypeError, "`shape` must hold integers only"),
        (lambda: initializers.lecun_normal()((5,), tf.int32), ValueError, "`dtype` must be a floating-point"),
        (lambda: initializers.RandomNormal(1e9)((5,), tf.float16), ValueError, "float16"),
    ):
        with pytest.raises(error, match=text):
            call()


def test_eager_calls() -> None:
    """If this fails a call in eager mode returns no tensor, or other values."""
    made = initializers.lecun_normal(7)(SHAPE)
    assert isinstance(made, tf.Tensor)
    assert np.array_equal(made.numpy(), vs.lecun_normal(7)(SHAPE))
    unseeded = initializers.lecun_normal()
    assert not np.any(unseeded(SHAPE).numpy() == unseeded(SHAPE).numpy())
    assert np.array_equal(tf.Variable(lambda: initializers.he_normal(3)(SHAPE)).numpy(), vs.he_normal(3)(SHAPE))


@READS_CODE
def test_functions_and_autograph(capfd: pytest.CaptureFixture[str]) -> None:
    """If this fails AutoGraph reads our source and warns of it, or a function has the values as a constant."""
    tf.autograph.set_verbosity(0, alsologtostdout=True)

    @tf.function
    def drawn() -> Any:
        return initializers.lecun_normal(7)(SHAPE), vs.lecun_normal(7)(SHAPE), initializers.lecun_normal()(SHAPE)

    ours, plain, unseeded = drawn()
    assert np.array_equal(ours, plain)
    assert np.array_equal(ours, vs.lecun_normal(7)(SHAPE))
    assert not np.any(unseeded.numpy() == drawn()[2].numpy())
    types = [op.type for op in drawn.get_concrete_function().graph.get_operations()]
    assert types.count("PyFunc") == 2

    @tf.function
    def lifted() -> Any:
        with tf.init_scope():
            return initializers.lecun_normal(7)(SHAPE)

    assert np.array_equal(lifted(), vs.lecun_normal(7)(SHAPE))
    said = capfd.readouterr()
    assert "AutoGraph could not" not in said.out + said.err


@READS_CODE
def test_autograph_converts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails AutoGraph makes code of ours anew, which is slow and may mean something else."""
    seen = []
    real = api._convert_actual
    monkeypatch.setattr(api, "_convert_actual", lambda entity, *rest: (seen.append(entity), real(entity, *rest))[1])
    tf.function(lambda: (initializers.he_uniform(7)(SHAPE), vs.he_uniform(7)(SHAPE), vs.Zeros()(SHAPE)))()
    assert [entity.__module__ for entity in seen] == [__name__]


def test_what_the_graph_says(graph: tf.Graph) -> None:
    """If this fails a graph holds more than a few words of a tensor, or something that runs code."""
    op = initializers.lecun_normal(7)(SHAPE).op
    said = json.loads(tf.get_static_value(op.inputs[0]).item())
    assert said["initializer"]["class_name"] == "VarianceScaling"
    assert (said["shape"], said["dtype"], said["part"]) == ([50, 30], "float32", [[0, 1, 50], [0, 1, 30]])
