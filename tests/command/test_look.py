"""The verbs that look: `inspect`, `diff` and `describe`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import varscale as vs
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


@pytest.mark.parametrize("verb", ["inspect", "diff"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a missing or broken file is a traceback."""
    path = tmp_path / "x.safetensors"
    more = [path] if verb == "diff" else []
    assert "No such file" in refused(capsys, verb, path, *more)
    path.write_bytes(b"no safetensors file")
    assert "must be a safetensors file" in refused(capsys, verb, path, *more)
    assert "must be the name of a file" in refused(capsys, verb, "a\0b", *more)


def test_a_plan_that_is_none_is_refused(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a mistyped plan counts as none, and nothing is compared."""
    assert "SOURCE must be" in refused(capsys, "inspect", made, "--plan", made.with_name("nothing"))
    with pytest.raises(TypeError, match="`plan` must be a Model, got"):
        vs.checkpoint.inspect(made, {"w": (3,)})
