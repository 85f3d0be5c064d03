"""Spellings: parameters as people hold them."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import varscale as vs
from checkpoint.cases import raw

FLAT = {"params/Dense_0/kernel": (3, 4), "params/Dense_0/bias": (4,), "params/blocks/0/scale_norm/scale": (4,)}
MODEL = vs.Model(FLAT, layout="jax")


@pytest.mark.parametrize(
    "spelled",
    [
        {"params": {"Dense_0": {"kernel": (3, 4), "bias": (4,)}, "blocks": {0: {"scale_norm": {"scale": (4,)}}}}},
        {tuple(name.split("/")): shape for name, shape in FLAT.items()},
        {("params", "Dense_0"): {"kernel": (3, 4), "bias": (4,)}, ("params", "blocks", 0, "scale_norm", "scale"): [4]},
        FLAT.items(),
        iter(FLAT.items()),
        OrderedDict(FLAT),
        {name: {"dtype": "F32", "shape": list(shape), "data_offsets": [0, 9]} for name, shape in FLAT.items()},
        {name: (list(shape), "F32") for name, shape in FLAT.items()},
    ],
    ids=["nested", "tuples", "both", "pairs", "iterator", "ordered", "header", "words"],
)
def test_every_spelling_is_the_same_model(spelled: Any) -> None:
    """If this fails people must rewrite what they hold before they can make a model of it."""
    assert vs.Model(spelled, layout="jax") == MODEL
    assert list(vs.Model({"a": {}, "b": {"w": (3, 3)}})) == ["b/w"]


def test_what_is_nested_without_end_is_refused() -> None:
    """If this fails a mapping that holds itself is a RecursionError, or a hang."""
    inner: dict[str, Any] = {}
    inner["a"] = inner
    with pytest.raises(ValueError, match="nested at most 100 deep"):
        vs.Model(inner)


class State(Mapping[str, Any]):
    """A state of nnx: nested mappings of variables, with integers among the keys."""

    def __init__(self, entries: dict[Any, Any]) -> None:
        self.entries = entries

    def __getitem__(self, key: Any) -> Any:
        return self.entries[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def variable(module: str, *shape: int, **attributes: Any) -> Any:
    """A variable or tensor of a framework."""
    return type("Variable", (SimpleNamespace,), {"__module__": module})(shape=shape, dtype="float32", **attributes)


def test_states_of_nnx() -> None:
    """If this fails a state of nnx, with blocks by number, is refused or needs a layout."""
    flax = "flax.nnx.variablelib"
    state = State(
        {"blocks": State({0: State({"kernel": variable(flax, 3, 4)})}), "bn": State({"mean": variable(flax, 4)})}
    )
    model = vs.Model(state)
    assert list(model) == ["blocks/0/kernel", "bn/mean"]
    assert model["blocks/0/kernel"].initializer == vs.lecun_normal()


def test_keras_models() -> None:
    """If this fails layers of Keras lose their names, or a state of a random generator is a parameter."""
    keras = "keras.src.backend.common.variables"
    weights = [
        variable(keras, 3, 4, path="dense/kernel", name="kernel"),
        variable(keras, 4, path="dense/bias", name="bias"),
    ]
    # On its torch backend a layer of Keras is a module of torch too.
    torch = type("Module", (), {"__module__": "torch.nn.modules.module", "named_modules": None})
    layer = type("Layer", (torch,), {"__module__": "keras.src.layers.layer", "weights": weights, "variables": None})
    assert vs.Model(layer()) == vs.Model({"dense/kernel": (3, 4), "dense/bias": (4,)}, layout="keras")
    keras2 = [
        variable("tensorflow.python", 3, 4, name="dense/kernel:0"),
        variable("tensorflow.python", 4, name="bias:0"),
    ]
    model = type("Model", (), {"__module__": "tf_keras.src.engine.training", "weights": keras2})
    assert vs.Model(model()) == vs.Model({"dense/kernel:0": (3, 4), "bias:0": (4,)}, layout="keras")
    twice = type("Model", (), {"__module__": "keras.src.models", "weights": weights * 2})
    with pytest.raises(ValueError, match="each name once, got 'dense/kernel' twice"):
        vs.Model(twice())


# Files ------------------------------------------------------------------------------------------------------------


HEADER = {
    "b.num_batches_tracked": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]},
    "a.weight": {"dtype": "BF16", "shape": [4, 3], "data_offsets": [8, 32]},
}


@pytest.mark.parametrize(("format", "layout"), [("pt", "torch"), ("flax", "jax"), ("tf", "keras"), ("mlx", "mlx")])
def test_a_safetensors_file(tmp_path: Path, format: str, layout: Any) -> None:
    """If this fails a model cannot be made of a checkpoint's header, or has another layout or dtype than the file."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(raw({"__metadata__": {"format": format}, **HEADER}, b"values"))
    expected = vs.Model({"b.num_batches_tracked": ((), "int64"), "a.weight": ((4, 3), "bfloat16")}, layout=layout)
    assert vs.Model(path) == vs.Model(str(path)) == expected
    assert list(vs.Model(path)) == list(HEADER)


def test_a_file_without_a_format(tmp_path: Path) -> None:
    """If this fails a file of an unknown framework gets the layout of some."""
    for metadata in ({}, {"__metadata__": {"format": "np"}}):
        path = tmp_path / "x.safetensors"
        path.write_bytes(raw(metadata | HEADER))
        with pytest.raises(ValueError, match="`layout` must be"):
            vs.Model(path)
        assert vs.Model(path, layout="torch")["a.weight"].dtype == "bfloat16"


def test_an_index_of_files(tmp_path: Path) -> None:
    """If this fails a model of several files has other names, another order, or one more parameter."""
    more = {"__metadata__": {"format": "pt"}, "x.bias": {"dtype": "U8", "shape": [3], "data_offsets": [32, 35]}}
    (tmp_path / "1.safetensors").write_bytes(raw(more | HEADER))
    (tmp_path / "2.safetensors").write_bytes(raw({"z.bias": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}))
    index = tmp_path / "model.safetensors.index.json"
    shards = {"z.bias": "2.safetensors", "a.weight": "1.safetensors"}
    index.write_text(json.dumps({"metadata": {"total_size": 9}, "weight_map": shards}))
    model = vs.Model(index)
    assert list(model) == ["z.bias", "a.weight"]
    assert model["a.weight"].initializer == vs.lecun_normal(in_axis=1, out_axis=0)


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    """If this fails a name that is wrong is a riddle."""
    for path in ("nope.safetensors", tmp_path, "a\0b", "\ud800", "x" * 10**5, Path("nope")):
        message = "must be (a mapping, or the path of a file that can be read|the name of a file), got"
        with pytest.raises(ValueError, match=message) as caught:
            vs.Model(path)
        assert len(str(caught.value)) < 1000
    (tmp_path / "x.json").write_text(json.dumps({"weight_map": {"a": "missing.safetensors"}}))
    with pytest.raises(ValueError, match=r"can be read, got .*x\.json.*: .*missing\.safetensors.*: No such file"):
        vs.Model(tmp_path / "x.json")


def test_words_of_safetensors_are_dtypes() -> None:
    """If this fails a dtype of a header is unknown, or another one."""
    words = {
        "BOOL": "bool",
        "I64": "int64",
        "U8": "uint8",
        "F8_E4M3": "float8_e4m3fn",
        "F16": "float16",
        "C64": "complex64",
    }
    for word, name in words.items():
        assert vs.Model({"x.bias": ([3], word)})["x.bias"].dtype == np.dtype(vs.zeros(name)((1,)).dtype)
