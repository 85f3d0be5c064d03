"""Checkpoints of torch.distributed: what torch, its trainers and its tools load, in the same bytes each time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save

import dcp_ranks
import rank_cases
import varscale as vs
from checkpoint.cases import MODEL, sha
from dcp_cases import SMALL, loaded, made, save
from varscale._command.main import main
from varscale.checkpoint import _dcp, _dcp_write

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (_dcp, _dcp_write):
        monkeypatch.setattr(module, "CHUNK", 1 << 14)


@pytest.mark.parametrize("max_shard", ["5GB", 100_000, 9_000])
def test_torch_loads_it(tmp_path: Path, small_chunks: None, max_shard: Any) -> None:
    """If this fails torch finds other values, of some dtype, shape or chunk."""
    paths = save(MODEL, tmp_path, max_shard=max_shard)
    count = len(paths) - 2
    assert [path.name for path in paths] == [*(f"__{i}_0.distcp" for i in range(count)), "varscale.json", ".metadata"]
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths}
    assert (count == 1) == (max_shard == "5GB")
    assert loaded(MODEL, tmp_path) == made(MODEL)
    stored = dcp.FileSystemReader(tmp_path).read_metadata()
    assert [*stored.state_dict_metadata] == [*MODEL]
    rows = (9_000 if max_shard == 9_000 else 1 << 14) // (96 * 4)
    assert len(stored.state_dict_metadata["wte.weight"].chunks) == -(-700 // rows)


def test_torchs_tools_read_it(tmp_path: Path) -> None:
    """If this fails a checkpoint does not become a file of `torch.save`."""
    save(SMALL, tmp_path / "out")
    dcp_to_torch_save(tmp_path / "out", tmp_path / "file.pt")
    state = torch.load(tmp_path / "file.pt")
    assert {name: tensor.numpy().tobytes() for name, tensor in state.items()} == made(SMALL)


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    """If this fails nobody can tell what it was made of, or a release, a folder or a moment changes its bytes."""
    save(SMALL, tmp_path)
    told = json.loads((tmp_path / "varscale.json").read_text())
    files = told["metadata"].pop("varscale.files")
    assert told == {
        "metadata": {
            "format": "pt", "torch": torch.__version__.split("+")[0], "varscale.plan": SMALL.digest(),
            "varscale.seed": "7", "varscale.stream": "1",
        }
    }  # fmt: skip
    assert files == "3997dae1a670b498133fd78dea41d21cc5794e4a5510ccaa6e5778b4563fb5aa"
    stored = dcp.FileSystemReader(tmp_path).read_metadata().storage_meta
    assert (stored.checkpoint_id, stored.save_id) == (None, f"varscale {SMALL.digest()} 7")


def test_bytes_depend_on_neither_threads_nor_parts(tmp_path: Path, small_chunks: None) -> None:
    """If this fails two machines make two checkpoints of one model and seed."""
    (tmp_path / "config.json").write_text("{}")
    call = {"max_shard": 100_000, "config": tmp_path / "config.json"}
    save(MODEL, tmp_path / "one", **call)
    wanted = sha(tmp_path / "one")
    assert len(wanted) > 8
    with vs.num_threads(1):
        save(MODEL, tmp_path / "two", **call)
    for part in (3, 1, 2):
        assert save(MODEL, tmp_path / "three", part=(part, 3), **call) == []
    paths = vs.checkpoint.finish(tmp_path / "three")
    assert [path.name for path in paths[-3:]] == ["config.json", "varscale.json", ".metadata"]
    for part in range(1, 16):  # more than there are files
        save(MODEL, tmp_path / "many", part=(part, 15), **call)
    vs.checkpoint.finish(tmp_path / "many")
    assert [sha(tmp_path / name) for name in ("two", "three", "many")] == [wanted] * 3


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("dcp")
    vs.checkpoint.save(dcp_ranks.MODEL, folder / "step-0", 7, format="dcp", max_shard=3_000)
    names = [case.__name__ for case in dcp_ranks.CASES]
    return rank_cases.spawned(dcp_ranks.work, (str(folder / "step-0"),), names, 2, folder)


@pytest.mark.parametrize("case", [case.__name__ for case in dcp_ranks.CASES])
def test_every_rank_loads_its_shards(found: dict[str, list[str]], case: str) -> None:
    """If this fails a rank of FSDP2, of tensor parallelism or of torchtitan does not get the model's values."""
    assert found[case] == ["exact"] * 2


def test_metadata_do_not_depend_on_what_was_in_memory(tmp_path: Path) -> None:
    """If this fails who joins the parts of others gets other metadata than who made all of them."""
    save(SMALL, tmp_path / "one")
    for part in (1, 2):
        save(SMALL, tmp_path / "two", part=(part, 2))
    code = "import sys, varscale as vs; vs.checkpoint.finish(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "two")], check=True)
    assert sha(tmp_path / "two") == sha(tmp_path / "one")


def test_torch_asks_in_our_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails another torch, which asks in another order, writes one tensor's values as another one's."""
    real = _dcp_write._Torch.write_data

    def reversed_(self: Any, plan: Any, planner: Any) -> Any:
        plan.items.reverse()
        return real(self, plan, planner)

    monkeypatch.setattr(_dcp_write._Torch, "write_data", reversed_)
    with pytest.raises(RuntimeError, match=r"torch must write 'h\.0\.weight' now, asks for 'h\.11\.weight'"):
        save(SMALL, tmp_path)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (((4,), "int4", vs.Zeros()), "parameter 'a': `dtype` must be one that torch has, got 'int4'"),
        (((0, 2**63), None, vs.Zeros()), "parameter 'a': `shape` must have extents below 2"),
    ],
)
def test_tensors_that_torch_has_not(tmp_path: Path, entry: Any, message: str) -> None:
    """If this fails a tensor that torch cannot hold ends in a traceback."""
    with pytest.raises(ValueError, match=message):
        save(vs.Model({"a": entry}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_without_tensors(tmp_path: Path) -> None:
    """If this fails an empty model ends in an error."""
    assert [path.name for path in save(vs.Model({}), tmp_path)] == ["varscale.json", ".metadata"]
    assert loaded(vs.Model({}), tmp_path) == {}


def test_rows_that_exist_stay(tmp_path: Path, small_chunks: None) -> None:
    """If this fails rows that were trained are drawn anew, or stand in the wrong chunk."""
    old = vs.Model({"a.weight": (90, 70), "b.weight": (50, 60)}, layout="torch")
    new = vs.Model({"a.weight": (120, 70), "b.weight": (50, 60)}, layout="torch")
    vs.checkpoint.save(old, tmp_path / "old", 3)
    save(new, tmp_path / "new", like=tmp_path / "old", keep="a.*")
    found, kept, drawn = loaded(new, tmp_path / "new"), made(old, 3)["a.weight"], made(new)
    assert found["a.weight"] == kept + drawn["a.weight"][len(kept) :]
    assert found["b.weight"] == drawn["b.weight"]


def test_the_command(tmp_path: Path) -> None:
    """If this fails `--format dcp` does not reach the files, or `--finish` does not join them."""
    (tmp_path / "net.toml").write_text('layout = "torch"\n[parameters]\n"a.weight" = [30, 20]\n"b.weight" = [20, 30]\n')
    call = [
        "init",
        str(tmp_path / "net.toml"),
        "-o",
        str(tmp_path / "out"),
        "--seed",
        "7",
        "--format",
        "dcp",
        "--quiet",
    ]
    for part in ("2/2", "1/2"):
        assert main([*call, "--max-shard", "2400", "--part", part]) == 0
    assert main(["init", "--finish", "-o", str(tmp_path / "out"), "--quiet"]) == 0
    model = vs.Model({"a.weight": (30, 20), "b.weight": (20, 30)}, layout="torch")
    assert loaded(model, tmp_path / "out") == made(model)
    assert len(list((tmp_path / "out").glob("*.distcp"))) == 2


MEMORY = """
import resource, sys, varscale as vs
import varscale.checkpoint._dcp
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = vs.Model({"a.weight": ((75_000, 4096), "bfloat16")}, layout="torch")
vs.checkpoint.save(model, sys.argv[1], 7, format="dcp")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the figure is Linux's")
def test_a_tensor_may_be_larger_than_memory(tmp_path: Path) -> None:
    """If this fails a tensor is whole in memory: 614 MB here."""
    run = subprocess.run([sys.executable, "-c", MEMORY, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 256_000
