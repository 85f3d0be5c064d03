"""Configs: TensorFlow's keys, three dialects, names, classes, and everything back again."""

from __future__ import annotations

import copy
import json
import pickle
import sys

import numpy as np
import pytest

import varscale as vs

DEFAULTS = [
    (
        vs.VarianceScaling(),
        {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "seed": None, "dtype": "float32"},
    ),
    *((cls(), {"seed": None}) for cls in (vs.lecun_normal, vs.lecun_uniform, vs.he_normal, vs.he_uniform)),
    *((cls(5), {"seed": 5}) for cls in (vs.glorot_normal, vs.glorot_uniform)),
    (vs.RandomNormal(), {"mean": 0.0, "stddev": 0.05, "seed": None, "dtype": "float32"}),
    (vs.TruncatedNormal(), {"mean": 0.0, "stddev": 0.05, "seed": None, "dtype": "float32"}),
    (vs.RandomUniform(), {"minval": -0.05, "maxval": 0.05, "seed": None, "dtype": "float32"}),
    (vs.Orthogonal(), {"gain": 1.0, "seed": None, "dtype": "float32"}),
    (vs.DeltaOrthogonal(), {"gain": 1.0, "seed": None, "dtype": "float32"}),
    (vs.Constant(), {"value": 0, "dtype": "float32"}),
    (vs.Zeros(), {"dtype": "float32"}),
    (vs.Ones(), {"dtype": "float32"}),
    (vs.Identity(), {"gain": 1.0, "dtype": "float32"}),
    (vs.Dirac(), {"dtype": "float32"}),
    (vs.Bilinear(), {"dtype": "float32"}),
    (vs.Sparse(0.5), {"sparsity": 0.5, "stddev": 0.01, "seed": None, "dtype": "float32"}),
    (vs.UniformUnitScaling(), {"factor": 1.0, "seed": None, "dtype": "float32"}),
]

OTHERS = [
    vs.VarianceScaling(np.float32(2), "fan_geo_avg", "Uniform", np.int64(-3), np.float16, in_axis=(0, 1), out_axis=2),
    vs.VarianceScaling(batch_axis=[0]).fold_in("a", -1, ""),
    vs.lecun_normal(2**70, dtype="bfloat16", in_axis=1, out_axis=0),
    vs.he_uniform().fold_in("encoder", 0, "kernel"),
    vs.RandomNormal(1, 2, 3, "float64").fold_in(1),
    vs.TruncatedNormal(0, 1, 4, lower=-np.inf, upper=0.5),
    vs.RandomUniform(-1, 1),
    vs.Orthogonal(np.float32(2), np.int64(3), "float64", axis=0, blocks=np.int8(4)).fold_in("gates"),
    vs.Constant([[1, 2], [3, 4]], "int32"),
    vs.Constant(np.float64(2.5), np.float64),
    vs.Constant(True, bool),
    vs.Constant(1.5, "complex64"),
    vs.Zeros("float8_e4m3fn"),
    vs.Identity(-2, "float64"),
    vs.Constant([1, 2], verify_shape=True),
    vs.Dirac(np.int8(2), "bool", layout="torch"),
    vs.Bilinear("bfloat16", layout="mlx"),
    vs.UniformUnitScaling(1.43, 5, in_axis=1, out_axis=0).fold_in("a"),
    vs.VarianceScaling(fan_in=64, fan_out=np.float32(2.5)),
    vs.glorot_normal(fan_out=np.int64(3)),
    vs.VarianceScaling(gain="gelu", seed=3, lower=-np.inf, upper=np.float32(1.5)),
    vs.deepnorm(vs.xavier_normal(in_axis=1, out_axis=0), 24).fold_in("fc1"),
]
ALL = [init for init, _ in DEFAULTS] + OTHERS


@pytest.mark.parametrize(("init", "config"), DEFAULTS, ids=repr)
def test_default_configs_are_tensorflows(init: vs.Initializer, config: dict[str, object]) -> None:
    """If this fails a config has keys, an order or a word that TensorFlow 1's does not have."""
    assert list(init.get_config().items()) == list(config.items())


@pytest.mark.parametrize("init", ALL, ids=repr)
def test_every_way_there_and_back(init: vs.Initializer) -> None:
    """If this fails an initializer that was saved, copied, sent or printed comes back as another."""
    config = init.get_config()
    ways = [
        type(init).from_config(config),
        type(init).from_config(json.loads(json.dumps(config))),
        vs.deserialize(vs.serialize(init)),
        vs.get(vs.serialize(init)),
        copy.copy(init),
        copy.deepcopy(init),
        eval(repr(init), {**vars(vs), "inf": np.inf}),
        *(pickle.loads(pickle.dumps(init, protocol)) for protocol in range(2, 6)),
    ]
    for other in ways:
        assert other == init
        assert type(other) is type(init)
        assert hash(other) == hash(init)
        assert repr(other) == repr(init)
    if getattr(init, "seed", None) is not None:
        assert all(other((4, 3, 2)).tobytes() == init((4, 3, 2)).tobytes() for other in ways)


def test_initializers_that_differ_are_unequal() -> None:
    """If this fails equality forgets a parameter, a path or the class."""
    assert len(set(ALL)) == len(ALL)
    assert vs.lecun_normal(1) != vs.lecun_normal(1).fold_in("a")
    assert vs.lecun_normal(1) != vs.VarianceScaling(seed=1)
    assert vs.lecun_normal(1) != "lecun_normal"


def test_the_pages_own_example() -> None:
    """If this fails the example of TensorFlow's page does not run."""
    initializer = vs.RandomUniform(-1, 1)
    config = initializer.get_config()
    initializer = vs.RandomUniform.from_config(config)
    assert initializer == vs.RandomUniform(-1.0, 1.0)
    assert config == {"minval": -1.0, "maxval": 1.0, "seed": None, "dtype": "float32"}


@pytest.mark.parametrize(
    ("cls", "config", "message"),
    [
        (vs.lecun_normal, {"seed": 1, "scale": 2.0}, r"unknown keys \['scale'\]"),
        (vs.VarianceScaling, {"sclae": 2.0, "moed": "fan_in"}, r"unknown keys \['sclae', 'moed'\]"),
        (vs.Zeros, {"value": 1}, r"unknown keys \['value'\]"),
        (vs.RandomNormal, {"input_axes": None}, r"unknown keys \['input_axes'\]"),
        (vs.lecun_normal, [("seed", 1)], "must be a mapping"),
        (vs.lecun_normal, None, "must be a mapping"),
    ],
)
def test_unknown_keys_are_named(cls: type[vs.Initializer], config: object, message: str) -> None:
    """If this fails a misspelt key is silently dropped."""
    with pytest.raises(TypeError, match=message):
        cls.from_config(config)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["abc", {"a": 1}, 5, None, b"ab", {"a"}, iter("ab"), range(2), np.arange(2)], ids=repr)
def test_a_path_is_a_list(path: object) -> None:
    """If this fails a string is folded in letter by letter, or a path that is no path at all is left out."""
    for init in (vs.lecun_normal(1), vs.RandomNormal()):
        with pytest.raises(TypeError, match="`path` must be a list of strings and integers, got "):
            type(init).from_config({**init.get_config(), "path": path})
    assert vs.lecun_normal.from_config({"path": []}) == vs.lecun_normal()


def abstract() -> set[str]:
    """The classes of the package that are initializers but cannot be called."""
    found, left = {vs.Initializer}, [vs.Initializer]
    while left:
        left += {cls for cls in left.pop().__subclasses__() if cls._is_ours() and cls not in found}
        found |= {*left}
    return {cls.__name__ for cls in found if cls.__name__ not in vs.__all__} | {"Initializer"}


@pytest.mark.parametrize("name", sorted(abstract()))
def test_abstract_classes_are_no_initializers(name: str) -> None:
    """If this fails a config makes an object that fails only when it is called."""
    assert len(abstract()) > 4
    ours = [module for module in sys.modules if module.partition(".")[0] == "varscale"]
    theirs = ("keras", "keras.initializers", "tensorflow", "tf_keras", "builtins")
    for module in (*ours, None, "varscale._presets", *theirs):
        for config in ({}, None, {"seed": 1}):
            with pytest.raises(ValueError, match="`class_name` must be that of an initializer"):
                vs.get({"class_name": name, "module": module, "config": config})


def test_get_knows_names_in_both_cases() -> None:
    """If this fails a name that TensorFlow, Keras, JAX or PyTorch users write is not found."""
    pairs = {
        "LecunNormal": "lecun_normal",
        "LecunUniform": "lecun_uniform",
        "GlorotNormal": "glorot_normal",
        "GlorotUniform": "glorot_uniform",
        "HeNormal": "he_normal",
        "HeUniform": "he_uniform",
        "XavierNormal": "xavier_normal",
        "XavierUniform": "xavier_uniform",
        "KaimingNormal": "kaiming_normal",
        "KaimingUniform": "kaiming_uniform",
        "RandomNormal": "random_normal",
        "TruncatedNormal": "truncated_normal",
        "RandomUniform": "random_uniform",
        "Constant": "constant",
        "Zeros": "zeros",
        "Ones": "ones",
        "Identity": "identity",
        "Dirac": "dirac",
        "Bilinear": "bilinear",
        "UniformUnitScaling": "uniform_unit_scaling",
        "VarianceScaling": "variance_scaling",
    }
    for camel, snake in pairs.items():
        assert vs.get(camel) == vs.get(snake) == vs.deserialize({"class_name": snake, "config": {}})
        assert getattr(vs, camel) is getattr(vs, snake)
    assert vs.get("normal") == vs.RandomNormal()
    assert vs.get("uniform") == vs.RandomUniform()
    assert (vs.normal, vs.uniform, vs.sparse) == (vs.RandomNormal, vs.RandomUniform, vs.Sparse)
    assert vs.get({"class_name": "sparse", "config": {"sparsity": 0.5}}) == vs.Sparse(0.5)
    assert (vs.get("one"), vs.get("zero")) == (vs.Ones(), vs.Zeros())
    assert vs.xavier_normal is vs.glorot_normal
    assert vs.kaiming_uniform is vs.he_uniform


def test_get_takes_everything_else_too() -> None:
    """If this fails a layer cannot pass on whatever it was given."""
    init = vs.lecun_normal(1)
    assert vs.get(None) is vs.serialize(None) is vs.deserialize(None) is None
    assert vs.get(init) is init
    assert vs.get(len) is len
    assert vs.get(vs.lecun_normal) == vs.lecun_normal()
    keras = {
        "module": "keras.initializers",
        "class_name": "LecunNormal",
        "config": {"seed": 1},
        "registered_name": None,
    }
    assert vs.get(keras) == init
    assert vs.get({"class_name": "LecunNormal", "config": None}) == vs.lecun_normal()
    assert vs.serialize(init)["module"] == "varscale"


@pytest.mark.parametrize(
    ("module", "known"),
    [
        ("varscale", True),
        ("keras.initializers", True),
        ("keras.src.initializers.random_initializers", True),
        ("tf_keras.initializers", True),
        ("tensorflow.python.ops.init_ops", True),
        ("kerasish", False),
        ("my_project.initializers", False),
    ],
)
def test_modules_of_the_frameworks_are_known(module: str, known: bool) -> None:
    """If this fails a config of Keras 2 or 3 cannot be read, or somebody else's class is taken for ours."""
    config = {"module": module, "class_name": "LecunNormal", "config": {"seed": 1}, "registered_name": None}
    if known:
        assert vs.deserialize(config) == vs.lecun_normal(1)
    else:
        with pytest.raises(ValueError, match=f"of the module '{module}'"):
            vs.deserialize(config)


@pytest.mark.parametrize(
    ("identifier", "error"),
    [
        ("lecun", ValueError),
        ("", ValueError),
        ("LECUN_NORMAL", ValueError),
        ("Sampled", ValueError),
        ("Preset", ValueError),
        ({}, ValueError),
        ({"config": {}}, ValueError),
        ({"class_name": 3}, ValueError),
        ({"class_name": "LecunNormal", "module": "elsewhere"}, ValueError),
        (3, TypeError),
        ([1], TypeError),
    ],
)
def test_get_refuses_what_it_does_not_know(identifier: object, error: type[Exception]) -> None:
    """If this fails a misspelt name becomes something else."""
    with pytest.raises(error, match=r"unknown initializer|class_name|`identifier`"):
        vs.get(identifier)


def test_only_instances_are_serialized() -> None:
    """If this fails a class or a function is saved as something that cannot be loaded."""
    for bad in (vs.lecun_normal, len, "lecun_normal", 3):
        with pytest.raises(TypeError, match="must be an initializer instance"):
            vs.serialize(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("init", ALL, ids=repr)
def test_initializers_are_immutable(init: vs.Initializer) -> None:
    """If this fails a shared initializer can be changed under somebody's feet."""
    for name in (*init.get_config(), "seed", "scale", "mode", "anything"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(init, name, 1)
        with pytest.raises(AttributeError):
            delattr(init, name)
