"""Steps of a run that its result does not show."""

from __future__ import annotations

from pathlib import Path

import pytest

import varscale as vs
from checkpoint.cases import MODEL, small_pieces
from varscale.checkpoint._files import files
from varscale.checkpoint._pieces import pieces
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
