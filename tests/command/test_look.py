"""The verbs that look: `inspect`, `diff` and `describe`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import varscale as vs
from checkpoint.cases import entry, raw
from command.cases import called, refused, sha, spec

pytestmark = pytest.mark.thread_unsafe(reason="captures standard output")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A checkpoint of the spec."""
    assert called("init", spec(tmp_path), "-o", tmp_path / "out", "--seed", 7, "--quiet") == 0
    return tmp_path / "out" / "model.safetensors"


def test_inspect_says_what_is_ours(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a fresh checkpoint looks stale, a stale one fresh, or the exit code tells neither."""
    assert called("inspect", made, "--plan", spec(tmp_path)) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("14 exactly as planned, all look freshly initialised")
    assert called("inspect", made, "--plan", spec(tmp_path), "--seed", 8) == 1
    assert "embed.weight: the bytes are not those of the plan and the seed" in capsys.readouterr().out
    arrays = load_file(made)
    arrays["embed.weight"][3, 5] = np.nan
    save_file(arrays, tmp_path / "x.safetensors")
    assert called("inspect", tmp_path / "x.safetensors", "--json") == 1
    rows = json.loads(capsys.readouterr().out)["tensors"]
    assert {row["name"]: row["why"] for row in rows if row["why"]} == {"embed.weight": ["1 NaN"]}


def test_diff_has_the_exit_codes_of_diff(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a script cannot tell whether two checkpoints are the same."""
    assert called("diff", made, made.parent) == 0
    assert capsys.readouterr().out == "0 tensors differ, 14 are the same\n"
    called("init", spec(tmp_path), "-o", tmp_path / "other", "--seed", 8, "--quiet")
    assert called("diff", made, tmp_path / "other", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (len(found["differences"]), found["same"]) == (13, 1)


def test_describe_shows_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails nobody sees a network's laws before its weights are made."""
    path = spec(tmp_path)
    assert called("describe", path) == 0
    text = capsys.readouterr().out
    assert "layers.1.o.weight" in text
    assert text.splitlines()[-1].startswith("14 parameters, ")
    assert called("describe", path, "--json", "--rule", "embed.weight=normal(0.0, 0.5)") == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["stddev"] for row in found["parameters"]}["embed.weight"] == 0.5
    assert found["bytes"] == sum(row["nbytes"] for row in found["parameters"])
    assert called("describe", path, "--html") == 0
    assert capsys.readouterr().out.startswith("<table>")


def test_describe_prints_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails what was made with rules and another dtype cannot be compared with its plan."""
    options = ("--rule", "embed.weight=normal(0.0, 0.5)", "--dtype", "float16", "--names", "*.weight")
    assert called("describe", spec(tmp_path), *options, "--plan") == 0
    (tmp_path / "plan.json").write_text(capsys.readouterr().out, encoding="utf-8")
    called("init", spec(tmp_path), "-o", tmp_path / "direct", "--seed", 7, *options, "--quiet")
    called("init", tmp_path / "plan.json", "-o", tmp_path / "planned", "--seed", 7, "--layout", "torch", "--quiet")
    assert sha(tmp_path / "direct") == sha(tmp_path / "planned")
    assert called("inspect", tmp_path / "direct", "--plan", tmp_path / "plan.json") == 0
    assert "14 exactly as planned" in capsys.readouterr().out


def test_names_of_others_move_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a name in a file clears a terminal, forges the lines of a report, or ends it with an error."""
    name, shown = "a\x1b[2J\nb\u202e", r"a\x1b[2J\nb\u202e"
    plan, path, none = (tmp_path / f"{file}.safetensors" for file in "xyz")
    plan.write_bytes(raw({name: entry()}, bytes(8)))
    path.write_bytes(raw({f"{name}\ud800": entry()}, np.array([np.nan, 0.0], np.float32).tobytes()))
    none.write_bytes(raw({}))
    for verb, wanted in (
        (["inspect", path], rf"{shown}\ud800: 1 NaN"),
        (["inspect", none, "--plan", plan, "--rule", "*=zeros"], f"{shown}: the plan has it, the checkpoint has not"),
        (["diff", path, none], rf"{shown}\ud800"),
        (["describe", plan, "--rule", "*=zeros"], shown),
        (["describe", plan, "--rule", "*=zeros", "--html"], shown),
    ):
        assert called(*verb) in {0, 1}
        text = capsys.readouterr().out
        assert wanted in text
        assert text.replace("\n", "").isprintable()


def test_a_plan_is_changed_as_it_was(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails what was made with rules, another dtype or fewer tensors is called wrong, or drawn so."""
    path, out = spec(tmp_path), tmp_path / "half"
    options = ("--dtype", "bfloat16", "--rule", "embed.*=normal(0.0, 0.5)", "--names", "embed.*", "--names", "*.o.*")
    assert called("init", path, "-o", out, "--seed", 7, *options, "--quiet") == 0
    assert called("inspect", out, "--plan", path) == 1
    capsys.readouterr()
    assert called("inspect", out, "--plan", path, *options) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "4 tensors: 4 exactly as planned, all look freshly initialised"
    assert called("plot", out, "-o", tmp_path / "a.html", "--plan", path, *options) == 0
    assert capsys.readouterr().out.endswith(": 4 tensors, all look freshly initialised\n")
    arrays = load_file(made)
    save_file({"w": arrays["layers.1.experts.0.w1.weight"]}, tmp_path / "w.safetensors")
    law = ("--rule", "w=lecun_normal()", "--layout", "torch")
    assert called("inspect", tmp_path / "w.safetensors", "--plan", tmp_path / "w.safetensors", *law) == 0
    assert called("inspect", tmp_path / "w.safetensors", "--plan", tmp_path / "w.safetensors", *law[:3], "jax") == 1


def test_what_is_kept_is_compared_with_the_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails trained values that a checkpoint keeps are called wrong, or other ones in their place are not."""
    path = spec(tmp_path)
    called("init", path, "-o", tmp_path / "old", "--seed", 1, "--quiet")
    arrays = {name: array * 3 + 1 for name, array in load_file(tmp_path / "old" / "model.safetensors").items()}
    save_file(arrays, tmp_path / "old.safetensors")
    path.write_text(path.read_text(encoding="utf-8").replace("[100, 32]", "[120, 32]"), encoding="utf-8")
    keep = ("--like", tmp_path / "old.safetensors", "--keep", "embed.*", "--keep", "layers.1.*")
    assert called("init", path, "-o", tmp_path / "new", "--seed", 2, *keep, "--quiet") == 0
    new = tmp_path / "new" / "model.safetensors"
    assert called("inspect", new, "--plan", path) == 1
    capsys.readouterr()
    assert called("inspect", new, "--plan", path, *keep) == 0
    assert "14 exactly as planned" in capsys.readouterr().out
    assert called("plot", new, "-o", tmp_path / "a.html", "--plan", path, *keep) == 0
    assert capsys.readouterr().out.endswith(": 14 tensors, all look freshly initialised\n")
    for row in (99, 100):  # the last that is kept, and the first that is drawn
        changed = load_file(new)
        changed["embed.weight"][row, 3] += 1.0
        save_file(changed, tmp_path / "x.safetensors")
        assert called("inspect", tmp_path / "x.safetensors", "--plan", path, "--seed", 2, *keep, "--json") == 1
        rows = json.loads(capsys.readouterr().out)["tensors"]
        why = ["the bytes are not those of the plan and the seed"]
        assert {row["name"]: row["why"] for row in rows if row["why"]} == {"embed.weight": why}
    assert "--keep must match" in refused(capsys, "inspect", new, "--plan", path, *keep[:2], "--keep", "none")


@pytest.mark.parametrize("verb", ["inspect", "plot"])
def test_what_changes_a_plan_needs_one(
    made: Path, tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails an option is taken and forgotten."""
    out = ["-o", tmp_path / "a.html"] if verb == "plot" else []
    told = refused(capsys, verb, made, *out, "--dtype", "bfloat16", "--like", made)
    assert told.endswith("--dtype, --like must stand with --plan, whose SOURCE they change")
    with pytest.raises(ValueError, match="`like` must be None where there is no `plan`, got"):
        vs.checkpoint.inspect(made, like=made)
    with pytest.raises(ValueError, match="`keep` must be empty where there is no old checkpoint"):
        vs.checkpoint.inspect(made, keep="*")


@pytest.mark.parametrize("verb", ["inspect", "diff"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a missing or broken file is a traceback."""
    path = tmp_path / "x.safetensors"
    more = [path] if verb == "diff" else []
    assert "No such file" in refused(capsys, verb, path, *more)
    path.write_bytes(b"no safetensors file")
    assert "must be a safetensors file" in refused(capsys, verb, path, *more)
    assert "must be the name of a file" in refused(capsys, verb, "a\0b", *more)


@pytest.mark.parametrize(
    ("file", "what"), [("model.npy.index.json", "arrays of NumPy"), (".metadata", "a checkpoint of torch.distributed")]
)
def test_a_checkpoint_that_is_not_read(
    made: Path, tmp_path: Path, file: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails who has written another format learns that a file is missing which was never there."""
    other = tmp_path / "other"
    other.mkdir()
    (other / file).write_bytes(b"")
    told = f"other' must hold files of safetensors, got {what} ({file}), which is written and not read"
    assert told in refused(capsys, "inspect", other)
    assert told in refused(capsys, "diff", made, other)
    assert told in refused(capsys, "plot", other, "-o", tmp_path / "a.html")
    assert told in refused(capsys, "init", spec(tmp_path), "-o", tmp_path / "o", "--seed", 7, "--like", other)
    made.rename(other / "model.safetensors")  # what can be read counts
    assert called("inspect", other) == 0


def test_a_plan_that_is_none_is_refused(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a mistyped plan counts as none, and nothing is compared."""
    assert "SOURCE must be" in refused(capsys, "inspect", made, "--plan", made.with_name("nothing"))
    with pytest.raises(TypeError, match="`plan` must be a Model, got"):
        vs.checkpoint.inspect(made, {"w": (3,)})
