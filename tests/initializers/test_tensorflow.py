"""The TensorFlow page, case by case: what tf.compat.v1.keras.initializers does, and where varscale means to differ.

The facts were measured with TensorFlow 2.21.0 and tf_keras 2.21.0 (TF_USE_LEGACY_KERAS=1, classes of
tf_keras.src.initializers.initializers_v1) on Linux.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import varscale as vs

# Constructors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "positional"),
    [
        (
            vs.VarianceScaling,
            {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "seed": None, "dtype": "float32"},
        ),
        *((cls, {"seed": None}) for cls in (vs.lecun_normal, vs.lecun_uniform, vs.he_normal, vs.he_uniform)),
        *((cls, {"seed": None}) for cls in (vs.glorot_normal, vs.glorot_uniform)),
        (vs.RandomNormal, {"mean": 0.0, "stddev": 0.05, "seed": None, "dtype": "float32"}),
        (vs.TruncatedNormal, {"mean": 0.0, "stddev": 0.05, "seed": None, "dtype": "float32"}),
        (vs.RandomUniform, {"minval": -0.05, "maxval": 0.05, "seed": None, "dtype": "float32"}),
        (vs.Identity, {"gain": 1.0, "dtype": "float32"}),
        (vs.Zeros, {"dtype": "float32"}),
        (vs.Ones, {"dtype": "float32"}),
        (vs.Constant, {"value": 0, "dtype": "float32", "verify_shape": False}),
        (vs.normal, {"mean": 0.0, "stddev": 0.05, "seed": None, "dtype": "float32"}),
        (vs.uniform, {"minval": -0.05, "maxval": 0.05, "seed": None, "dtype": "float32"}),
        (vs.UniformUnitScaling, {"factor": 1.0, "seed": None, "dtype": "float32"}),
    ],
)
def test_positional_arguments_and_defaults(cls: type, positional: dict[str, object]) -> None:
    """If this fails a call written for TensorFlow sets another argument.

    TensorFlow's glorot takes a second one, `dtype`, and ignores it; here it is by keyword and counts.
    """
    parameters = inspect.signature(cls).parameters.values()
    found = {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    assert list(found.items()) == list(positional.items())


def test_call_takes_the_pages_arguments_by_position() -> None:
    """If this fails `init(shape, dtype, partition_info)` does not work as on the page."""
    parameters = list(inspect.signature(vs.lecun_normal.__call__).parameters.values())[1:]
    assert [(p.name, p.default) for p in parameters[:3]] == [
        ("shape", inspect.Parameter.empty),
        ("dtype", None),
        ("partition_info", None),
    ]
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters[3:])


PRESETS = [
    (vs.lecun_normal, 1.0, "fan_in", "truncated_normal"),
    (vs.lecun_uniform, 1.0, "fan_in", "uniform"),
    (vs.glorot_normal, 1.0, "fan_avg", "truncated_normal"),
    (vs.glorot_uniform, 1.0, "fan_avg", "uniform"),
    (vs.he_normal, 2.0, "fan_in", "truncated_normal"),
    (vs.he_uniform, 2.0, "fan_in", "uniform"),
]


@pytest.mark.parametrize(("cls", "scale", "mode", "distribution"), PRESETS)
def test_presets_are_variance_scalings(cls: type, scale: float, mode: str, distribution: str) -> None:
    """If this fails a preset has another scale, mode or distribution than TensorFlow's, or other values."""
    init = cls(3)
    assert isinstance(init, vs.VarianceScaling)
    assert (init.scale, init.mode, init.distribution, init.seed, init.dtype) == (
        scale,
        mode,
        distribution,
        3,
        "float32",
    )
    general = vs.VarianceScaling(scale, mode, distribution, 3)
    for shape in ((), (5,), (3, 4), (3, 3, 8, 16)):
        assert init(shape).tobytes() == general(shape).tobytes()
        assert init.describe(shape) == general.describe(shape)


@pytest.mark.parametrize(("cls", "scale", "mode", "distribution"), PRESETS)
def test_preset_docs_are_their_own(cls: type, scale: float, mode: str, distribution: str) -> None:
    """If this fails a preset is documented as another one."""
    assert f'VarianceScaling({scale}, "{mode}", "{distribution}", seed, dtype)' in cls.__doc__
    assert ("uniform values" in cls.__doc__) == (distribution == "uniform")
    assert cls.__doc__.startswith(cls.__name__.replace("Normal", " normal").replace("Uniform", " uniform"))


def test_distribution_words() -> None:
    """If this fails the words are case-sensitive, or 'normal' is not truncated; the config says the canonical word."""
    for word in ("normal", "Normal", "TRUNCATED_NORMAL", "truncated_normal"):
        init = vs.VarianceScaling(distribution=word, seed=1)
        assert init.distribution == init.get_config()["distribution"] == "truncated_normal"
        assert init((3, 4)).tobytes() == vs.lecun_normal(1)((3, 4)).tobytes()
    assert vs.VarianceScaling(distribution="UNIFORM").distribution == "uniform"
    assert vs.VarianceScaling(distribution="Untruncated_Normal").distribution == "untruncated_normal"
    assert np.abs(vs.VarianceScaling(1.0, "fan_in", "untruncated_normal", 1)((1, 10**5))).max() > 3


def test_order_of_checks() -> None:
    """If this fails another argument is blamed than in TensorFlow: scale, mode, distribution, dtype, in this order."""
    for arguments, blamed in (
        ((-1, "x", "x", None, "int32"), "scale"),
        ((1, "x", "x", None, "int32"), "mode"),
        ((1, "fan_in", "x", None, "int32"), "distribution"),
        ((1, "fan_in", "uniform", None, "int32"), "dtype"),
    ):
        with pytest.raises(ValueError, match=f"^`{blamed}`"):
            vs.VarianceScaling(*arguments)  # type: ignore[arg-type]


# Where TensorFlow differs and varscale means to: (what, TensorFlow, ours) -------------------------------------------


def test_we_refuse_what_tensorflow_lets_pass() -> None:
    """If this fails NaN and infinite scales, bool scales, float seeds, negative stddevs and swapped bounds pass."""
    for call, error in (
        (lambda: vs.VarianceScaling(float("nan")), ValueError),
        (lambda: vs.VarianceScaling(float("inf")), ValueError),
        (lambda: vs.VarianceScaling(True), TypeError),
        (lambda: vs.lecun_normal(1.5), TypeError),  # type: ignore[arg-type]
        (lambda: vs.lecun_normal("3"), TypeError),  # type: ignore[arg-type]
        (lambda: vs.RandomNormal(0.0, -1.0), ValueError),
        (lambda: vs.RandomUniform(1.0, -1.0), ValueError),
    ):
        with pytest.raises(error):
            call()


def test_we_take_what_tensorflow_refuses() -> None:
    """If this fails presets cannot have a dtype, or stay float32 whatever is asked (TensorFlow's glorot)."""
    assert vs.lecun_normal(1, dtype="float16")((2, 2)).dtype == np.float16
    assert vs.glorot_normal(1, dtype="float64")((2, 2)).dtype == np.float64
    assert vs.lecun_normal.from_config({"seed": 1, "dtype": "float16"}) == vs.lecun_normal(1, dtype="float16")


def test_a_seeded_call_repeats() -> None:
    """If this fails a second call continues the stream, as TensorFlow's eager mode does and its graphs do not."""
    init = vs.lecun_normal(3)
    assert init((4, 4)).tobytes() == init((4, 4)).tobytes() == vs.lecun_normal(3)((4, 4)).tobytes()


def test_seeds_are_whole_integers() -> None:
    """If this fails seeds are reduced modulo 2^31 - 1, as TensorFlow reduces them."""
    assert vs.lecun_normal(0)((8,)).tobytes() != vs.lecun_normal(2**31 - 1)((8,)).tobytes()
    assert vs.lecun_normal(-1)((8,)).tobytes() != vs.lecun_normal(2**31 - 2)((8,)).tobytes()


def test_16_bit_scales_are_not_rounded_first() -> None:
    """If this fails bfloat16 weights have TensorFlow's 0.3 % too small or large standard deviation."""
    init = vs.VarianceScaling(1.0, "fan_in", "untruncated_normal", 1, "bfloat16")
    x = init((1000, 4000)).astype(np.float64)
    assert abs(x.std() * np.sqrt(1000) - 1) < 1e-3


def test_one_seed_gives_proportional_values() -> None:
    """If this fails the README's warning is wrong: equal seed, law and shape mean equal standard values."""
    a, b = vs.lecun_normal(1)((64, 32)), vs.he_normal(1)((64, 32))
    assert np.allclose(b, a * np.sqrt(2), rtol=1e-6)
