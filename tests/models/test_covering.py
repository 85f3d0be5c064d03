"""Covering: one error for all that is uncovered, warnings for rules that match nothing, and users' own initializers."""

from __future__ import annotations

import pickle
import re
import time
import warnings
from typing import Any

import numpy as np
import pytest

import varscale as vs


def test_everything_uncovered_is_in_one_error() -> None:
    """If this fails a user mends a model one error at a time, or does not learn why or how."""
    shapes = {"w": (4, 5), "mixer.A_log": (8, 4), "b": (4,), "h.attn.bias": (1, 1, 8, 8), "latents": (3, 4)}
    with pytest.raises(ValueError, match="`rules` must cover") as error:
        vs.Model(shapes)
    assert str(error.value).splitlines() == [
        "`rules` must cover every parameter, got 3 of 5 without one:",
        "  'mixer.A_log' (8, 4): state spaces, recurrences, which start from a law of their own",
        "  'h.attn.bias' (1, 1, 8, 8): biases of several axes, which start from zeros, or a mask",
        "  'latents' (3, 4)",
        "Cover each by a rule, as in Model(parameters, [('mixer.A_log', initializer)]), or by its own initializer; "
        "the command takes --rule 'mixer.A_log=initializer'",
    ]
    assert (
        len(vs.Model(shapes, [("mixer.*", vs.Zeros()), ("*.bias", vs.Ones()), ("latents", vs.Ones())], layout="jax"))
        == 5
    )


def test_rules_that_missed_are_in_the_error() -> None:
    """If this fails a user who wrote a rule for a parameter is told to write one."""
    lost = [("*.latents", vs.Ones()), ("w", vs.Ones()), *vs.default_rules()]
    with pytest.raises(ValueError, match="`rules` must cover") as error:
        vs.Model({"w": (4, 5), "latents": (3, 4)}, lost)
    assert str(error.value).splitlines()[-1] == (
        "These rules matched nothing: [Rule('*.latents', Ones(dtype='float32'))] (a pattern must match the whole name)"
    )


@pytest.mark.parametrize("name", ["h[0].latents", "h[!a]", "a?*", "[", "h[0]/w"])
def test_a_name_is_its_own_pattern(name: str) -> None:
    """If this fails the rule that an error proposes does not match the parameter that it is for."""
    assert vs.Model({name: (3, 4)}, [(name, vs.Ones())], strict=True)[name].initializer == vs.Ones()
    assert not vs.Rule("h[0].latents", vs.Ones()).matches("h[1].latents", (3,))


def test_thousands_are_counted() -> None:
    """If this fails the error of a large model is megabytes."""
    with pytest.raises(
        ValueError, match="`rules` must cover every parameter, got 5,000 of 5,000 without one:"
    ) as error:
        vs.Model({f"layers.{i}.what": (3,) for i in range(5000)})
    lines = str(error.value).splitlines()
    assert len(lines) == 203
    assert lines[-2] == "  … and 4800 more"


def test_a_rule_that_matches_nothing() -> None:
    """If this fails a misspelt pattern changes nothing, and nobody is told."""
    shapes = {"a.weight": (3, 3), "a.bias": (3,), "c": ((3,), None, vs.Ones())}
    used = [("*.weight", vs.he_normal()), ("c", vs.Zeros()), *vs.default_rules(bias=vs.Ones())]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vs.Model(shapes, used, strict=True)
        vs.Model({"a.bias": (3,)}, [("a.*", vs.Zeros()), ("*.bias", vs.Ones())], strict=True)  # the latter would match
    lost = [*used, (r"a\.\w+", vs.Ones()), vs.Rule("a.weight", vs.Ones(), rank=3)]
    message = (
        r"`rules` must match parameters, got \[Rule\('a.*\\w\+', .*, Rule\('a.weight', .*rank=3\)\] that match none of"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        vs.Model(shapes, lost)
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match=message):
        vs.Model(shapes, lost, strict=True)


def test_patterns_may_be_regular_expressions() -> None:
    """If this fails layers cannot be told apart by number, or half a name is enough."""
    model = vs.Model(
        {f"layers.{i}.w": (3, 3) for i in range(12)},
        [
            vs.Rule(re.compile(r"layers\.[02468]\.w"), vs.Ones()),
            (re.compile(r"LAYERS\.1\.w", re.IGNORECASE), vs.Zeros()),
        ],
    )
    ones = [name for name, parameter in model.items() if parameter.initializer == vs.Ones()]
    assert ones == [f"layers.{i}.w" for i in range(0, 9, 2)]
    assert model["layers.1.w"].initializer == vs.Zeros()
    assert model["layers.11.w"].initializer == vs.lecun_normal()
    assert not any(vs.Rule(re.compile(half), vs.Zeros()).matches("ab.cd", ()) for half in ("ab", "cd", "b.c"))
    rule = vs.Rule(re.compile("a.*", re.DOTALL), vs.Zeros(), rank=2)
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert hash(pickle.loads(pickle.dumps(rule))) == hash(rule)
    assert rule != vs.Rule("a.*", vs.Zeros(), rank=2)
    assert repr(rule) == "Rule(re.compile('a.*', re.DOTALL), Zeros(dtype='float32'), rank=2)"


def test_planning_is_quick() -> None:
    """If this fails a model of thousands of parameters takes minutes to plan; seconds are allowed."""
    shapes = {f"layers.{i}.mlp.experts.{j}.{w}.weight": (64, 32) for i in range(30) for j in range(100) for w in "abc"}
    began = time.process_time()
    assert len(vs.Model(shapes, [("*.a.weight", vs.he_normal())], layout="torch")) == 9000
    assert time.process_time() - began < 5


def test_counters_stay_integers() -> None:
    """If this fails the counter of a bfloat16 model is a bfloat16, which cannot count."""
    model = vs.Model({"bn.num_batches_tracked": (), "w": (3, 3), "n": ((), None, vs.Ones("uint8"))}, dtype="bfloat16")
    assert [parameter.dtype.name for parameter in model.values()] == ["int64", "bfloat16", "uint8"]
    assert vs.Model({"bn.num_batches_tracked": ((), "int32")})["bn.num_batches_tracked"].dtype == np.int32


# Users' own initializers -------------------------------------------------------------------------------------------


class Ramp(vs.Initializer):
    """A user's own."""

    def __init__(self, slope: float = 1.0) -> None:
        self.slope = slope

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return self.slope * np.arange(np.prod(shape), dtype=dtype or "float32").reshape(shape)

    def get_config(self) -> dict[str, float]:
        return {"slope": self.slope}


class Derived(vs.lecun_normal):
    """A user's own, derived from one of ours."""

    def __call__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return 2 * super().__call__(*args, **kwargs)


class Renamed(vs.lecun_normal):
    """One that is called as ours is."""


MODEL = vs.Model(
    {"a": (4, 5), "b": ((4, 5), "float64", Ramp(2.0)), "c.w": (64, 64), "d.w": (64, 64), "big": (5000, 5000),
     "e": ((2, 3), "bfloat16", Ramp()), "one": (5, 1)},
    [("a", Ramp(3.0)), ("c.w", Derived()), ("d.w", Renamed()), ("big", Ramp(0.0)), ("one", Ramp())],
)  # fmt: skip


def test_they_make_whole_tensors() -> None:
    """If this fails one parameter with a user's own initializer bars a whole model."""
    for made in (MODEL.init(7), MODEL.init(7, progress=lambda done, total: None)):
        assert np.array_equal(made["a"], Ramp(3.0)((4, 5)))
        assert np.array_equal(made["b"], Ramp(2.0)((4, 5), np.float64))
        assert (made["b"].dtype, made["e"].dtype.name) == (np.float64, "bfloat16")
        assert np.array_equal(made["c.w"], 2 * vs.lecun_normal(7).fold_in("c.w")((64, 64)))
        assert np.array_equal(made["d.w"], vs.lecun_normal(7).fold_in("d.w")((64, 64)))
        assert not made["big"].any()
    lazies = MODEL.lazy(7)
    assert np.array_equal(lazies["a"][...], Ramp(3.0)((4, 5)))
    assert np.array_equal(lazies["a"][0:4, ::1], Ramp(3.0)((4, 5)))
    assert np.array_equal(np.asarray(pickle.loads(pickle.dumps(lazies["c.w"]))), MODEL.init(7)["c.w"])
    assert np.array_equal(lazies["d.w"][3:5], MODEL.init(7)["d.w"][3:5]), "called as ours are, so in parts too"
    assert pickle.loads(pickle.dumps(MODEL)) == MODEL
    out = np.zeros((4, 5), np.float32).T.copy().T
    assert np.array_equal(lazies["a"].fill(out), Ramp(3.0)((4, 5)))
    assert "Ramp(slope=3.0)" in repr(lazies["a"])
    assert lazies["one"][..., 0].tolist() == [0, 1, 2, 3, 4], "the whole, without an axis of one"
    assert vs.Model(MODEL.lazy(names=["a"]))["a"].initializer == Ramp(3.0)


def test_a_part_of_one_is_refused() -> None:
    """If this fails a worker's part of a user's tensor is the start of another tensor."""
    for index in (0, slice(1, 3), (..., slice(None, None, -1))):
        with pytest.raises(ValueError, match=r"Ramp\(slope=3.0\) makes whole tensors only"):
            MODEL.lazy(7)["a"][index]
        with pytest.raises(ValueError, match="makes whole tensors only"):
            MODEL.lazy(7)["c.w"][index]
    parts = [part for job in MODEL.jobs(7, names=["a", "b"]) for part in job.run()]
    assert np.array_equal(parts[0].values, Ramp(3.0)((4, 5)))
    with pytest.raises(ValueError, match="makes whole tensors only"):
        [job.run() for job in MODEL.jobs(7, max_bytes=40, names=["a"])]


def test_what_they_return_is_checked() -> None:
    """If this fails an array of another shape is spread over the tensor."""

    class Wrong(vs.Initializer):
        def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
            return np.ones(3, np.float32)

    model = vs.Model({"a": ((4, 3), None, Wrong())})
    with pytest.raises(ValueError, match=r"Wrong\(\) must make the shape \(4, 3\) that it is asked for, got \(3,\)"):
        model.init(1)


def test_their_table() -> None:
    """If this fails a model with a user's initializer cannot be looked at."""
    rows = {row.name: row for row in MODEL.describe()}
    assert rows["a"][3:] == ("Ramp", None, None, None, None, 80)
    assert rows["c.w"].initializer == "Derived"
    assert rows["c.w"].stddev is None, "which only its own call decides"
    assert rows["d.w"].stddev == 0.125


@pytest.mark.parametrize("bad", [lambda shape: np.ones(shape), vs.lecun_normal, "zeros", None, 3, np.ones(3)])
def test_what_is_no_initializer(bad: Any) -> None:
    """If this fails a function or a name is taken, and fails in the middle of a model."""
    with pytest.raises(TypeError, match="`initializer` must be an initializer"):
        vs.Rule("*", bad)
    if bad is not None:
        with pytest.raises(TypeError, match="parameter 'a': `initializer` must be an initializer"):
            vs.Model({"a": ((3,), None, bad)})
    with pytest.raises(ValueError, match="must have no seed"):
        vs.Rule("*", Derived(3))
