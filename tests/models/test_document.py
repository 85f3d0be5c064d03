"""Documents: a model as JSON, and its digest."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import varscale as vs

MASK = np.tril(np.ones((1, 1, 9, 9), bool))
MODEL = vs.Model(
    {
        "wte": ((50, 8), "bfloat16", vs.Pieces([(..., vs.RandomNormal(0.0, 0.02)), (0, vs.Zeros())])),
        "h.0.attn.bias": ((1, 1, 9, 9), "bool", vs.Constant(MASK)),
        "h.0.attn.masked_bias": ((), None, vs.Constant(-np.inf)),
        "h.0.mlp.w": ((8, 32), None, vs.lecun_normal(in_axis=1, out_axis=0)),
        "h.0.mlp.v": ((8, 8), "float64", vs.TruncatedNormal(0.0, 0.02, lower=-np.inf, upper=2.5)),
        "steps": ((), "int64", vs.Zeros()),
        "freqs": ((70,), None, vs.Constant(np.linspace(0.0, 1.0, 70, dtype=np.float32))),
    }
)
DIGEST = "63ba7915f96a9c6ed801361e4b9d93a5b21b6918f3aa3e70ee27bbc34c9a47ce"


class Ramp(vs.Initializer):
    """A user's own."""


def bits(weights: dict[str, np.ndarray]) -> dict[str, bytes]:
    return {name: values.tobytes() for name, values in weights.items()}


def test_a_document_is_the_model() -> None:
    """If this fails a model that was written and read makes other weights."""
    text = json.dumps(MODEL.to_dict(), allow_nan=False)
    again = vs.Model.from_dict(json.loads(text))
    assert again == MODEL
    assert list(again) == list(MODEL)
    assert bits(again.init(7)) == bits(MODEL.init(7))
    assert json.dumps(again.to_dict(), allow_nan=False) == text


def test_the_document_stays() -> None:
    """If this fails documents that people keep are no longer read, or digests that they noted no longer hold."""
    kept = json.loads((Path(__file__).with_name("document-1.json")).read_text(encoding="utf-8"))
    assert kept == MODEL.to_dict()
    assert vs.Model.from_dict(kept) == MODEL
    assert MODEL.digest() == DIGEST


def test_the_digest_tells_models_apart() -> None:
    """If this fails a change of a model does not show, or the order of its parameters does."""
    backwards = vs.Model.from_dict(
        MODEL.to_dict() | {"parameters": dict(reversed(MODEL.to_dict()["parameters"].items()))}
    )
    assert backwards.digest() == MODEL.digest()
    changes: list[tuple[str, str, Any]] = [
        ("wte", "shape", [51, 8]), ("wte", "dtype", "float16"), ("steps", "dtype", "int32"),
        ("h.0.mlp.v", "initializer", {"class_name": "Zeros", "config": {}}),
    ]  # fmt: skip
    digests = {MODEL.digest()}
    for name, field, value in changes:
        document = copy.deepcopy(MODEL.to_dict())
        document["parameters"][name][field] = value
        digests.add(vs.Model.from_dict(document).digest())
    assert len(digests) == 1 + len(changes)
    assert all(len(digest) == 64 and int(digest, 16) for digest in digests)


SPELLINGS: list[list[Any]] = [
    [1, 1.0, True, np.int8(1), np.float32(1)],
    [[0, 1, 2], (0.0, 1.0, 2.0), np.arange(3), np.arange(3, dtype=np.uint8)],
    [np.arange(100), np.arange(100.0), np.arange(100, dtype=np.float16), list(range(100))],
    [MASK, MASK.astype(int), MASK.astype(np.float32)],
    [np.full(70, 0.1, np.float32), np.full(70, np.float32(0.1)).astype(float)],
    [np.full(70, 2**60), np.full(70, 2**60, np.uint64), [2**60] * 70],
    [2**60, np.uint64(2**60)],
    [np.full(70, -(2**60))],
    [np.full(70, 2**64 - 2**60, np.uint64)],
    [np.full(70, 0.1)],
    [np.zeros(70)],
    [-np.zeros(70)],
    [0],
    [-0.0],
    [np.zeros((0, 3)), np.zeros((0, 3), bool)],
    [np.full(70, 1e-42), np.full(70, np.float64(1e-42))],
    [np.full(70, np.float32(1e-42)), np.full(70, np.float64(np.float32(1e-42)))],
]
"""Constants: those of a row are equal, those of two are not."""


def test_equal_models_have_equal_digests() -> None:
    """If this fails the digest of a model depends on whether its author wrote 1 or 1.0, or is that of another model."""
    digests = []
    for spellings in SPELLINGS:
        constants = [vs.Constant(value) for value in spellings]
        assert len(set(constants)) == 1
        shape = np.shape(spellings[0])
        for wrap in (lambda init: init, lambda init: vs.Pieces([(..., init)])):
            models = [vs.Model({"a": (shape, "float64", wrap(constant))}) for constant in constants]
            assert len({model.digest() for model in models}) == 1, spellings
            read = [vs.Model.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False))) for model in models]
            assert read == models
            assert {bits(model.init())["a"] for model in read} == {bits(models[0].init())["a"]}
            digests.append(models[0].digest())
    assert len(set(digests)) == len(digests)


def edited(**changes: Any) -> dict[str, Any]:
    return MODEL.to_dict() | changes


def with_entry(**changes: Any) -> dict[str, Any]:
    entry = {"shape": [2], "dtype": None, "initializer": {"class_name": "Zeros", "config": {}}} | changes
    return edited(parameters={"a.b": entry})


def with_initializer(class_name: str, **config: Any) -> dict[str, Any]:
    return with_entry(initializer={"class_name": class_name, "config": config})


def packed(**changes: Any) -> dict[str, Any]:
    value = {"dtype": "int64", "shape": [2], "base64": "AAAAAAAAAAABAAAAAAAAAA=="} | changes
    return with_initializer("Constant", value=value)


@pytest.mark.parametrize(
    ("document", "error", "message"),
    [
        (5, TypeError, "`config` of Model must be a mapping"),
        (edited(weights={}), TypeError, "unknown keys"),
        (edited(format="keras"), ValueError, "`format` of a model's document must be 'varscale.Model', got 'keras'"),
        (edited(version=2), ValueError, "`version` of a model's document must be 1, got 2"),
        (edited(stream=2), ValueError, "`stream` must be 1, got 2, which needs a newer varscale"),
        (edited(stream=None), TypeError, "`stream` must be an integer, got None"),
        (edited(parameters=[]), TypeError, "`parameters` of a model's document must be a mapping"),
        (edited(parameters={3: {}}), TypeError, "names that are strings, got 3"),
        (with_entry(shape=[-1]), ValueError, "parameter 'a.b': `shape` must not hold negative"),
        (with_entry(shape=None), TypeError, "parameter 'a.b': `shape` must be a sequence"),
        (with_entry(dtype="f4,"), ValueError, "parameter 'a.b': `dtype`"),
        (with_entry(initializer=None), TypeError, "parameter 'a.b': `initializer` must be"),
        (with_initializer("Nope"), ValueError, "parameter 'a.b': `class_name`"),
        (with_initializer("RandomNormal", seed=1), ValueError, "must have no seed"),
        (with_initializer("Constant", value=[1, 2, 3]), ValueError, "`value` must hold"),
        (packed(shape=[3]), ValueError, "parameter 'a.b': `base64` must hold the bytes of 'int64' numbers"),
        (packed(base64="?"), ValueError, "parameter 'a.b': `base64` must hold"),
        (packed(base64=5), ValueError, "parameter 'a.b': `base64` must hold"),
        (packed(dtype="O"), ValueError, "parameter 'a.b': `dtype` must be one of"),
    ],
)  # fmt: skip
def test_mistakes_are_named(document: Any, error: type[Exception], message: str) -> None:
    """If this fails a broken document becomes another model, or an error that does not say where."""
    with pytest.raises(error, match=message):
        vs.Model.from_dict(document)


def test_what_is_packed() -> None:
    """If this fails the values of a long constant change on the way."""
    assert vs.Model.from_dict(packed()).init()["a.b"].tolist() == [0.0, 1.0]
    for values in (MASK, np.arange(-40, 40, dtype=np.int8), np.array([0.0, -0.0, np.nan, np.inf] * 40)):
        model = vs.Model(
            {"a": (values.shape, values.dtype.name if values.dtype.kind == "b" else "float64", vs.Constant(values))}
        )
        assert bits(vs.Model.from_dict(json.loads(json.dumps(model.to_dict()))).init()) == bits(model.init())
