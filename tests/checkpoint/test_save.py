"""Checkpoints: the values of the model, in the bytes that others write and read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import TensorSpec, safe_open, serialize
from safetensors.numpy import load_file

import varscale as vs
from checkpoint.cases import MODEL, parsed, sha, small_pieces

pytestmark = pytest.mark.thread_unsafe(reason="patches the size of pieces, or sets the threads")


def theirs(weights: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """What the library writes of these arrays."""
    kept = {name: values.copy(order="C") for name, values in weights.items()}
    specs = {
        name: TensorSpec(
            dtype=values.dtype.name, shape=list(values.shape), data_ptr=values.ctypes.data, data_len=values.nbytes
        )
        for name, values in kept.items()
    }
    return bytes(serialize(specs, metadata=metadata))


def test_a_file_is_what_the_library_writes_of_the_models_values(tmp_path: Path) -> None:
    """If this fails a file is no safetensors file, or holds other values than the model."""
    [path] = vs.checkpoint.save(MODEL, tmp_path / "out", 7)
    assert path == tmp_path / "out" / "model.safetensors"
    header, values = parsed(path)
    expected = tmp_path / "theirs"
    expected.write_bytes(theirs(MODEL.init(7), header[0][1]))
    wanted, wanted_values = parsed(expected)
    assert header == wanted  # the order of metadata apart, in which the library puts it by chance
    assert values == wanted_values
    assert path.stat().st_size == expected.stat().st_size
    assert [item.name for item in (tmp_path / "out").iterdir()] == ["model.safetensors"]


def test_the_library_reads_it(tmp_path: Path) -> None:
    """If this fails safetensors' own reader does not find the values."""
    model = vs.Model({"a.weight": (300, 70), "b.weight": ((5, 5), "float16"), "c.bias": (9,)}, layout="torch")
    [path] = vs.checkpoint.save(model, tmp_path, 3)
    read, made = load_file(path), model.init(3)
    assert read.keys() == made.keys()
    assert all(read[name].dtype == made[name].dtype and (read[name] == made[name]).all() for name in made)


def test_metadata_say_what_it_is_and_no_version(tmp_path: Path) -> None:
    """If this fails nobody can tell what a file was made of, or a release changes its bytes."""
    [path] = vs.checkpoint.save(MODEL, tmp_path, 7)
    with safe_open(path, "numpy") as file:
        assert file.metadata() == {
            "format": "pt", "varscale.plan": MODEL.digest(), "varscale.seed": "7", "varscale.stream": "1",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "layout", "word"),
    [
        ("torch", None, "pt"), ("keras", None, "tf"), ("jax", None, "flax"), ("mlx", None, "mlx"), (None, None, None),
        (None, "torch", "pt"), ("jax", "torch", "pt"),
    ],
)  # fmt: skip
def test_the_layout_is_told(tmp_path: Path, model: str | None, layout: str | None, word: str | None) -> None:
    """If this fails a reader that asks for the format refuses the file, or reads it as another framework's."""
    [path] = vs.checkpoint.save(vs.Model({"b.bias": (4,)}, layout=model), tmp_path, 1, layout=layout)
    assert parsed(path)[0][0][1].get("format") == word


def test_bytes_depend_on_neither_threads_nor_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails two machines make two checkpoints of one model and seed."""
    vs.checkpoint.save(MODEL, tmp_path / "0", 7, max_shard=100_000)
    wanted = sha(tmp_path / "0")
    assert len(wanted) > 4
    for number, (size, threads) in enumerate([(1 << 24, 1), (1 << 24, 2), (1 << 12, 2), (1 << 16, 1), (50_001, 2)], 1):
        small_pieces(monkeypatch, size, 1 << 17)
        with vs.num_threads(threads):
            vs.checkpoint.save(MODEL, tmp_path / str(number), 7, max_shard=100_000)
        assert sha(tmp_path / str(number)) == wanted


def test_an_index_tells_where_tensors_are(tmp_path: Path) -> None:
    """If this fails a reader of several files does not find a tensor."""
    paths = vs.checkpoint.save(MODEL, tmp_path, 7, max_shard="0.1MB")
    names = [path.name for path in paths]
    assert names == [f"model-{i:05}-of-00005.safetensors" for i in range(1, 6)] + ["model.safetensors.index.json"]
    index = json.loads(paths[-1].read_text(encoding="utf-8"))
    assert index["metadata"] == {"total_parameters": MODEL.size, "total_size": MODEL.nbytes}
    found = {name: path.name for path in paths[:-1] for name, _ in parsed(path)[0][1:]}
    assert index["weight_map"] == found
    assert found.keys() == MODEL.keys()
    # A tensor that is too large has a file of its own; no other one is larger than asked for.
    assert all(len(parsed(path)[1]) <= 100_000 or len(parsed(path)[0]) == 2 for path in paths[:-1])
    assert vs.Model(paths[-1], [("*", vs.Zeros())]).keys() == MODEL.keys()


def test_progress_reaches_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a bar stops before its end, or goes beyond it."""
    small_pieces(monkeypatch, 1 << 14, 1 << 15)
    seen: list[tuple[int, int]] = []
    vs.checkpoint.save(MODEL, tmp_path, 7, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (MODEL.nbytes, MODEL.nbytes)
    assert len({done for done, _ in seen}) > 1


def test_a_config_lies_beside(tmp_path: Path) -> None:
    """If this fails `from_pretrained` does not know what network the weights are of."""
    (tmp_path / "config.json").write_text('{"a": 1}')
    vs.checkpoint.save(MODEL, tmp_path / "out", 7, config=tmp_path / "config.json")
    assert (tmp_path / "out" / "config.json").read_text() == '{"a": 1}'
    # Where it is there already it stays.
    vs.checkpoint.save(MODEL, tmp_path, 7, config=tmp_path / "config.json")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["config.json", "model.safetensors", "out"]


def test_a_config_that_stays_is_told(tmp_path: Path) -> None:
    """If this fails new weights lie beside the config of another network, and nobody says so."""
    (tmp_path / "config.json").write_text("{}")
    vs.checkpoint.save(MODEL, tmp_path, 6)  # who has put it there wants it there
    with pytest.warns(UserWarning, match=r"config\.json' may be that of another network, and stays") as caught:
        vs.checkpoint.save(MODEL, tmp_path, 7, force=True)
    assert [warning.filename for warning in caught] == [__file__]
    vs.checkpoint.save(MODEL, tmp_path, 8, config=tmp_path / "config.json", force=True)
    assert (tmp_path / "config.json").read_text() == "{}"


def test_a_model_without_tensors(tmp_path: Path) -> None:
    """If this fails an empty model ends in an error."""
    [path] = vs.checkpoint.save(vs.Model({}), tmp_path, 7)
    assert load_file(path) == {}
