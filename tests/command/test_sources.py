"""Sources: each is recognised by what it is, and makes the model that it means."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

import varscale as vs
from command.cases import SPEC, called, refused, spec
from varscale._command.rule import parse_initializer, parse_rule
from varscale._command.source import read_source

pytestmark = pytest.mark.thread_unsafe(reason="changes the folder, sys.path or standard output")

NAMES = ["embed.weight", "norm.weight"] + [
    f"layers.{layer}.{name}"
    for layer in (1, 2, 3)
    for name in ("q.weight", "o.weight", "experts.0.w1.weight", "experts.1.w1.weight")
]


def test_a_spec_is_its_parameters_and_blocks(tmp_path: Path) -> None:
    """If this fails a spec makes other tensors than it says."""
    model = read_source(str(spec(tmp_path)), [], None).model
    assert list(model) == NAMES
    assert model["embed.weight"] == vs.Model({"embed.weight": (100, 32)})["embed.weight"]
    assert model["norm.weight"] == ((32,), "float64", vs.Constant(0.5))
    assert model["layers.3.o.weight"].initializer == vs.RandomNormal(0.0, 0.01)
    assert model["layers.1.experts.1.w1.weight"].initializer == vs.lecun_normal(in_axis=1, out_axis=0)
    first = read_source(str(spec(tmp_path)), [vs.Rule("layers.1.*", vs.Zeros())], None).model
    assert first["layers.1.o.weight"].initializer == vs.Zeros()  # those of the command line come first


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"torch"', '"onnx"', "`layout` must be one of"),
        ("[parameters]", "[params]", "unknown keys"),
        ("count = 3", "count = 0", "`count` must be a positive integer, got 0"),
        ("count = 3", "count = 1000000000000", "at most 250,000 parameters, got 4,000,000,000,002"),
        ("count = 3", f"count = {10**30}", "at most 250,000 parameters"),
        ("first = 1", "first = -1", "`first` must be an integer that is not negative"),
        ('"layers.{}"', '"layers"', "must hold {} once"),
        ("[100, 32]", "[100, -32]", "parameter 'embed.weight': `shape` must not hold negative sizes"),
        ("[100, 32]", "[100, 9223372036854775807]", "parameter 'embed.weight'"),
        ("[100, 32]", '"big"', "parameter 'embed.weight': `shape` must be a sequence"),
        ("constant(0.5)", "constant(0.5", "an initializer must be a name, or a call"),
        ("constant(0.5)", "constnat", "an initializer must be one of"),
        ('"float64"', '"float63"', "parameter 'norm.weight': `dtype`"),
        ('"*.o.weight"', '"*.p.weight"', "that match none of 14"),
        ("rules = [[", "rules = [3, [", "`rules` must be pairs"),
        ('"norm.weight" =', '"embed.weight" =', "got 'embed.weight' twice"),
        ("[100, 32]", "[100, 32", "Unclosed array"),
        ("embed.weight", "embed.bizarre", "'embed.bizarre' (100, 32)"),
        ("embed.weight", "a." * 3000 + "weight", "must not be nested so deep"),
    ],
)
def test_mistakes_in_a_spec_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    """If this fails a slip in a spec makes another network, or ends in a traceback."""
    assert SPEC.count(old) >= 1
    path = spec(tmp_path, SPEC.replace(old, new, 1))
    error = refused(capsys, "init", path, "-o", tmp_path / "out", "--seed", 7)
    assert message in error
    assert str(path) in error
    assert not (tmp_path / "out").exists()


def test_a_plan(tmp_path: Path) -> None:
    """If this fails a plan that was reviewed makes other weights."""
    model = read_source(str(spec(tmp_path)), [], None).model
    (tmp_path / "plan.json").write_text(json.dumps(model.to_dict()))
    assert read_source(str(tmp_path / "plan.json"), [], None).model == model
    changed = read_source(str(tmp_path / "plan.json"), [vs.Rule("embed.*", vs.lecun_normal())], "torch").model
    assert changed["embed.weight"].initializer == vs.lecun_normal(in_axis=1, out_axis=0)
    assert {name: changed[name] for name in NAMES[1:]} == {name: model[name] for name in NAMES[1:]}


def test_a_file_an_index_and_a_folder(tmp_path: Path) -> None:
    """If this fails a checkpoint that is to be made anew is not recognised."""
    arrays = {
        name: model.astype("float16")
        for name, model in read_source(str(spec(tmp_path)), [], None).model.init(1).items()
    }
    save_file(arrays, tmp_path / "old.safetensors", {"format": "pt"})
    file = read_source(str(tmp_path / "old.safetensors"), [], None).model
    assert {name: (entry.shape, entry.dtype.name) for name, entry in file.items()} == {
        name: (array.shape, "float16") for name, array in arrays.items()
    }
    vs.checkpoint.save(file, tmp_path / "many", 7, max_shard=9000)
    vs.checkpoint.save(file, tmp_path / "one", 7)
    for source in ("many", "many/model.safetensors.index.json", "one"):
        assert read_source(str(tmp_path / source), [], None).model == file


def test_a_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a function that returns a model is not found beside the caller."""
    (tmp_path / "my_nets.py").write_text(
        "import varscale as vs\n"
        "class Nets:\n    @staticmethod\n    def small(): return vs.Model({'a.weight': (3, 4)}, layout='jax')\n"
        "def fails(): return 1 / 0\n"
        "number = 5\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert list(read_source("my_nets:Nets.small", [], None).model) == ["a.weight"]
    for text, message in (
        ("my_nets:none", r"'my_nets:none' must be imported, got AttributeError"),
        ("my_nete:small", r"must be imported, got ModuleNotFoundError"),
        ("my_nets:fails", r"must be called, got ZeroDivisionError in .*my_nets\.py, line 5: division by zero"),
        ("my_nets:number", "must be a function, got 5"),
        ("my_nets:Nets", "must return a varscale.Model or a torch module"),
        ("nothing.safetensors", "SOURCE must be a safetensors file or its index"),
        ("a\0b", "SOURCE must be"),
        ("", "SOURCE must be"),
    ):
        with pytest.raises(ValueError, match=message):
            read_source(text, [], None)


def header(**entries: Any) -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.safetensors", b"", "must be a safetensors file"),
        ("a.safetensors", (10**9).to_bytes(8, "little") + b"{}", "10 bytes whose header would have 1,000,000,000"),
        ("a.safetensors", b"\x04\0\0\0\0\0\0\0[5, ", "must be a safetensors file"),
        (
            "a.safetensors",
            header(**{"w.bias": {**ENTRY, "shape": [-2]}}),
            "sizes that are not negative for 'w.bias', got [-2]",
        ),
        ("a.safetensors", header(**{"w.bias": ENTRY, "v.bias": ENTRY}), "must hold 'w.bias' right behind 'v.bias'"),
        ("a.safetensors", b"\x0e\0\0\0\0\0\0\0" + b'{"a":1,"a":2} ', "must hold each name once, got 'a' twice"),
        ("a.safetensors", header(**{"../w.bias": ENTRY}), "nor hold '..' or NUL"),
        ("a.safetensors", header(**{"latents": ENTRY}), "--rule must cover every parameter"),
        (
            "x.safetensors.index.json",
            b'{"weight_map": {"w": "../a.safetensors"}}',
            "must name a file beside it",
        ),
        ("x.safetensors.index.json", b'{"weight_map": {"w": "/etc/passwd"}}', "must name a file beside it"),
        ("x.safetensors.index.json", b'{"weight_map": {"w": "none"}}', "No such file"),
        ("x.safetensors.index.json", b'{"weight_map": 5}', "must have a `weight_map`"),
        ("x.json", b'{"weight_map": {"w": "a", "w": "b"}}', "must hold each name once, got 'w' twice"),
        (
            "plan.json",
            b'{"format": "varscale.Model", "version": 2}',
            "`version` of a model's document must be 1, got 2",
        ),
        ("plan.json", b'{"format": "varscale.Model", "format": "varscale.Model"}', "got 'format' twice"),
        ("plan.json", b'{"format": "varscale.Mod"}', "which is none of these"),
        ("plan.json", b"[" * 100_000, "must not be nested so deep"),
        ("plan.json", b"\xff", "plan.json"),
        ("plan.txt", b"", "which is none of these"),
        ("", b"", "which is none of these"),
    ],
)
def test_bad_files_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: bytes, message: str
) -> None:
    """If this fails a damaged or hostile file ends in a traceback, or is read as something else."""
    if name:
        (tmp_path / name).write_bytes(text)
    error = refused(capsys, "init", tmp_path / name, "-o", tmp_path / "out", "--seed", 7)
    assert message in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lecun_normal", vs.lecun_normal()),
        ("LecunNormal()", vs.lecun_normal()),
        (" truncated_normal(0.0, 0.02, lower=-2, upper=3.5) ", vs.TruncatedNormal(0.0, 0.02, lower=-2, upper=3.5)),
        ("variance_scaling(2.0, 'fan_out', distribution='uniform')", vs.VarianceScaling(2.0, "fan_out", "uniform")),
        ("constant([1, 2, 3])", vs.Constant([1, 2, 3])),
        ("glorot_uniform(in_axis=(0, 1), out_axis=-1)", vs.GlorotUniform(in_axis=(0, 1), out_axis=-1)),
        ("normal(0.0, 1e999 and 3)", None), ("__import__('os').system('true')", None), ("open", None), ("", None),
        ("normal(", None), ("normal(*[1])", None), ("normal(**{})", None), ("normal(x)", None), ("vs.normal()", None),
        ("normal(0.0, -1.0)", None), ("normal(sd=1)", None), ("(" * 5000, None), ("normal(" + "-" * 9000 + "1)", None),
        ("constant(" + "[" * 3000 + "]" * 3000 + ")", None), ("normal(0, 1\n)\n", vs.RandomNormal(0, 1)),
        ("a\0b", None), ("normal(" + "9" * 9000 + ")", None), ("[lecun_normal]", None), ("lambda: 1", None),
    ],
)  # fmt: skip
def test_initializers_are_read_and_not_run(text: str, expected: vs.Initializer | None) -> None:
    """If this fails text from a command line or a file runs as a program, or means another law."""
    if expected is None:
        with pytest.raises(ValueError, match="initializer"):
            parse_initializer(text)
    else:
        assert parse_initializer(text) == expected


def test_a_rule_is_a_pattern_and_an_initializer() -> None:
    """If this fails `--rule` has another pattern than was written."""
    rule = parse_rule("*.[ab].weight=normal(mean=0.0)")
    assert (rule.pattern, rule.initializer) == ("*.[ab].weight", vs.RandomNormal())
    for text in ("weight", "=zeros", "a="):
        with pytest.raises(ValueError, match="must be"):
            parse_rule(text)


def test_a_rule_with_a_seed_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails two tensors have the same values."""
    error = refused(
        capsys, "init", spec(tmp_path), "-o", tmp_path / "o", "--seed", 7, "--rule", "embed.*=normal(seed=3)"
    )
    assert "must have no seed in a model" in error


def test_weights_are_those_of_the_model(tmp_path: Path) -> None:
    """If this fails the command and the library make different weights."""
    model = read_source(str(spec(tmp_path)), [], None).model
    assert called("init", spec(tmp_path), "-o", tmp_path / "out", "--seed", 7, "--quiet") == 0
    read, made = load_file(tmp_path / "out" / "model.safetensors"), model.init(7)
    assert read.keys() == made.keys()
    assert all((read[name] == made[name]).all() for name in made)
