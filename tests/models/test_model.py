"""Models: every parameter by its name, whatever the order, the company and the worker."""

from __future__ import annotations

import pickle
import re
import tracemalloc
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import varscale as vs
from arguments.cost import seconds
from varscale import replay

SHAPES: dict[str, Any] = {
    "wte.weight": (500, 64),
    "h.0.ln.weight": (64,),
    "h.0.ln.bias": (64,),
    "h.0.attn.q.weight": (64, 64),
    "h.0.attn.k.weight": (64, 64),
    "h.0.attn.v.weight": (64, 64),
    "head.weight": ((64, 10), "bfloat16", vs.he_uniform()),
    "steps": ((), "int32", vs.Zeros()),
    "none.weight": (0, 3),
}
MODEL = vs.Model(SHAPES, layout="keras")


def bits(arrays: dict[str, np.ndarray]) -> dict[str, tuple[Any, ...]]:
    return {name: (array.shape, array.dtype, array.tobytes()) for name, array in arrays.items()}


# Values -----------------------------------------------------------------------------------------------------------


def test_a_parameter_is_its_initializer_folded_by_name() -> None:
    """If this fails a model's values are not those of its initializers."""
    weights = MODEL.init(7)
    assert list(weights) == list(SHAPES)
    for name in ("h.0.attn.q.weight", "h.0.attn.k.weight", "h.0.attn.v.weight", "none.weight"):
        shape = weights[name].shape
        assert weights[name].tobytes() == vs.lecun_normal(7).fold_in(name)(shape).tobytes()
    head = vs.he_uniform(7).fold_in("head.weight")((64, 10), "bfloat16")
    assert weights["head.weight"].dtype == ml_dtypes.bfloat16
    assert weights["head.weight"].tobytes() == head.tobytes()
    wte = vs.RandomNormal(0.0, 0.02, 7).fold_in("wte.weight")((500, 64))
    assert weights["wte.weight"].tobytes() == wte.tobytes()
    assert (weights["h.0.ln.weight"] == 1).all()
    assert not weights["h.0.ln.bias"].any()
    assert (weights["steps"].shape, weights["steps"].dtype) == ((), np.int32)


def test_small_and_large_parameters_are_their_initializers() -> None:
    """If this fails parameters that are made together lose a path, a dtype or their order."""
    inits = [vs.RandomNormal(), vs.RandomNormal().fold_in("a", 3), vs.he_uniform(), vs.Zeros(), vs.LogUniform()]
    shapes = [(3, 4), (2, 5), (300, 90), (0, 4), (128, 128), (129, 128)]
    entries = {
        f"{number}.{size}.µ": (shape, dtype, init)
        for number, init in enumerate(inits)
        for size, shape in enumerate(shapes)
        for dtype in [["float32", "float64", "bfloat16"][(number + size) % 3]]
    }
    model = vs.Model(entries, layout="jax")
    names = [name for name in entries if not name.startswith("2.1")][::-1]
    for weights in (model.init(7), model.init(7, names), model.init(7, progress=lambda done, total: None)):
        assert list(weights) in (list(entries), names)
        for name, array in weights.items():
            shape, dtype, init = entries[name]
            folded: Any = init._with_seed(7).fold_in(name)
            expected = folded(shape, dtype, index=...)
            assert (array.dtype, array.shape) == (expected.dtype, shape)
            assert array.tobytes() == expected.tobytes(), name


def test_query_key_and_value_differ() -> None:
    """If this fails parameters of one shape and seed start out equal."""
    weights = MODEL.init(7)
    q, k, v = (weights[f"h.0.attn.{name}.weight"] for name in "qkv")
    assert not ((q == k) | (k == v) | (q == v)).any()


@settings(max_examples=50, deadline=None)
@given(st.permutations(list(SHAPES)), st.integers(0, len(SHAPES)), st.integers(-(2**70), 2**70))
def test_order_and_company_change_nothing(order: list[str], count: int, seed: int) -> None:
    """If this fails a new layer, or another order of layers, changes the weights of the old ones."""
    expected = bits(MODEL.init(seed))
    assert bits(vs.Model({name: SHAPES[name] for name in order}, layout="keras").init(seed)) == expected
    some = bits(MODEL.init(seed, names=order[:count]))
    assert list(some) == order[:count]
    assert some == {name: expected[name] for name in order[:count]}


def test_lazy_tensors_are_the_parameters() -> None:
    """If this fails an engine that copies piece by piece gets another model."""
    weights, lazies = MODEL.init(7), MODEL.lazy(7)
    assert bits({name: tensor[...] for name, tensor in lazies.items()}) == bits(weights)
    part = lazies["wte.weight"][10:20, ::3]
    assert np.array_equal(part, weights["wte.weight"][10:20, ::3])
    assert list(MODEL.lazy(7, ["steps"])) == ["steps"]
    out = np.zeros((64, 500), np.float32).T
    assert lazies["wte.weight"].fill(out) is out
    assert np.array_equal(out, weights["wte.weight"])
    lazies["wte.weight"].fill(out[:10], slice(490, None))
    assert np.array_equal(out[:10], weights["wte.weight"][490:])
    for wrong, message in ((out.astype(np.float64), "dtype"), (out[:3], "shape")):
        with pytest.raises(ValueError, match=message):
            lazies["wte.weight"].fill(wrong)


@pytest.mark.thread_unsafe(reason="sets the global seed")
def test_without_a_seed() -> None:
    """If this fails a model without a seed repeats, or the global seed does not count, or order matters under it."""
    assert bits(MODEL.init(names=["wte.weight"])) != bits(MODEL.init(names=["wte.weight"]))
    vs.set_random_seed(3)
    expected = bits(MODEL.init())
    assert bits(MODEL.init()) == expected, "by name, not by call"
    assert bits(MODEL.init(7)) != expected
    wte = vs.RandomNormal(0.0, 0.02).fold_in("wte.weight")((500, 64))
    assert expected["wte.weight"][2] == wte.tobytes()
    vs.set_random_seed(None)
    lazy = MODEL.lazy()["wte.weight"]
    assert np.array_equal(lazy[3:], lazy[...][3:]), "drawn when the lazy tensor is made"


# Rules ------------------------------------------------------------------------------------------------------------


def test_rules_are_tried_in_order_before_the_defaults() -> None:
    """If this fails a rule cannot be overridden."""
    rules = [
        vs.Rule("*.out.weight", vs.he_normal(), rank=2),
        ("*.weight", vs.glorot_uniform()),
        vs.Rule("*", vs.Constant(3.0), rank=range(2)),
    ]
    shapes = {"a.out.weight": (3, 3), "b.out.weight": (3,), "c": (), "d.bias": (3,), "e.kernel": (3, 3)}
    found = [parameter.initializer for parameter in vs.Model(shapes, rules).values()]
    expected = [vs.he_normal(), vs.glorot_uniform(), vs.Constant(3.0), vs.Constant(3.0), vs.lecun_normal()]
    assert found == expected
    changed = vs.default_rules(weight=vs.he_uniform(), embedding=vs.Zeros(), norm=vs.Zeros(), bias=vs.Ones())
    shapes = {"a.weight": (3, 3), "wte": (3, 3), "ln.weight": (3,), "x.bias": (3,)}
    found = [parameter.initializer for parameter in vs.Model(shapes, changed).values()]
    assert found == [vs.he_uniform(), vs.Zeros(), vs.Zeros(), vs.Ones()]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [(lambda: vs.Model(3), TypeError, "`parameters` must be a mapping"),
     (lambda: vs.Model([("a", (3,), "x")]), TypeError, "`parameters` must be a mapping"),
     (lambda: vs.Model({3: (3, 3)}), TypeError, "names that are strings, or paths of strings and integers, got 3"),
     (lambda: vs.Model({("a", 1.5): (3, 3)}), TypeError, "names that are strings, or paths .*, got 1.5"),
     (lambda: vs.Model([("b", (3,)), ("b", (3,))]), ValueError, "each name once, got 'b' twice"),
     (lambda: vs.Model({"a/b": (3,), "a": {"b": (3,)}}), ValueError, "each name once, got 'a/b' twice"),
     (lambda: vs.Model({"a": (3, -3)}), ValueError, "parameter 'a': `shape` must not hold negative"),
     (lambda: vs.Model({"a": 3}), TypeError, "parameter 'a': `shape` must be a sequence"),
     (lambda: vs.Model({"w": ((3, 3), "int8")}), ValueError, "parameter 'w': `dtype` must be a floating-point"),
     (lambda: vs.Model({"a": ((3, 3), None, vs.lecun_normal(1))}), ValueError, "parameter 'a': .* must have no seed"),
     (lambda: vs.Model({"a": ((3, 3), None, "zeros")}), TypeError, "parameter 'a': `initializer` must be an"),
     (lambda: vs.Model({"a": ((2**33, 2**33), None)}), ValueError, r"parameter 'a': .* 2\^64 elements"),
     (lambda: vs.Model({}, "*"), TypeError, "`rules` must be a list of rules and pairs, as in .*, got '*'"),
     (lambda: vs.Model({}, ["*"]), TypeError, r"`rules` must be a list .* as in \[\(pattern, initializer\)\], got"),
     (lambda: vs.Model({}, {"*": vs.Zeros()}), TypeError, r"`rules` must be a list .*, got '\*' as one of them"),
     (lambda: vs.Model({}, ("*", vs.Zeros())), TypeError, r"`rules` must be a list .*, got '\*' as one of them"),
     (lambda: vs.Model({}, vs.Rule("*", vs.Zeros())), TypeError, r"`rules` must be a list .*, got Rule\('\*'"),
     (lambda: vs.Rule(3, vs.Zeros()), TypeError, "`pattern` must be a string"),
     (lambda: vs.Rule(re.compile(b"a"), vs.Zeros()), TypeError, "`pattern` must be a string or a compiled"),
     (lambda: vs.Model({}, layout="caffe"), ValueError, "`layout` must be one of 'keras', 'jax', 'torch', 'mlx', got"),
     (lambda: vs.Model({}, layout=3), TypeError, "`layout` must be a string"),
     (lambda: vs.Model({}, strict=1), TypeError, "`strict` must be True or False"),
     (lambda: vs.Rule("*", vs.Zeros(), rank=1.5), TypeError, "`rank` must be an integer"),
     (lambda: vs.Rule("*", vs.lecun_normal(3)), ValueError, "must have no seed"),
     (lambda: MODEL.init(1.5), TypeError, "`seed` must be an integer"),
     (lambda: MODEL.init(1, "wte.weight"), TypeError, "`names` must be a collection"),
     (lambda: MODEL.init(1, np.array("wte.weight")), TypeError, "`names` must be a collection"),
     (lambda: MODEL.init(1, [*MODEL, *MODEL][1 : len(MODEL) + 2]), ValueError, "each name once, got"),
     (lambda: MODEL.init(1, ["nope"]), KeyError, r"names of the model, got 'nope'"),
     (lambda: MODEL.init(1, progress=3), TypeError, "`progress` must be")],
)  # fmt: skip
def test_mistakes_are_named(make: Any, error: type[Exception], message: str) -> None:
    """If this fails a mistake comes out in the middle of a run, or under another name."""
    with pytest.raises(error, match=message):
        make()


# The mapping ------------------------------------------------------------------------------------------------------


def test_is_a_mapping_that_pickles() -> None:
    """If this fails a worker gets another model."""
    back = pickle.loads(pickle.dumps(MODEL))
    assert back == MODEL
    assert hash(back) == hash(MODEL)
    assert vs.Model({}) != MODEL
    assert dict(MODEL) == dict(back)
    assert MODEL["wte.weight"] == vs.Parameter((500, 64), np.dtype(np.float32), vs.RandomNormal(0.0, 0.02))
    assert (MODEL["head.weight"].size, MODEL["head.weight"].nbytes) == (640, 1280)
    assert MODEL.nbytes == sum(array.nbytes for array in MODEL.init(1).values())
    assert repr(vs.Model({"a.bias": [3]})) == "Model of 1 parameter, 3 values, 12 bytes"


def test_takes_arrays_and_their_like() -> None:
    """If this fails a model cannot be made of the arrays that it is to replace."""
    arrays = {"w": np.zeros((3, 3), np.float16), "b": vs.Zeros().lazy((3, 5), "float64"), "c": MODEL["steps"]}
    found = vs.Model(arrays)
    assert [(p.shape, p.dtype) for p in found.values()] == [((3, 3), "float16"), ((3, 5), "float64"), ((), "int32")]
    assert found["b"].initializer == vs.Zeros()
    assert vs.Model({"w": (np.int64(3), 3)})["w"].shape == (3, 3)
    mixed = vs.Model({"w": (3, 3), "kernel": ((3, 3), "float16")}, dtype="float64")
    assert [p.dtype for p in mixed.values()] == ["float64", "float16"]
    assert vs.Model({"a": ((3, 3), None, vs.he_normal(dtype="float16"))})["a"].dtype == np.float16


def test_progress_reaches_the_end() -> None:
    """If this fails a long model shows nothing, or a bar that does not end at 100 %."""
    model = vs.Model({f"{i}.weight": (1024, 8192) for i in range(5)}, layout="torch")
    seen: list[tuple[int, int]] = []

    def report(done: int, total: int) -> None:
        seen.append((done, total))

    watched = model.init(1, progress=report)
    assert seen == [(done << 25, 5 << 25) for done in (2, 4, 5)]
    seen.clear()
    model.init(1, ["0.weight", "1.weight"], progress=report)
    assert seen == [(2 << 25, 2 << 25)]
    assert bits(watched) == bits(model.init(1))
    large = vs.Model({"bias": (3,), "w": (5 << 12, 1 << 12), "flat.bias": (1 << 25,)}, layout="torch")
    seen.clear()
    watched = large.init(1, progress=report)
    assert seen == [((part << 26) + 12, large.nbytes) for part in range(1, 8)]
    assert bits(watched) == bits(large.init(1))
    assert bits(MODEL.init(1, progress=True)) == bits(MODEL.init(1))


# The table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shapes", [{"w": (3, 4)}, {"b": (4,)}, {"w": ((3, 4), None, vs.Ones())}])
def test_replays_draw_one_tensor(shapes: Any) -> None:
    """If this fails whether a replay is refused, and how, depends on what the parameters are."""
    model = vs.Model(shapes, layout="jax")
    for call in (model.init, model.lazy, model.jobs):
        with pytest.raises(ValueError, match=r"`seed` must be an integer or None .* `replay.torch\(…\).draws\(\)`"):
            call(replay.torch(3))  # type: ignore[arg-type]


TABLE = """\
name         shape  dtype     initializer   fan_in  fan_out   mean    stddev  bytes
wte          50x4   float32   RandomNormal                       0      0.02    800
ln.bias      4      float32   Zeros                              0         0     16
ls.gamma     4      float32   Constant                       1e-06         0     16
head.weight  9x4    bfloat16  HeNormal           4        9      0  0.707107     72
total                                                                           904"""


def test_the_table() -> None:
    """If this fails a model cannot be looked at before it is made."""
    shapes = {"wte": (50, 4), "ln.bias": (4,), "ls.gamma": (4,), "head.weight": ((9, 4), "bfloat16", vs.he_normal())}
    table = vs.Model(shapes, layout="torch").describe()
    assert repr(table) == TABLE
    assert len(table) == 4
    head = list(table)[3]
    assert (head.fan_in, head.fan_out, head.mean, head.stddev, head.nbytes) == (4, 9, 0.0, 0.5**0.5, 72)
    assert next(iter(table))[4:6] == (None, None), "not those of another layout, for a law that has none"
    html = table._repr_html_()
    assert html.count("<tr>") == 6
    assert '<td style="text-align: right">0.707107</td>' in html
    assert "&lt;x&gt;.weight" in vs.Model({"<x>.weight": (3, 3)}).describe()._repr_html_()


@pytest.mark.thread_unsafe(reason="counts the memory of the whole process")
def test_constants_are_not_kept_until_the_pass_has_run() -> None:
    """If this fails a model of stored arrays takes its memory twice."""
    values = np.arange(2**18, dtype=np.float64)
    model = vs.Model({f"{i}": ((2**18,), "float64", vs.Constant(values)) for i in range(8)})
    tracemalloc.start()
    try:
        model.init(1)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        next(model.jobs(1)).run()
        assert max(most, tracemalloc.get_traced_memory()[1]) < 1.7 * model.nbytes
    finally:
        tracemalloc.stop()


def test_many_names_are_refused_at_once() -> None:
    """If this fails each of thousands of repeated or unknown names is looked for among all others."""
    model = vs.Model({f"{number}.bias": (1,) for number in range(8000)})
    for names, error in (([*model] * 2, ValueError), (["a"] * 16_000, KeyError), (range(10**8), KeyError)):
        with pytest.raises(error, match="`names` must") as caught:
            model.init(1, names)
        assert len(str(caught.value)) < 1000
        assert seconds(lambda names=names: model.init(1, names)) < 0.05
