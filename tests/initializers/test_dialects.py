"""Dialects: configs that TensorFlow, Keras and TensorFlow.js wrote, now or years ago."""

from __future__ import annotations

import copy
import json

import pytest

import varscale as vs


@pytest.mark.parametrize(
    ("cls", "config", "expected"),
    [
        # TensorFlow 1
        (
            vs.VarianceScaling,
            {"scale": 2.0, "mode": "fan_out", "distribution": "normal", "seed": 3, "dtype": "float16"},
            vs.VarianceScaling(2.0, "fan_out", "truncated_normal", 3, "float16"),
        ),
        (vs.glorot_uniform, {"seed": 3, "dtype": "float32"}, vs.glorot_uniform(3)),
        (vs.lecun_normal, {"seed": 3}, vs.lecun_normal(3)),
        (vs.Zeros, {"dtype": "float64"}, vs.Zeros("float64")),
        # TensorFlow 2
        (
            vs.VarianceScaling,
            {"scale": 2.0, "mode": "fan_out", "distribution": "uniform", "seed": None},
            vs.VarianceScaling(2.0, "fan_out", "uniform"),
        ),
        (vs.RandomNormal, {"mean": 0.0, "stddev": 1.0, "seed": 2}, vs.RandomNormal(0.0, 1.0, 2)),
        (vs.Ones, {}, vs.Ones()),
        (vs.Constant, {"value": 2}, vs.Constant(2)),
        # Keras 3
        (vs.lecun_normal, {"seed": 3, "input_axes": None, "output_axes": None}, vs.lecun_normal(3)),
        (
            vs.VarianceScaling,
            {
                "seed": 1,
                "scale": 1.0,
                "mode": "fan_in",
                "distribution": "uniform",
                "input_axes": [0],
                "output_axes": [1, 2],
            },
            vs.VarianceScaling(1.0, "fan_in", "uniform", 1, in_axis=[0], out_axis=[1, 2], batch_axis="rest"),
        ),
        (vs.he_normal, {"seed": 1, "input_axes": [0], "output_axes": None}, vs.he_normal(1)),
        (vs.Identity, {}, vs.Identity()),
        (vs.RandomUniform, {"seed": 1, "minval": -1.0, "maxval": 1.0}, vs.RandomUniform(-1.0, 1.0, 1)),
    ],
)
def test_dialects(cls: type[vs.Initializer], config: dict[str, object], expected: vs.Initializer) -> None:
    """If this fails a config that TensorFlow or Keras wrote cannot be read, or the caller's dict is changed."""
    before = copy.deepcopy(config)
    assert cls.from_config(config) == expected
    assert config == before


KERAS_SEED = {
    "module": "keras.random",
    "class_name": "SeedGenerator",
    "config": {"seed": 5, "name": "seed_generator"},
    "registered_name": None,
}
"""A SeedGenerator, as Keras 3.15 writes it."""
TF_KERAS_SEED = KERAS_SEED | {"module": "keras.src.random.seed_generator", "config": {"seed": None}}


def constant(value: object) -> dict[str, object]:
    """The config of a constant."""
    return {"class_name": "Constant", "config": {"value": value}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        # tf_keras: a second name for every class
        *(
            ({"module": module, "class_name": f"{name}V2", "config": {}}, cls())
            for module in (None, "keras.initializers", "tf_keras.src.initializers.initializers")
            for name, cls in (
                *((cls.__name__, cls) for cls in (vs.GlorotUniform, vs.RandomNormal, vs.Zeros, vs.Identity)),
                ("lecun_normal", vs.LecunNormal),
            )
        ),
        # Keras 3, and Keras Core before it
        ({"class_name": "IdentityInitializer", "config": {"gain": 2.0}}, vs.Identity(2.0)),
        # the recurrent kernels of LSTMs and GRUs, in every version that has written them
        ("orthogonal", vs.Orthogonal()),
        ({"class_name": "Orthogonal", "config": {"gain": 1.0, "seed": None}}, vs.Orthogonal()),
        ({"class_name": "Orthogonal", "config": {"gain": 1.0, "seed": 3, "dtype": "float32"}}, vs.Orthogonal(1.0, 3)),
        ({"class_name": "OrthogonalV2", "config": {"gain": 1.1, "seed": None}}, vs.Orthogonal(1.1)),
        ({"module": "keras.initializers", "class_name": "OrthogonalInitializer", "config": {"seed": None, "gain": 1.0},
          "registered_name": None}, vs.Orthogonal()),
        ({"module": "keras.initializers", "class_name": "Orthogonal", "config": {"seed": KERAS_SEED, "gain": 1.0},
          "registered_name": None}, vs.Orthogonal(1.0, 5)),
        ({"className": "Orthogonal", "config": {"gain": 1, "seed": None}}, vs.Orthogonal()),
        ({"module": "keras_core.src.initializers", "class_name": "HeNormal", "config": {"seed": 1}}, vs.he_normal(1)),
        ({"module": "keras_core.initializers", "class_name": "Ones", "config": {}}, vs.Ones()),
        *(
            (constant({"class_name": kind, "config": inner}), vs.Constant([1.5, 2.0]))
            for kind in ("__numpy__", "__tensor__")
            for inner in ({"value": [1.5, 2.0], "dtype": "float64"}, {"value": [1.5, 2.0]})
        ),
        ({"class_name": "GlorotUniform", "config": {"seed": KERAS_SEED, "input_axes": None}}, vs.glorot_uniform(5)),
        ({"class_name": "RandomNormal", "config": {"seed": TF_KERAS_SEED}}, vs.RandomNormal()),
        # TensorFlow.js
        (
            {
                "className": "VarianceScaling",
                "config": {"scale": 2, "mode": "fanAvg", "distribution": "truncatedNormal", "seed": None},
            },
            vs.VarianceScaling(2.0, "fan_avg"),
        ),
        (
            {"class_name": "VarianceScaling", "config": {"scale": 1, "mode": "fanOut", "distribution": "normal"}},
            vs.VarianceScaling(1.0, "fan_out"),
        ),
        ({"className": "LeCunUniform", "config": {"mode": "fanIn"}}, TypeError),
        ({"className": "LeCunUniform", "config": {}}, vs.lecun_uniform()),
        *((name, cls()) for name, cls in (("leCunNormal", vs.lecun_normal), ("varianceScaling", vs.VarianceScaling),
                                          ("truncatedNormal", vs.TruncatedNormal), ("glorotUniform", vs.glorot_uniform),
                                          ("heNormal", vs.he_normal), ("randomUniform", vs.RandomUniform))),
        # what is none of these
        ({"module": "elsewhere", "class_name": "HeNormalV2", "config": {}}, ValueError),
        ("HeNormalV3", ValueError),
        ("V2", ValueError),
        ("Orthogonale", ValueError),
        ({"className": 3, "config": {}}, ValueError),
        ({"class_name": "HeNormal", "config": {"seed": KERAS_SEED | {"config": None}}}, TypeError),
        ({"class_name": "HeNormal", "config": {"seed": KERAS_SEED | {"config": {"seed": 1.5}}}}, TypeError),
        ({"class_name": "HeNormal", "config": {"seed": KERAS_SEED | {"config": {"state": 1}}}}, TypeError),
        (constant({"class_name": "__numpy__", "config": {"value": None}}), TypeError),
        (constant({"class_name": "__numpy__", "config": {"x": 1}}), TypeError),
        (constant({"class_name": "__other__", "config": {}}), TypeError),
    ],
)  # fmt: skip
def test_dialects_of_get(config: object, expected: object) -> None:
    """If this fails a config that a framework wrote, now or years ago, cannot be read, or is read as something else."""
    before = copy.deepcopy(config)
    if isinstance(expected, type):
        with pytest.raises(expected):
            vs.get(config)
    else:
        assert vs.get(config) == expected
        assert vs.get(json.loads(json.dumps(config))) == expected
    assert config == before


def test_a_users_class_comes_before_a_second_name() -> None:
    """If this fails a user's own class is replaced by one of ours, because its name ends in V2."""
    own = type("OnesV2", (vs.Initializer,), {"__module__": "somewhere"})
    assert type(vs.get("OnesV2")) is own
    assert vs.get({"module": "tf_keras.initializers", "class_name": "OnesV2"}) == vs.Ones()
    del vs.Initializer._registry["somewhere", "OnesV2"]
