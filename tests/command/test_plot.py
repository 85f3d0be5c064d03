"""`varscale plot`: what it writes, and when it refuses to."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from command.cases import called, refused, spec

pytestmark = pytest.mark.thread_unsafe(reason="captures standard output")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A checkpoint of the spec."""
    assert called("init", spec(tmp_path), "-o", tmp_path / "out", "--seed", 7, "--quiet") == 0
    return tmp_path / "out" / "model.safetensors"


def test_a_page_is_written_as_a_whole(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails there is no page, or half of one, or something lies beside it."""
    folder = tmp_path / "pages"
    folder.mkdir()
    out = folder / "report.html"
    assert called("plot", made, "-o", out, "--plan", spec(tmp_path)) == 0
    assert capsys.readouterr().out == f"{out}: 14 tensors, all look freshly initialised\n"
    first = out.read_bytes()
    assert first.endswith(b"</html>\n")
    assert [path.name for path in folder.iterdir()] == ["report.html"]
    arrays = load_file(made)
    arrays["embed.weight"][3] = np.nan
    save_file(arrays, tmp_path / "x.safetensors")
    assert called("plot", tmp_path / "x.safetensors", "-o", out, "--force") == 0
    assert capsys.readouterr().out.endswith("14 tensors, 1 do not look freshly initialised\n")
    assert out.read_bytes() != first


def test_nothing_is_overwritten(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a report is lost, or a checkpoint is, by a slip in a command."""
    out = tmp_path / "report.html"
    out.write_text("mine")
    assert "is there already: choose another name, or overwrite it by --force" in refused(
        capsys, "plot", made, "-o", out
    )
    out.with_name("a.png").write_text("mine")
    assert "a.png' is there already" in refused(capsys, "plot", made, "-o", tmp_path / "a.html", "--png")
    assert not (tmp_path / "a.html").exists()
    assert out.read_text() == out.with_name("a.png").read_text() == "mine"
    assert "OUT must be the name of a page" in refused(capsys, "plot", made, "-o", made, "--force")
    assert "OUT must be the name of a page" in refused(capsys, "plot", made, "-o", "a\0.html")
    assert "must be a file in a folder that is there" in refused(capsys, "plot", made, "-o", tmp_path / "no" / "a.html")
    (tmp_path / "b.html").mkdir()
    assert "must be a file in a folder" in refused(capsys, "plot", made, "-o", tmp_path / "b.html", "--force")
    assert "No such file" in refused(capsys, "plot", tmp_path / "none", "-o", tmp_path / "c.html")


def test_a_full_disk_leaves_nothing(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails half of a page lies on a disk that has no room for the whole."""
    out = tmp_path / "report.html"
    out.write_text("mine")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    before = sorted(tmp_path.iterdir())
    assert called("plot", made, "-o", out, "--force") == 2
    assert sorted(tmp_path.iterdir()) == before
    assert out.read_text() == "mine"


def test_a_picture_for_papers(made: Path, tmp_path: Path) -> None:
    """If this fails `--png` draws nothing."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    assert called("plot", made, "-o", tmp_path / "a.html", "--png", "--plan", spec(tmp_path)) == 0
    picture = pyplot.imread(tmp_path / "a.png")
    assert picture.shape[1] == 1360
    assert 0.01 < (picture[..., :3].min(axis=-1) < 0.7).mean() < 0.5
    assert (tmp_path / "a.html").exists()


def test_a_picture_needs_matplotlib(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails who has no matplotlib gets a traceback after all was read, or not even a page."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert called("plot", made, "-o", tmp_path / "a.html") == 0
    told = refused(capsys, "plot", made, "-o", tmp_path / "b.html", "--png")
    assert told.endswith("pip install 'varscale[plot]'")
    assert not (tmp_path / "b.html").exists()
