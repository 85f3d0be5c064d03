"""Rules of depth and width: what they multiply by, what they keep, and what they refuse."""

from __future__ import annotations

from functools import partial
from math import inf, sqrt
from typing import Any

import numpy as np
import pytest

import varscale as vs

GPT2 = vs.RandomNormal(0.0, 0.02)
XAVIER = vs.xavier_normal()

FACTORS = [
    (partial(vs.residual, layers=12), 1 / sqrt(24)),
    (partial(vs.depth_scaled, layer=0), 1 / sqrt(2)),
    (partial(vs.depth_scaled, layer=np.int64(7)), 1 / 4),
    (partial(vs.deepnorm, layers=32), 1 / 4),
    (partial(vs.deepnorm, layers=18, decoder_layers=6), 0.87 * (18**4 * 6) ** (-1 / 16)),
    (partial(vs.deepnorm, layers=6, encoder_layers=18), (12 * 6) ** (-1 / 4)),
]
MUP = [(partial(vs.mup, width_mult=4), 1 / 2), (partial(vs.mup, width_mult=0.25), 2.0)]
INITIALIZERS = [
    vs.RandomNormal(0.0, 0.02, 3, "float64").fold_in("w"),
    vs.TruncatedNormal(0.0, 0.02, 3, lower=-1.0, upper=inf),
    vs.RandomUniform(-0.5, 0.5, 3, "float16"),
    vs.Zeros("int8"),
    vs.Identity(2.0, "float64"),
    vs.Sparse(0.5, 0.02, 3),
    vs.Pieces([(..., vs.RandomNormal()), (0, vs.Zeros())], 3).fold_in(1),
]
SCALED = [
    vs.lecun_normal(3, in_axis=1, out_axis=0).fold_in("w", 0),
    vs.he_uniform(3, dtype="bfloat16", fan_in=10),
    vs.VarianceScaling(2.0, "fan_avg", seed=3, lower=-1.0, upper=3.0),
    vs.Pieces([(..., vs.he_normal())], 3),
    vs.UniformUnitScaling(1.43, 3),
    vs.Orthogonal(0.7, 3, axis=0, blocks=2).fold_in("w"),
    vs.DeltaOrthogonal(2.0, 3),
]


def shape_of(init: vs.Initializer) -> tuple[int, ...]:
    """A shape that the initializer makes: a vector where those are a case of their own."""
    return {vs.DeltaOrthogonal: (3, 6, 8), vs.UniformUnitScaling: (5,)}.get(type(init), (6, 8))


@pytest.mark.parametrize("init", [*INITIALIZERS, *SCALED], ids=repr)
@pytest.mark.parametrize(("rule", "factor"), [*FACTORS, *MUP], ids=str)
def test_values_are_multiplied(rule: Any, factor: float, init: Any) -> None:
    """If this fails a layer has another scale than its rule says, or the stream of another one."""
    if rule.func is vs.mup and init in SCALED:
        return  # refused, see below
    made = rule(init)
    shape = shape_of(init)
    values, before = (np.asarray(each(shape, "float64")) for each in (made, init))
    np.testing.assert_allclose(values, before * factor, rtol=1e-12)
    again = vs.deserialize(vs.serialize(made))
    assert again == made
    assert (np.asarray(again(shape, "float64")) == values).all()
    kept = (
        "seed",
        "_path",
        "dtype",
        "in_axis",
        "out_axis",
        "batch_axis",
        "fan_in",
        "fan_out",
        "lower",
        "upper",
        "axis",
    )
    assert [getattr(made, name, None) for name in kept] == [getattr(init, name, None) for name in kept]


def test_known_answers() -> None:
    """If this fails a rule is not bit for bit the one that GPT-2's, torchtitan's and Megatron-LM's code computes."""
    assert vs.residual(GPT2, 12) == vs.RandomNormal(0.0, 0.02 / sqrt(2 * 12))
    assert vs.depth_scaled(GPT2, 3) == vs.RandomNormal(0.0, 0.02 / sqrt(2 * (3 + 1)))
    assert vs.mup(GPT2, 4) == vs.RandomNormal(0.0, 0.02 / sqrt(4))
    wide = vs.residual(vs.mup(GPT2, 4), 8)
    assert wide.stddev == pytest.approx(0.02 / (sqrt(2 * 8) * sqrt(4)), rel=1e-15)  # type: ignore[attr-defined]
    assert vs.residual(vs.lecun_normal(), 12) == vs.VarianceScaling(1 / 24)


def test_deepnorm_multiplies() -> None:
    """If this fails weights are divided by β, and a deep network starts 16 times too large."""
    assert vs.deepnorm(XAVIER, 32).describe((64, 64)).stddev == XAVIER.describe((64, 64)).stddev / 4


def test_what_was_drawn_is_forgotten() -> None:
    """If this fails a rule returns the tensor that the initializer made before."""
    for init in (*INITIALIZERS[:3], *SCALED):
        shape = shape_of(init)
        before = init(shape)
        assert (vs.residual(init, 50)(shape) != before).any()


@pytest.mark.parametrize("init", SCALED, ids=repr)
def test_the_scale_follows_the_width_already(init: Any) -> None:
    """If this fails the width counts twice, and hidden weights of a wide network start too small."""
    with pytest.raises(ValueError, match="`init` must have a scale that does not follow the width already, got "):
        vs.mup(init, 4)


class Mine(vs.RandomNormal):
    """A user's class, whose values its parameters need not say."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return super().__call__(*arguments, **named) + 1


@pytest.mark.parametrize(
    "init", [vs.Ones(), vs.Constant(2.0), vs.Dirac(), vs.LogUniform(), Mine(), None, "zeros", vs.Zeros], ids=repr
)
@pytest.mark.parametrize(("rule", "factor"), [*FACTORS, *MUP], ids=str)
def test_what_spreads_nothing_about_0(rule: Any, factor: float, init: Any) -> None:
    """If this fails the scale of a norm, or a class that we know nothing of, is silently multiplied."""
    with pytest.raises(TypeError, match="`init` must be an initializer of varscale that spreads values about 0, got "):
        rule(init)
    if isinstance(init, vs.Initializer) and not isinstance(init, Mine):
        with pytest.raises(TypeError, match="spreads values about 0"):
            rule(vs.Pieces([(..., init)]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: vs.residual(vs.RandomNormal(1.0), 2), ValueError, "`init` must have the mean 0, got RandomNormal"),
        (lambda: vs.mup(vs.TruncatedNormal(1.0), 2), ValueError, "`init` must have the mean 0"),
        (lambda: vs.residual(vs.RandomUniform(0.0, 1.0), 2), ValueError, "`init` must be uniform about 0"),
        (lambda: vs.residual(GPT2, 0), ValueError, r"`layers` must be from 1 to 2\^53 - 1, got 0"),
        (lambda: vs.residual(GPT2, 1.0), TypeError, "`layers` must be an integer"),  # type: ignore[arg-type]
        (lambda: vs.depth_scaled(GPT2, -1), ValueError, "`layer` must be from 0 to"),
        (lambda: vs.depth_scaled(GPT2, 10**400), ValueError, "`layer` must be from 0 to"),
        (lambda: vs.deepnorm(GPT2, 0), ValueError, "`layers` must be from 1"),
        (lambda: vs.deepnorm(GPT2, 2, encoder_layers=0), ValueError, "`encoder_layers` must be from 1"),
        (lambda: vs.deepnorm(GPT2, 2, decoder_layers=0), ValueError, "`decoder_layers` must be from 1"),
        (lambda: vs.deepnorm(GPT2, 2, encoder_layers=1, decoder_layers=1), ValueError, "must be None"),
        (lambda: vs.mup(GPT2, 0), ValueError, "`width_mult` must be a positive"),
        (lambda: vs.mup(vs.RandomNormal(0.0, 1e300), 1e-300), ValueError, "`stddev` must be a finite number"),
        (lambda: vs.residual(vs.VarianceScaling(5e-324), 1), ValueError, "`scale` must be a positive"),
        (lambda: vs.mup(vs.RandomUniform(-1e300, 1e300), 1e-300), ValueError, "`maxval` must be a finite"),
        (lambda: vs.mup(vs.Identity(1e300), 1e-300), ValueError, "`gain` must be a finite"),
    ],
)
def test_what_is_no_rule(call: Any, error: type[Exception], message: str) -> None:
    """If this fails a mean is kept or scaled by a guess, or weights start from 0 or infinity."""
    with pytest.raises(error, match=message):
        call()


def test_rules_of_a_model() -> None:
    """If this fails a model of rules is not what its names say."""
    model = vs.Model(
        {"wte.weight": (50, 8), "h.0.q.weight": (8, 8), "h.0.proj.weight": (8, 8)},
        [("*.proj.weight", vs.residual(vs.mup(GPT2, 4), 1)), ("h.*", vs.mup(GPT2, 4)), ("*", GPT2)],
        layout="torch",
    )
    found = [model[name].initializer.stddev for name in ("wte.weight", "h.0.q.weight", "h.0.proj.weight")]
    assert found == [0.02, 0.01, 0.01 / sqrt(2)]
