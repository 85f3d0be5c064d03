"""Steps of a run that its result does not show."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np
import pytest

import varscale as vs
from checkpoint.cases import MODEL, small_pieces
from varscale.checkpoint import _pieces, _write
from varscale.checkpoint._files import files
from varscale.checkpoint._pieces import pieces
from varscale.checkpoint._plan import Plan, plan
from varscale.checkpoint._work import Work

pytestmark = pytest.mark.thread_unsafe(reason="patches the size of pieces")


def test_what_costs_the_whole_is_made_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails an orthogonal matrix is made once for each of its pieces; or a large table takes its memory."""
    small_pieces(monkeypatch, 1 << 10)
    cut = [*pieces(files(MODEL, "5GB", {}), MODEL.lazy(7))]
    spans = [span.name for piece in cut for span in piece.spans]
    assert spans.count("h.0.ortho.weight") == 1
    assert spans.count("wte.weight") > 100
    assert [piece.number for piece in cut] == [*range(len(cut))]
    assert all(piece.nbytes <= 1 << 10 or len(piece.spans) == 1 for piece in cut)


def planned(folder: Path, parts: int, **options: Any) -> Plan:
    """The plan of the model."""
    rest: dict[str, Any] = {"layout": None, "config": None, "like": None, "keep": ()}
    return plan(MODEL, folder, 7, parts, **{"format": "safetensors", "max_shard": 100_000, **rest, **options})


@pytest.mark.parametrize("parts", [1, 2, 7, 40])
@pytest.mark.parametrize("format", ["safetensors", "npy"])
def test_parts_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, parts: int) -> None:
    """If this fails a part lacks a piece or has another's, so that a checkpoint has zeros or a run cannot go on."""
    small_pieces(monkeypatch, 1 << 14)
    whole = planned(tmp_path, parts, format=format)
    assert [*chain.from_iterable(map(whole.part, range(1, parts + 1)))] == [
        *whole.format.pieces(whole.files, whole.tensors)
    ]
    assert [len([*whole.part(place)]) for place in range(1, parts + 1)] == [*map(len, whole.record.ranges())]


def test_a_part_does_not_cut_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails each of a thousand parts cuts the whole checkpoint, which takes longer than making it."""
    small_pieces(monkeypatch, 1 << 14)
    whole = planned(tmp_path, 20)
    cut: list[str] = []
    spans: Callable[..., Any] = _pieces.spans
    monkeypatch.setattr(_pieces, "spans", lambda name, tensor: (cut.append(name), spans(name, tensor))[1])
    for place in range(1, 21):
        cut.clear()
        mine = {piece.file for piece in whole.part(place)}
        assert set(cut) <= {name for file in mine for name in whole.files[file].tensors}


def test_there_is_one_large_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails several matrices that are made whole are in memory at once, each as large as may just fit there."""
    small_pieces(monkeypatch, 1 << 12)
    made: list[ref[Any]] = []
    sizes: list[list[int]] = []

    def new_array(shape: tuple[int, ...], dtype: Any) -> Any:
        buffer = np.empty(shape, dtype)
        made.append(ref(buffer))
        sizes.append([held.size for each in made if (held := each()) is not None])
        return buffer

    def slowly(stream: Any, data: Any) -> None:
        time.sleep(0.02)
        write(stream, data)

    write = _write._write
    monkeypatch.setattr(_write, "new_array", new_array)
    monkeypatch.setattr(_write, "_write", slowly)
    rules = [("table", vs.Zeros()), ("*", vs.Orthogonal())]
    shapes = {"a": (48, 48), "b": (40, 48), "c": (64, 64), "d": (64, 64), "table": (99, 99), "z": (50, 50)}
    vs.checkpoint.save(vs.Model(shapes, rules, layout="torch"), tmp_path, 7)
    assert max(sum(size > 1 << 12 for size in held) for held in sizes) == 1
    assert max(map(len, sizes)) <= 5


def test_a_torn_line_does_not_count(tmp_path: Path) -> None:
    """If this fails a piece that was never made counts as finished, because a kill cut the line of another one."""
    work = Work(tmp_path)
    work.folder.mkdir()
    work.journal(1, 1).write_bytes(b"0\n17\n12")
    assert work.finished(1, 1) == {0, 17}
    work.journal(1, 1).write_bytes(b"0\nx\n")
    with pytest.raises(ValueError, match="must be numbers of pieces"):
        work.finished(1, 1)


def test_the_index_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails readers find an index whose files are not there."""
    moved: list[str] = []
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if Path(target).parent == tmp_path:
            moved.append(Path(target).name)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    (tmp_path / "config.json").write_text("{}")
    out = tmp_path
    paths = vs.checkpoint.save(MODEL, out, 7, max_shard=100_000)
    assert moved == [path.name for path in paths]
    assert moved[-1] == "model.safetensors.index.json"
