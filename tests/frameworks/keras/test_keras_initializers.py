"""The initializers of `varscale.keras` in layers: names, streams by path, fans, seeds, dtypes. On any backend."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from typing import Any

import keras
import numpy as np
import pytest

import varscale as vs
from frameworks.values import ours, value
from process.child import run
from varscale._initializers import swapped
from varscale._initializers.builtin import Builtin

LEFT_OUT = {
    "Initializer": "the base class",
    "STFT": "nothing is drawn, and no layer trains it",
    "STFTInitializer": "STFT",
    "stft": "STFT",
    "deserialize": "a function",
    "get": "a function",
    "serialize": "a function",
}
THEIRS = sorted(name for name in dir(keras.initializers) if not name.startswith("_") and name not in LEFT_OUT)
DRAWN = ("LecunNormal", "GlorotUniform", "HeUniform", "VarianceScaling", "RandomNormal", "RandomUniform",
         "TruncatedNormal", "Orthogonal")  # fmt: skip


@pytest.mark.parametrize("name", THEIRS)
def test_every_name_has_keras_arguments_in_keras_order(name: str) -> None:
    """If this fails a user who changes the import alone has an error, or an argument for another."""
    theirs, own = getattr(keras.initializers, name), getattr(vs.keras, name)
    assert issubclass(own, keras.initializers.Initializer)
    assert issubclass(own, keras.initializers.VarianceScaling) == issubclass(theirs, keras.initializers.VarianceScaling)
    parameters = inspect.signature(own).parameters
    usual = [p for p in parameters.values() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert [(p.name, p.default) for p in usual] == [
        (p.name, p.default) for p in inspect.signature(theirs).parameters.values()
    ]
    assert {*parameters} - {p.name for p in usual} <= {"by_path"}
    assert name in vs.keras.__all__
    assert own.__module__ == "varscale.keras"
    assert own.__doc__
    assert keras.initializers.get(f"varscale>{own.__name__}").__class__ is own


@pytest.mark.parametrize("name", DRAWN)
def test_a_variable_draws_from_the_stream_of_its_path(name: str) -> None:
    """If this fails layers do not have NumPy's values, or one instance makes layers equal."""
    init = getattr(vs.keras, name)(seed=7)
    first, second = (keras.layers.Dense(8, kernel_initializer=init, name=name) for name in ("first", "second"))
    for layer in (first, second):
        layer.build((None, 16))
        assert value(layer.kernel).tobytes() == ours(name, f"{layer.name}/kernel", (16, 8)).tobytes()
    assert value(first.kernel).tobytes() != value(second.kernel).tobytes()
    assert value(init((16, 8))).tobytes() == getattr(vs, name)(seed=7)((16, 8)).tobytes()


def test_without_paths_values_are_the_plain_ones() -> None:
    """If this fails `by_path=False` does not make the values of the seed alone."""
    layer = keras.layers.Dense(8, kernel_initializer=vs.keras.HeNormal(7, by_path=False))
    layer.build((None, 16))
    assert value(layer.kernel).tobytes() == vs.he_normal(7)((16, 8)).tobytes()


class Late(keras.Model):
    """A model whose layers are built when it is called: in a stateless scope, which puts their values off."""

    def __init__(self, init: Any) -> None:
        super().__init__(name="late")
        self.dense = keras.layers.Dense(8, kernel_initializer=init, name="dense")
        self.lstm = keras.layers.LSTM(8, kernel_initializer=init, recurrent_initializer=init, name="lstm")

    def call(self, x: Any) -> Any:
        return self.lstm(self.dense(x))


def test_a_variable_that_is_initialised_late_draws_from_its_own_stream() -> None:
    """If this fails kernels of subclassed models are equal, or others than those of the same path."""
    model = Late(vs.keras.RandomNormal(seed=7))
    model(np.zeros((2, 5, 8), np.float32))
    drawn = {variable.path: value(variable) for variable in model.weights if variable.name != "bias"}
    assert [*drawn] == [
        "late/dense/kernel",
        "late/lstm/lstm_cell/kernel",
        "late/lstm/lstm_cell/recurrent_kernel",
    ]
    for path, array in drawn.items():
        assert array.tobytes() == ours("RandomNormal", path, array.shape).tobytes()


def test_nothing_is_drawn_for_a_tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a subclassed model makes each kernel twice, once to throw it away."""
    made = []
    real = Builtin.__call__
    monkeypatch.setattr(
        Builtin, "__call__", lambda self, shape, *a, **k: made.append(shape) or real(self, shape, *a, **k)
    )
    Late(vs.keras.HeNormal(7))(np.zeros((2, 5, 8), np.float32))
    assert sorted(made) == [(8, 8), (8, 32), (8, 32)]


@pytest.mark.parametrize("heads", [8, 2])
def test_attention_has_the_fans_of_its_axes(heads: int) -> None:
    """If this fails kernels of attention have 0.35 of their standard deviation, or q = k = v."""
    init = vs.keras.LecunNormal(7)
    layers = [
        keras.layers.MultiHeadAttention(8, 64, kernel_initializer=init, name="attention"),
        keras.layers.GroupQueryAttention(64, 8, heads, kernel_initializer=init, name="attention"),
    ]
    for layer in layers:
        layer.build((None, 10, 512), (None, 10, 512))
        kernels = {v.path: v for v in layer.weights if v.name == "kernel"}
        assert len(kernels) == 4
        for path, kernel in kernels.items():
            ins = (0, 1) if "output" in path else 0
            axes = {"in_axis": ins, "out_axis": tuple(range(3))[2 if ins else 1 :]}
            assert value(kernel).tobytes() == ours("LecunNormal", path, kernel.shape, **axes).tobytes()
            assert abs(value(kernel).std() * 512**0.5 - 1) < 0.02
        assert len({value(kernel).tobytes() for kernel in kernels.values()}) == 4


def test_given_axes_count_as_in_keras() -> None:
    """If this fails `input_axes` and `output_axes` mean other fans than in Keras."""
    init = vs.keras.GlorotUniform(7, [1], [2], by_path=False)
    made = value(init((64, 8, 4)))
    assert made.tobytes() == vs.glorot_uniform(7, fan_in=8, fan_out=4)((64, 8, 4)).tobytes()
    with pytest.raises(ValueError, match="must both be given, or neither"):
        vs.keras.GlorotUniform(7, [1])


def test_keras_random_seed_repeats_unseeded_layers() -> None:
    """If this fails `keras.utils.set_random_seed` does not repeat a model, or all of its layers are equal."""
    made = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        for _ in range(2):
            layer = keras.layers.Dense(8, kernel_initializer=vs.keras.HeNormal(), name="dense")
            layer.build((None, 16))
            made.append(value(layer.kernel).tobytes())
    assert made[:2] == made[2:4]
    assert len(set(made)) == 4
    init = vs.keras.HeNormal()
    assert value(init((4, 4))).tobytes() == vs.he_normal(init.seed)((4, 4)).tobytes()
    assert init.get_config()["seed"] is None, "as Keras does: a copy draws a seed of its own"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtypes(dtype: str) -> None:
    """If this fails a layer of another dtype has other values than NumPy's of that dtype."""
    layer = keras.layers.Dense(512, kernel_initializer=vs.keras.HeNormal(7), dtype=dtype, name="dense")
    layer.build((None, 256))
    assert layer.kernel.dtype == dtype
    expected = vs.he_normal(7).fold_in("dense/kernel")((256, 512), dtype).astype(np.float32)
    assert np.array_equal(value(keras.ops.cast(layer.kernel, "float32")), expected)


def test_a_call_without_a_dtype_is_of_floatx() -> None:
    """If this fails `floatx` does not count."""
    assert keras.backend.standardize_dtype(vs.keras.HeNormal(7)((4, 4)).dtype) == "float32"
    keras.config.set_floatx("float16")
    try:
        for init in (vs.keras.HeNormal(7), vs.keras.Zeros(), vs.keras.Constant(2)):
            assert keras.backend.standardize_dtype(init((4, 4)).dtype) == "float16"
    finally:
        keras.config.set_floatx("float32")


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        (vs.keras.Zeros(), keras.initializers.Zeros()),
        (vs.keras.Ones(), keras.initializers.Ones()),
        (vs.keras.Identity(), keras.initializers.Identity()),
        (vs.keras.Constant(0.5), keras.initializers.Constant(0.5)),
        (vs.keras.Constant([1, 2, 3, 4]), keras.initializers.Constant([1, 2, 3, 4])),
        (vs.keras.Constant(np.arange(12.0).reshape(3, 4)), keras.initializers.Constant(np.arange(12.0).reshape(3, 4))),
    ],
    ids=repr,
)
def test_what_draws_nothing_equals_keras(own: Any, theirs: Any) -> None:
    """If this fails a constant has other values than Keras', or its config does not bring it back."""
    for dtype in ("float32", "float16", "int32"):
        if dtype != "int32" or (not isinstance(own, vs.keras.Identity) and getattr(own, "value", 0) != 0.5):
            assert value(own((3, 4), dtype)).tobytes() == value(theirs((3, 4), dtype)).tobytes()
    for config in (own.get_config(), theirs.get_config()):
        assert value(type(own).from_config(config)((3, 4))).tobytes() == value(own((3, 4))).tobytes()
    assert value(type(theirs).from_config(own.get_config())((3, 4))).tobytes() == value(own((3, 4))).tobytes()


class ByHand(keras.layers.Layer):
    """A layer that calls its initializer for no variable."""

    def build(self, shape: Any) -> None:
        self.kernel = keras.Variable(self.init((4, 4)), name="kernel")


def test_a_call_by_a_layer_for_no_variable_is_an_error() -> None:
    """If this fails two such layers are equal in silence."""
    layer = ByHand(name="by_hand")
    layer.init = vs.keras.HeNormal(7)
    with pytest.raises(ValueError, match="called for a variable, got a call by the layer 'by_hand'"):
        layer.build(None)
    layer.init = vs.keras.HeNormal(7, by_path=False)
    layer.build(None)


def test_copies_and_reprs() -> None:
    """If this fails an initializer does not survive `clone`, a copy or a pickle."""
    init = vs.keras.VarianceScaling(2.0, "fan_out", "uniform", 7)
    for twin in (init.clone(), copy.deepcopy(init), pickle.loads(pickle.dumps(init))):
        assert type(twin) is vs.keras.VarianceScaling
        assert repr(twin) == repr(init)
        assert value(twin((4, 4))).tobytes() == vs.VarianceScaling(2.0, "fan_out", "uniform", 7)((4, 4)).tobytes()


def test_configs_have_keras_keys() -> None:
    """If this fails a file cannot be opened where varscale is not installed."""
    for name in THEIRS:
        theirs, own = getattr(keras.initializers, name)(), getattr(vs.keras, name)()
        # Keras' own loses the gain of Identity, but takes one.
        assert own.get_config() == ({"gain": 1.0} if "dentity" in name else theirs.get_config())
    assert vs.keras.HeNormal(7, by_path=False).get_config()["by_path"] is False


@pytest.mark.parametrize("seed", [1.5, "7", True, keras.random.SeedGenerator(1)])
def test_bad_seeds(seed: Any) -> None:
    """If this fails a seed is misread, or a generator counts once."""
    with pytest.raises(TypeError, match="`seed` must be an integer"):
        vs.keras.HeNormal(seed)


def test_replays_are_refused() -> None:
    """If this fails a replay is lost when the model is saved."""
    with pytest.raises(ValueError, match="give that layer the plain initializer"):
        vs.keras.HeNormal(vs.replay.keras(7, backend="jax"))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: vs.keras.VarianceScaling(-1.0), "`scale` must be"),
        (lambda: vs.keras.VarianceScaling(mode="fan_geo_avg"), "`mode` must be"),
        (lambda: vs.keras.VarianceScaling(distribution="x"), "`distribution` must be"),
        (lambda: vs.keras.RandomUniform(1.0, 0.0), "`minval` must not be greater"),
        (lambda: vs.keras.HeNormal(7, by_path=None), "`by_path` must be"),
        (lambda: vs.keras.Orthogonal(seed=7)((4,)), "`shape` must have two axes"),
    ],
)
def test_bad_arguments(make: Any, error: str) -> None:
    """If this fails a bad argument is found late, or never."""
    with pytest.raises((TypeError, ValueError), match=error):
        make()


def test_a_plain_initializer_in_a_layer_warns_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails users do not learn that Keras swaps plain objects when it loads a model."""
    monkeypatch.setattr(swapped, "_warned", set())
    with pytest.warns(UserWarning, match=r"keras loads and clones HeNormal.*`varscale.keras`"):
        keras.layers.Dense(8, kernel_initializer=vs.he_normal(7)).build((None, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras.layers.Dense(8, kernel_initializer=vs.he_normal(7)).build((None, 4))
        monkeypatch.setattr(swapped, "_warned", set())
        vs.he_normal(7)((3, 4))
        keras.layers.Dense(8, kernel_initializer=vs.keras.HeNormal(7)).build((None, 4))


def test_an_older_keras_is_refused() -> None:
    """If this fails attention has other fans in silence, under a Keras that tells its axes to no initializer."""
    older = "class VarianceScaling: pass\nkeras.initializers.VarianceScaling = VarianceScaling"
    done = run(f"import keras\n{older}\nimport varscale.keras", timeout=240)
    assert "ImportError: `varscale.keras` needs Keras 3.15 or later, got" in done.stderr
