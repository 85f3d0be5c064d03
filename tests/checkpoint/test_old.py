"""Old checkpoints: the rows that exist stay, and new ones are drawn."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import varscale as vs
from checkpoint.cases import parsed, sha, small_pieces

pytestmark = pytest.mark.thread_unsafe(reason="patches the size of pieces")

OLD = {"wte.weight": (50, 12), "h.0.weight": (12, 12), "ln.bias": (12,), "gone.weight": (3, 3)}
NEW = vs.Model(
    {"wte.weight": (57, 12), "h.0.weight": (12, 12), "h.1.weight": (12, 12), "ln.bias": ((12,), "float16")},
    [("ln.bias", vs.RandomNormal())],
    layout="torch",
)


@pytest.fixture
def old(tmp_path: Path) -> dict[str, np.ndarray]:
    """Trained weights, in a file and in a folder of several."""
    weights = vs.Model(OLD, [("*", vs.RandomNormal(5.0, 1.0))]).init(1)
    save_file(weights, tmp_path / "old.safetensors")
    vs.checkpoint.save(vs.Model(OLD, [("*", vs.RandomNormal(5.0, 1.0))]), tmp_path / "old", 1, max_shard=700)
    return weights


@pytest.mark.parametrize("like", ["old.safetensors", "old", "old/model.safetensors.index.json"])
@pytest.mark.parametrize("size", [1 << 24, 100])
def test_rows_that_exist_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: dict[str, np.ndarray], like: str, size: int
) -> None:
    """If this fails a vocabulary that grows loses what was learnt, or a new row is not drawn."""
    small_pieces(monkeypatch, size)
    [path] = vs.checkpoint.save(NEW, tmp_path / "new", 7, like=tmp_path / like)
    read, drawn = load_file(path), NEW.init(7)
    assert (read["wte.weight"][:50] == old["wte.weight"]).all()
    assert (read["wte.weight"][50:] == drawn["wte.weight"][50:]).all()
    assert (read["h.0.weight"] == old["h.0.weight"]).all()
    assert (read["h.1.weight"] == drawn["h.1.weight"]).all()
    assert (read["ln.bias"] == old["ln.bias"].astype(np.float16)).all()


def test_a_pattern_says_what_is_kept(tmp_path: Path, old: dict[str, np.ndarray]) -> None:
    """If this fails `keep` keeps too much or too little."""
    [path] = vs.checkpoint.save(NEW, tmp_path / "new", 7, like=tmp_path / "old", keep=["h.*", "ln.bias"])
    read, drawn = load_file(path), NEW.init(7)
    assert (read["wte.weight"] == drawn["wte.weight"]).all()
    assert (read["h.0.weight"] == old["h.0.weight"]).all()
    assert (read["ln.bias"] != drawn["ln.bias"]).any()
    assert "varscale.kept" in parsed(path)[0][0][1]
    with pytest.raises(ValueError, match=r"`keep` must match tensors that .* has too, got 'gone\.weight'"):
        vs.checkpoint.save(NEW, tmp_path / "other", 7, like=tmp_path / "old", keep="gone.weight")


def test_bfloat16_is_kept_bit_for_bit(tmp_path: Path) -> None:
    """If this fails what was trained in 16 bits changes."""
    model = vs.Model({"a.weight": ((40, 30), "bfloat16")}, layout="torch")
    vs.checkpoint.save(model, tmp_path / "old", 1)
    vs.checkpoint.save(model, tmp_path / "new", 2, like=tmp_path / "old")
    values = [parsed(tmp_path / name / "model.safetensors")[1] for name in ("old", "new")]
    assert values[0] == values[1] == model.init(1)["a.weight"].astype(ml_dtypes.bfloat16).tobytes()


@pytest.mark.parametrize("shape", [(40, 12), (57, 11), (57,), (57, 12, 1)])
def test_other_shapes_are_refused(tmp_path: Path, old: dict[str, np.ndarray], shape: tuple[int, ...]) -> None:
    """If this fails rows are cut off, or values land in other columns."""
    model = vs.Model({"wte.weight": shape}, [("*", vs.Zeros())])
    with pytest.raises(
        ValueError, match=r"parameter 'wte\.weight': the old shape \(50, 12\) must be that of the first"
    ):
        vs.checkpoint.save(model, tmp_path / "new", 7, like=tmp_path / "old")


def test_another_old_checkpoint_is_another_run(tmp_path: Path, old: dict[str, np.ndarray]) -> None:
    """If this fails a run goes on with the values of another checkpoint than it began with."""

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vs.checkpoint.save(NEW, tmp_path / "new", 7, like=tmp_path / "old", progress=interrupt)
    with pytest.raises(ValueError, match="with other files, or another old checkpoint"):
        vs.checkpoint.save(NEW, tmp_path / "new", 7, like=tmp_path / "old.safetensors", resume=True)
    vs.checkpoint.save(NEW, tmp_path / "new", 7, like=tmp_path / "old", resume=True)
    vs.checkpoint.save(NEW, tmp_path / "whole", 7, like=tmp_path / "old")
    assert sha(tmp_path / "new") == sha(tmp_path / "whole")
