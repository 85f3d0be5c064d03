"""`varscale init`: its options, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import varscale as vs
from command.cases import called, refused, sha, spec
from varscale._command import progress
from varscale._command.source import read_source

pytestmark = pytest.mark.thread_unsafe(reason="standard output")


def test_options_reach_the_files(tmp_path: Path) -> None:
    """If this fails an option is taken and forgotten."""
    path = spec(tmp_path)
    arguments = [
        "--dtype",
        "float16",
        "--max-shard",
        "9000",
        "--threads",
        "1",
        "--rule",
        "*.q.weight=uniform(-1.0, 1.0)",
    ]
    assert called("init", path, "-o", tmp_path / "out", "--seed", "-7", "--names", "layers.1.*", *arguments) == 0
    files = sorted((tmp_path / "out").glob("*.safetensors"))
    arrays = {name: array for file in files for name, array in load_file(file).items()}
    assert len(files) > 1
    assert len(arrays) == 4
    assert {array.dtype.name for array in arrays.values()} == {"float16"}
    own = vs.RandomUniform(-1.0, 1.0, seed=-7).fold_in("layers.1.q.weight")
    assert (arrays["layers.1.q.weight"] == own((32, 32), "float16")).all()


def test_counters_and_masks_keep_their_dtype(tmp_path: Path) -> None:
    """If this fails `--dtype` makes a half of a counter."""
    path = spec(tmp_path, '[parameters]\n"bn.num_batches_tracked" = []\n"bn.weight" = [3]\n')
    assert called("init", path, "-o", tmp_path / "out", "--seed", 7, "--dtype", "bfloat16", "--quiet") == 0
    model = read_source(str(tmp_path / "out"), [], None).model
    assert [entry.dtype.name for entry in model.values()] == ["int64", "bfloat16"]


def test_an_old_checkpoint_is_kept(tmp_path: Path) -> None:
    """If this fails `--like` and `--keep` do nothing."""
    path = spec(tmp_path)
    assert called("init", path, "-o", tmp_path / "old", "--seed", 1, "--quiet") == 0
    path.write_text(path.read_text().replace("[100, 32]", "[120, 32]"))
    like = ("--like", tmp_path / "old", "--keep", "embed.*", "--keep", "layers.1.*")
    assert called("init", path, "-o", tmp_path / "new", "--seed", 2, "--quiet", *like) == 0
    old, new = (load_file(tmp_path / name / "model.safetensors") for name in ("old", "new"))
    assert (new["embed.weight"][:100] == old["embed.weight"]).all()
    assert (new["layers.1.q.weight"] == old["layers.1.q.weight"]).all()
    assert (new["layers.2.q.weight"] != old["layers.2.q.weight"]).any()


def test_parts_are_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails an array of jobs makes another checkpoint than one job."""
    arguments = ("init", spec(tmp_path), "--seed", 7, "--max-shard", "10KB")
    assert called(*arguments, "-o", tmp_path / "one") == 0
    for part in ("2/3", "1/3", "3/3"):
        assert called(*arguments, "-o", tmp_path / "three", "--part", part) == 0
    assert "part 3 of 3, which --finish joins" in capsys.readouterr().out
    assert called("init", "--finish", "-o", tmp_path / "three", "--json") == 0
    assert sha(tmp_path / "three") == sha(tmp_path / "one")
    assert {*json.loads(capsys.readouterr().out)["files"]} == sha(tmp_path / "one").keys()


def test_a_folder_of_arrays(tmp_path: Path) -> None:
    """If this fails `--format` does not reach the files."""
    assert called("init", spec(tmp_path), "-o", tmp_path / "out", "--seed", 7, "--format", "npy", "--quiet") == 0
    own = vs.lecun_normal(7, in_axis=1, out_axis=0).fold_in("layers.1.q.weight")
    assert (np.load(tmp_path / "out" / "layers.1.q.weight.npy") == own((32, 32))).all()


def test_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a log is full of bars, or a machine finds something else than JSON."""
    path = spec(tmp_path)
    assert called("init", path, "-o", tmp_path / "a", "--seed", 7) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith(f"{tmp_path / 'a'}: 1 file, 14 tensors, 86,784 bytes in ")
    assert printed.out.count("\n") == 1
    assert called("init", path, "-o", tmp_path / "b", "--seed", 7, "--quiet", "--json") == 0
    assert capsys.readouterr() == ("", "")
    assert called("init", path, "-o", tmp_path / "c", "--seed", 7, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["progress", "done"]
    assert lines[0] | {"seconds": 0} == {"event": "progress", "bytes": 86784, "of": 86784, "tensors": 14, "seconds": 0}
    assert lines[1]["files"] == ["model.safetensors"]
    assert lines[1]["plan"] == read_source(str(path), [], None).model.digest()


def test_a_bar_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails nobody sees how far hours of work are; or who has no tqdm gets an error."""
    path = spec(tmp_path)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert called("init", path, "-o", tmp_path / "a", "--seed", 7) == 0
    bar = capsys.readouterr().err
    assert "100%" in bar
    assert "14 of 14 tensors" in bar
    monkeypatch.setattr(progress, "_bar", lambda total: None)
    assert called("init", path, "-o", tmp_path / "b", "--seed", 7) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "varscale init: error: the following arguments are required: -o/--out"),
        (["-o", "OUT"], "SOURCE must be given"),
        (["SPEC", "-o", "OUT"], "--seed must be given"),
        (["SPEC", "-o", "OUT", "--seed", "x"], "argument --seed: invalid int value: 'x'"),
        (["SPEC", "-o", "OUT", "--seed", "9" * 5000], "argument --seed: invalid int value"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--dtype", "int8"], "--dtype must be a dtype of real numbers"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--dtype", "brain"], "--dtype must name a dtype"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--names", "x.*"], "--names must match a tensor, got 'x.*'"),
        (
            ["SPEC", "-o", "OUT", "--seed", "1", "--keep", "x.*"],
            "--keep must be empty where there is no old checkpoint --like",
        ),
        (["SPEC", "-o", "OUT", "--seed", "1", "--like", "none"], "none"),
        (
            ["SPEC", "-o", "OUT", "--seed", "1", "--part", "3"],
            "--part must be I/N, such as 2/4, with I from 1 to N and N at most 10,000, got '3'",
        ),
        (["SPEC", "-o", "OUT", "--seed", "1", "--part", "3/2"], "10,000, got '3/2'"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--threads", "0"], "--threads must be an integer from 1"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--max-shard", "big"], "--max-shard must be a positive number"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--rule", "x=zeros"], "--rule must match a tensor, got the pattern 'x'"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--format", "onnx"], "argument --format: invalid choice"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--layout", "onnx"], "argument --layout: invalid choice"),
        (["SPEC", "-o", "SPEC", "--seed", "1"], "OUT must be a folder"),
        (["SPEC", "-o", "SPEC/out", "--seed", "1"], "Not a directory"),
        (["--finish", "-o", "OUT"], "must be a folder with parts of a checkpoint"),
        (
            ["SPEC", "--finish", "-o", "OUT"],
            "--finish must stand without what is said of the parts, got SOURCE",
        ),
        (["--finish", "-o", "OUT", "--on", "mpi", "--seed", "0"], "of the parts, got --seed, --on"),
        (["--finish", "-o", "OUT", "--like", "OLD", "--format", "npy", "--resume"], "got --format, --like, --resume"),
        (["--finish", "-o", "OUT", "--dtype", "int8", "--max-shard", "3"], "got --max-shard, --dtype"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--on", "mpi", "--part", "1/2"], "--on must stand without --part"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--on", "dask://host"], "--on must be dask://HOST:PORT, ray://HOST:PORT"),
        (["SPEC", "-o", "OUT", "--seed", "1", "--on", "slurm"], "ray://auto or mpi, got 'slurm'"),
        (["SPEC", "-o", "OUT", "--see", "1"], "unrecognized arguments: --see 1"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """If this fails a slip ends in a page of help or in a traceback, or leaves something behind."""
    path, out = str(spec(tmp_path)), str(tmp_path / "out")
    replaced = [text.replace("SPEC", path).replace("OUT", out) for text in arguments]
    error = refused(capsys, "init", *replaced)
    assert message in error
    assert "\n" not in error
    assert [item.name for item in tmp_path.iterdir()] == ["net.toml"]


@pytest.mark.parametrize(
    ("engine", "package", "install"),
    [
        ("dask://127.0.0.1:8786", "dask", "pip install 'varscale[dask]'"),
        ("ray://auto", "ray", "pip install 'varscale[ray]'"),
        ("mpi", "mpi4py", "pip install 'varscale[mpi]' and an MPI, such as mpich"),
    ],
)
def test_an_engine_that_is_not_installed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    engine: str,
    package: str,
    install: str,
) -> None:
    """If this fails who lacks an engine does not learn what to install."""
    monkeypatch.setitem(sys.modules, package, None)
    error = refused(capsys, "init", spec(tmp_path), "-o", tmp_path / "out", "--seed", 7, "--on", engine)
    name = engine.partition(":")[0]
    assert error.startswith(f"varscale: error: --on {name} needs what is not installed (")
    assert error.endswith(f"): {install}")
    assert not (tmp_path / "out").exists()


def test_an_error_of_ours_is_no_error_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a bug of varscale is told as a user's mistake, without the lines that we need to mend it."""
    monkeypatch.setattr("varscale._command.init.save", lambda *args, **kwargs: {}["bug"])
    with pytest.raises(KeyError, match="bug"):
        called("init", spec(tmp_path), "-o", tmp_path / "out", "--seed", 7)


SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits that it is ignored
from varscale._command import main, progress
from varscale.checkpoint import _pieces, _plan, _write
for module in (_pieces, _plan, _write):
    module.SIZE = 1 << 12
_write.TOGETHER = 1 << 13
class Slow(progress.Reporter):
    def __call__(self, done, total):
        if done:
            print("waiting", flush=True)
            time.sleep(60)
if sys.argv.pop() == "slow":
    import varscale._command.init as verb
    verb.Reporter = Slow
sys.exit(main.main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole group of processes")
def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    """If this fails Ctrl-C prints a traceback, ends as a success, or loses hours of work."""
    arguments = ["init", str(spec(tmp_path)), "-o", str(tmp_path / "out"), "--seed", "7"]
    command = [sys.executable, "-c", SLOW, *arguments]
    with subprocess.Popen([*command, "slow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == "varscale: interrupted; what was finished is kept, and --resume goes on\n"
    kept = (tmp_path / "out" / ".varscale" / "done-1-of-1").read_text().split()
    assert kept
    run = subprocess.run([*command, "--resume", "--json", "fast"], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout.splitlines()[-1])["event"] == "done"
    assert called(*arguments[:2], "-o", tmp_path / "whole", "--seed", 7, "--quiet") == 0
    assert sha(tmp_path / "out") == sha(tmp_path / "whole")


def test_both_commands_are_the_same(tmp_path: Path) -> None:
    """If this fails `varscale` and `python -m varscale` differ."""
    arguments = ["init", str(spec(tmp_path)), "--seed", "7", "--quiet", "-o"]
    subprocess.run([sys.executable, "-m", "varscale", *arguments, "a"], cwd=tmp_path, env=environment(), check=True)
    script = "import sys; from varscale._command.main import main; sys.exit(main())"  # what an installer writes
    subprocess.run([sys.executable, "-c", script, *arguments, "b"], cwd=tmp_path, env=environment(), check=True)
    assert sha(tmp_path / "a") == sha(tmp_path / "b")
    pyproject = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.scripts]\nvarscale = "varscale._command.main:main"\n' in pyproject


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="elsewhere a pipe that is closed is told by other errors")
@pytest.mark.parametrize("arguments", [["describe", "SPEC"], ["--version"]])
def test_nobody_reads_on(tmp_path: Path, arguments: list[str]) -> None:
    """If this fails `varscale describe SOURCE | head -n 1` ends with an error, or as if all had been read."""
    replaced = [str(spec(tmp_path)) if text == "SPEC" else text for text in arguments]
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "varscale", *replaced]
    buffered = environment() | {"PYTHONUNBUFFERED": ""}  # where it is set, errors come while the verb prints
    run = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, env=buffered, check=False)
    os.close(writes)
    assert (run.returncode, run.stderr) == (141, b"")


def environment() -> dict[str, str]:
    """The environment of a process that is not in this folder."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_a_folder_goes_and_comes_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails `--resume` and `--force` do not reach the library."""
    arguments = ("init", spec(tmp_path), "-o", tmp_path / "out", "--seed", 7, "--quiet")
    assert called(*arguments) == 0
    assert "must hold no checkpoint" in refused(capsys, *arguments)
    assert called(*arguments, "--resume") == 0
    assert called(*arguments[:-2], 8, "--force") == 0
    shutil.rmtree(tmp_path / "out")
    assert called(*arguments, "--resume") == 0
