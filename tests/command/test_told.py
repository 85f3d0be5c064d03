"""What `varscale init` tells of what it finds, in the words of the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from command.cases import called, spec

pytestmark = pytest.mark.thread_unsafe(reason="standard output")


@pytest.mark.parametrize("more", [(), ("--part", "1/2"), ("--quiet",)])
def test_a_config_that_stays_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]) -> None:
    """If this fails new weights lie beside the config of another network, and nobody says so."""
    path, out = spec(tmp_path), tmp_path / "out"
    out.mkdir()
    (out / "config.json").write_text("{}")
    assert called("init", path, "-o", out, "--seed", 7, *more) == 0
    left = (
        f"{str(out / 'config.json')!r} may be that of another network, and stays as it is: the new weights bring none"
    )
    assert capsys.readouterr().err == f"varscale: warning: {left}\n"
    assert (out / "config.json").read_text() == "{}"


def test_a_config_beside_its_source_is_not_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails who makes a network anew in its own folder is warned of the network's own config."""
    path = spec(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert called("init", path, "-o", tmp_path, "--seed", 7) == 0
    assert called("init", tmp_path / "model.safetensors", "-o", tmp_path, "--seed", 8, "--force") == 0
    assert capsys.readouterr().err == ""
