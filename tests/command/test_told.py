"""What `varscale init` tells of what it finds, in the words of the command."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from command.cases import called, refused, spec

pytestmark = pytest.mark.thread_unsafe(reason="standard output")


@pytest.mark.parametrize("more", [(), ("--quiet",)])
def test_a_config_that_stays_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]) -> None:
    """If this fails new weights lie beside the config of another network, and nobody says so."""
    path, out = spec(tmp_path), tmp_path / "out"
    out.mkdir()
    (out / "config.json").write_text("{}")
    assert called("init", path, "-o", out, "--seed", 6) == 0
    assert capsys.readouterr().err == ""  # who has put it there wants it there
    assert called("init", path, "-o", out, "--seed", 7, "--force", *more) == 0
    left = (
        f"{str(out / 'config.json')!r} may be that of another network, and stays as it is: the new weights bring none"
    )
    assert capsys.readouterr().err == f"varscale: warning: {left}\n"
    assert called("init", path, "-o", out, "--seed", 7, "--resume", "--force", *more) == 0
    assert capsys.readouterr().err == ""  # nothing was written
    assert (out / "config.json").read_text() == "{}"


def test_a_config_beside_its_source_is_not_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails who makes a network anew in its own folder is warned of the network's own config."""
    path = spec(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert called("init", path, "-o", tmp_path, "--seed", 7) == 0
    assert called("init", tmp_path / "model.safetensors", "-o", tmp_path, "--seed", 8, "--force") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--seed 7 --part 1/2", "holds the unfinished part 1 of 2 of this checkpoint: --resume goes on with it"),
        (
            "--seed 7 --part 1/2 --force",
            "--force must stand without --part: remove what is in the folder, or give it to --finish",
        ),
        ("--seed 8 --part 1/2", "another seed, 7, not 8: remove WORK to drop it"),
        ("--seed 8 --resume", "another seed, 7, not 8: --force drops it"),
        (
            "--seed 7",
            "another number of parts, 2, not 1: --resume with each --part of 2, and then --finish, end it, "
            "--force drops it",
        ),
        ("--seed 7 --format npy", "another format, safetensors, not npy: --force drops it"),
        ("--finish", "must hold all 2 parts, lacks 2: make them, those that were ended by --resume"),
    ],
)
def test_arguments_are_told_by_their_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    """If this fails the command tells of arguments that it has not, or of a mend that is refused too."""
    path, out = spec(tmp_path), tmp_path / "out"
    assert called("init", path, "-o", out, "--seed", 7, "--part", "1/2") == 0
    source = [] if arguments == "--finish" else [path]
    error = refused(capsys, "init", *source, "-o", out, *arguments.split())
    assert error.endswith(message.replace("WORK", str(out / ".varscale")))


def test_a_full_disk_is_told_by_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails the mend of a full disk is one of Python's."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    error = refused(capsys, "init", spec(tmp_path), "-o", tmp_path / "out", "--seed", 7)
    assert error.endswith("out: no room is left on the disk: make some, and go on with --resume")


def test_a_read_only_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails who may not write learns neither where nor why."""

    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    error = refused(capsys, "init", spec(tmp_path), "-o", tmp_path / "out", "--seed", 7)
    mend = "choose another folder, or have this one made writable"
    assert error == f"varscale: error: {tmp_path / 'out'}: Permission denied: {mend}"


def test_a_package_that_lacks_is_told_by_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails errors of imports, which keep their words elsewhere, name arguments of Python."""
    monkeypatch.setitem(sys.modules, "torch", None)
    arguments = ("-o", tmp_path / "out", "--seed", 7, "--format", "dcp", "--rule", "*=normal(0.0, 0.02)")
    assert "error: --format 'dcp' needs a package" in refused(capsys, "init", spec(tmp_path), *arguments)


def test_words_of_files_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a mistake in a file is told as one of an option that was not given."""
    path = spec(tmp_path, 'layout = "onnx"\n[parameters]\n"a.weight" = [3, 4]\n')
    assert "net.toml: `layout` must be" in refused(capsys, "init", path, "-o", tmp_path / "out", "--seed", 7)
    path = spec(tmp_path, 'rules = [["x", "zeros"]]\n[parameters]\n"a.bias" = [3]\n')
    assert "net.toml: `rules` must match" in refused(capsys, "init", path, "-o", tmp_path / "out", "--seed", 7)
    path = spec(tmp_path, '[parameters]\n"a.phase" = { shape = [3], dtype = "complex128", initializer = "normal" }\n')
    assert "'a.phase': `dtype` must be" in refused(capsys, "init", path, "-o", tmp_path / "out", "--seed", 7)
