"""The names of TensorFlow 1's initializers: all there, with its arguments, defaults, classes and configs."""

from __future__ import annotations

import inspect
import json
import pickle
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf1_scripts

import varscale as vs
import varscale.tf1 as initializers
from varscale.tf1 import initializers as tensorflow_initializers

v1 = tf.compat.v1
BASE = v1.zeros_initializer.__base__


def constructors(module: Any, suffix: str) -> dict[str, Any]:
    """What a module of TensorFlow makes initializers of: classes, and functions that have a seed."""
    things = {name: getattr(module, name) for name in dir(module) if name.endswith(suffix)}
    return {
        name: thing
        for name, thing in things.items()
        if (isinstance(thing, type) and issubclass(thing, BASE)) or name.startswith(("he_", "lecun_"))
    }


PAIRS = [
    *((getattr(initializers, name, None), thing) for name, thing in constructors(v1, "_initializer").items()),
    *(
        (getattr(tensorflow_initializers, name, None), thing)
        for name, thing in constructors(v1.initializers, "").items()
    ),
]


def positional(function: Any) -> list[tuple[str, Any]]:
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def test_there_are_names() -> None:
    """If this fails the test below compares nothing."""
    assert len(PAIRS) == 11 + 16


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda thing: getattr(thing, "__name__", None))
def test_every_name_of_tensorflow(ours: Any, theirs: Any) -> None:
    """If this fails code that changes one import stops, or sets another argument, or writes another config."""
    assert positional(ours) == positional(theirs)
    assert isinstance(ours(), type(theirs()))
    keys = {"seed"} if not isinstance(theirs, type) else theirs().get_config().keys()
    assert ours().get_config() == {key: theirs().get_config()[key] for key in keys}


KERAS = """
import inspect
theirs = tf.keras.initializers
assert theirs.RandomNormal.__module__.startswith("tf_keras")
def positional(function):
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
names = [name for name in dir(theirs) if not name.startswith("_")]
for name in names:
    mine, own = getattr(initializers, name), getattr(theirs, name)
    assert positional(mine) == positional(own), name
    if isinstance(own, type) and name != "Initializer":
        assert mine().get_config() == own().get_config(), name
        assert isinstance(mine(), [base for base in own.__mro__ if base.__module__.endswith("init_ops")][0]), name
print(len(names))
"""


def test_every_name_of_keras() -> None:
    """If this fails a name of `tf.compat.v1.keras.initializers` is not there, or has other arguments or defaults."""
    assert int(tf1_scripts.run(tf1_scripts.V1 + KERAS)) == 29


def test_the_call_is_the_pages() -> None:
    """If this fails `get_variable` sees no `partition_info`, and every shard becomes a whole tensor of its shape."""
    for name in ("lecun_normal", "orthogonal", "random_normal"):
        init = getattr(initializers, name)()
        assert positional(init.__call__) == [
            ("shape", inspect.Parameter.empty),
            ("dtype", None),
            ("partition_info", None),
        ]


DRAWN = [
    (initializers.lecun_normal(7), vs.lecun_normal(7)),
    (initializers.lecun_uniform(7), vs.lecun_uniform(7)),
    (initializers.he_normal(7), vs.he_normal(7)),
    (initializers.he_uniform(7), vs.he_uniform(7)),
    (initializers.glorot_normal(7), vs.glorot_normal(7)),
    (initializers.glorot_uniform(7, "float64"), vs.glorot_uniform(7, dtype="float64")),
    (initializers.VarianceScaling(3.0, "fan_out", "Normal", 7), vs.VarianceScaling(3.0, "fan_out", "normal", 7)),
    (
        initializers.VarianceScaling(distribution="untruncated_normal", seed=7),
        vs.VarianceScaling(distribution="untruncated_normal", seed=7),
    ),
    (initializers.Orthogonal(2.0, 7), vs.Orthogonal(2.0, 7)),
    (initializers.RandomNormal(1.0, seed=7), vs.RandomNormal(1.0, 0.05, 7)),
    (initializers.RandomUniform(seed=7), vs.RandomUniform(-0.05, 0.05, 7)),
    (initializers.TruncatedNormal(seed=7), vs.TruncatedNormal(0.0, 0.05, 7)),
    (initializers.random_normal_initializer(seed=7), vs.RandomNormal(0.0, 1.0, 7)),
    (initializers.random_uniform_initializer(seed=7), vs.RandomUniform(0.0, 1.0, 7)),
    (initializers.random_uniform_initializer(2, 3.5, seed=7), vs.RandomUniform(2.0, 3.5, 7)),
    (initializers.truncated_normal_initializer(seed=7), vs.TruncatedNormal(0.0, 1.0, 7)),
    (initializers.uniform_unit_scaling_initializer(1.5, 7), vs.UniformUnitScaling(1.5, 7)),
]


@pytest.mark.parametrize(("init", "same"), DRAWN, ids=lambda init: repr(init)[:40])
def test_values_are_numpys(init: Any, same: vs.Initializer) -> None:
    """If this fails a name has another law than its NumPy one, or its arguments are mixed up."""
    for dtype in (None, tf.float16, tf.bfloat16):
        made = init((30, 20), dtype)
        assert made.dtype == (init.dtype if dtype is None else dtype)
        assert made.numpy().tobytes() == same((30, 20), dtype).tobytes()


@pytest.mark.parametrize(("init", "same"), DRAWN, ids=lambda init: repr(init)[:40])
def test_configs_come_back(init: Any, same: vs.Initializer) -> None:
    """If this fails an initializer that went through JSON, a pickle or another process draws other values."""
    config = json.loads(json.dumps(init.get_config()))
    expected = same((5, 4), init.dtype).tobytes()
    for copy in (
        type(init).from_config(config),
        initializers.deserialize(json.loads(json.dumps(initializers.serialize(init)))),
        initializers.deserialize(initializers.serialize(init, use_legacy_format=True)),
        initializers.get({"class_name": type(init).__name__, "config": config}),
        pickle.loads(pickle.dumps(init)),
    ):
        assert isinstance(init, type(copy))
        assert copy.get_config() == init.get_config()
        assert copy((5, 4)).numpy().tobytes() == expected
    # TensorFlow's class reads it too: it has no keys but TensorFlow's.
    theirs = next(base for base in type(init).__mro__ if base.__module__.endswith("init_ops"))
    assert isinstance(init, type(theirs.from_config(config)))


def test_configs_of_embedded_values() -> None:
    """If this fails `embed` is lost in a config, or stands where TensorFlow's classes do not know it."""
    init = initializers.he_normal(7, embed=True)
    assert init.get_config() == {"seed": 7, "embed": True}
    assert type(init).from_config(init.get_config()).embed is True
    assert initializers.he_normal(7).get_config() == {"seed": 7}


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("lecun_normal", initializers.LecunNormal),
        ("LecunNormal", initializers.LecunNormal),
        ("glorot_uniform_initializer", initializers.GlorotUniform),
        ("normal", initializers.RandomNormal),
        ("uniform", initializers.RandomUniform),
        ("uniform_unit_scaling", initializers.UniformUnitScaling),
        ("variance_scaling", initializers.VarianceScaling),
        ("zeros", v1.zeros_initializer),
        ("one", v1.ones_initializer),
        (initializers.HeNormal, initializers.HeNormal),
    ],
)
def test_get(name: Any, cls: type) -> None:
    """If this fails a name or a class means another initializer than in Keras."""
    assert type(initializers.get(name)) is cls
    init = initializers.he_normal(3)
    assert initializers.get(init) is init
    assert initializers.get(None) is initializers.serialize(None) is initializers.deserialize(None) is None


def test_custom_objects_come_first() -> None:
    """If this fails a user's class is not found, or ours is taken for it."""

    class HeNormal:
        def __init__(self, seed: int) -> None:
            self.seed = seed

    said = {"class_name": "HeNormal", "config": {"seed": 3}}
    assert type(initializers.deserialize(said, {"HeNormal": HeNormal})) is HeNormal
    assert type(initializers.deserialize(said)) is initializers.HeNormal


def test_bad_arguments() -> None:
    """If this fails a wrong argument is found when a session runs, or not at all."""
    for call, error, text in (
        (lambda: initializers.lecun_normal(1.5), TypeError, "`seed` must be an integer, got 1.5"),
        (lambda: initializers.lecun_normal(vs.replay.tf1(3)), TypeError, "`seed` must be an integer"),
        (lambda: initializers.lecun_normal(embed=1), TypeError, "`embed` must be True or False, got 1"),
        (lambda: initializers.VarianceScaling(-1), ValueError, "`scale` must be a positive"),
        (lambda: initializers.VarianceScaling(mode="fan"), ValueError, "`mode` must be one of"),
        (lambda: initializers.RandomNormal(stddev=-1.0), ValueError, "`stddev` must be"),
        (lambda: initializers.RandomUniform(dtype=tf.int32), ValueError, "`dtype` must be a floating-point dtype"),
        (lambda: initializers.get("nothing"), ValueError, "`class_name` must be that of an initializer, got 'nothing'"),
        (lambda: initializers.get(3), TypeError, "`identifier` must be a name"),
        (lambda: initializers.serialize(initializers.HeNormal), TypeError, "`initializer` must be an initializer inst"),
        (lambda: initializers.deserialize({"config": {}}), TypeError, "`config` must be a mapping with `class_name`"),
        (lambda: initializers.deserialize({"class_name": "Zeros", "config": 3}), TypeError, "`config` of Zeros must"),
    ):
        with pytest.raises(error, match=text):
            call()
    # Attributes are TensorFlow's own, which may be set anew: a call reads them.
    init = initializers.RandomNormal(seed=7)
    init.stddev = 2.0
    assert np.array_equal(init((9,)).numpy(), vs.RandomNormal(0.0, 2.0, 7)((9,)))


def test_what_draws_nothing_is_tensorflows() -> None:
    """If this fails constants differ from those that the code has had."""
    for name in ("Zeros", "Ones", "Constant", "Identity", "zeros", "ones", "constant", "identity"):
        cls = getattr(initializers, name)
        assert cls is getattr(v1.initializers, name.lower())
    assert initializers.zeros_initializer is v1.zeros_initializer
    assert initializers.Initializer is BASE
    assert issubclass(initializers.LecunNormal, initializers.Initializer)


def test_names_say_where_users_find_them() -> None:
    """If this fails pickles, and what Keras writes, name a file of ours, which may move."""
    for name in initializers.__all__:
        thing = getattr(initializers, name)
        assert thing.__module__ in {"varscale.tf1", "tensorflow.python.ops.init_ops"}, name
        assert getattr(initializers, thing.__name__, thing) is thing
    assert {name for name in vars(initializers) if name[0] != "_"} - {"initializers"} == set(initializers.__all__)


def test_a_config_may_name_its_stream() -> None:
    """If this fails a config of a newer varscale makes other weights, or an error that says nothing."""
    config = vs.tf1.LecunNormal(7).get_config()
    assert vs.tf1.deserialize({"class_name": "LecunNormal", "config": {**config, "stream": 1}}).get_config() == config
    with pytest.raises(ValueError, match="`stream` must be 1, got 2, which needs a newer varscale"):
        vs.tf1.LecunNormal.from_config({**config, "stream": 2})
