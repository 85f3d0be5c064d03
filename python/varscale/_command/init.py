"""`varscale init`: the first weights of a network as a checkpoint."""

from __future__ import annotations

import re
import sys
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from .._arguments.show import show
from .._filling.threads import num_threads
from ..checkpoint import finish, save
from ..checkpoint._config import CONFIG
from ..checkpoint._driver import save_on
from ..checkpoint._formats import FORMATS
from ..checkpoint._save import PARTS
from .on.engine import opened
from .options import by_options
from .planned import add_kept, add_planned, read_planned
from .progress import Reporter

_OF_FINISH = {"run", "version", "out", "finish", "force", "json", "quiet"}
"""What may stand beside --finish."""


def add_init(verbs: Any) -> None:
    """Adds the verb to the command."""
    parser = verbs.add_parser(
        "init",
        help="write the first weights of a network as a checkpoint",
        description="Writes the first weights of a network as a checkpoint: the same bytes from one seed everywhere.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=partial(init, parser.get_default))
    add = parser.add_argument
    add("source", metavar="SOURCE", nargs="?", help="a safetensors file or index, a folder with config.json, "
        "package.module:function, a plan (JSON) or a spec (TOML)")  # fmt: skip
    add("-o", "--out", metavar="OUT", required=True, help="the folder that gets the files")
    add("--seed", type=int, metavar="N", help="any integer")
    add(
        "--format",
        choices=FORMATS,
        default="safetensors",
        help="safetensors, NumPy's files, or a checkpoint of torch.distributed",
    )
    add("--max-shard", default="5GB", metavar="SIZE", help="the most bytes of a file, such as 5GB (the default)")
    add_planned(parser)
    add_kept(parser)
    add("--part", metavar="I/N", help="make the I-th of N parts, counted from 1")
    add("--finish", action="store_true", help="make the checkpoint of all the parts in OUT")
    add(
        "--on",
        metavar="ENGINE",
        help="let an engine make the parts: dask://HOST:PORT, ray://HOST:PORT, ray://auto, mpi",
    )
    add("--threads", type=int, metavar="N", help="the most threads to fill with (--on: of each part, 1 if not given)")
    add("--resume", action="store_true", help="go on where an earlier run was ended")
    add("--force", action="store_true", help="overwrite a checkpoint, and drop an unfinished run")
    add("--json", action="store_true", help="progress and result as lines of JSON")
    add("--quiet", action="store_true", help="say nothing")


def init(default: Callable[[str], Any], options: Namespace) -> None:
    """Writes a checkpoint, or a part of one, or joins the parts. `default` tells what an option is if not given.

    Raises:
        TypeError: Something in a file is of the wrong kind.
        ValueError: An option or a file is illegal.
        OSError: A file cannot be read or written.
        ImportError: The source needs a package that is not installed.
    """
    if options.finish:
        _check_alone(default, options)
        _finish(options)
    elif options.on is None:
        _make(options, partial(save, part=_part(options.part)))
    elif options.part is not None:
        msg = "--on must stand without --part: the engine makes all parts"
        raise ValueError(msg)
    else:
        with opened(options.on) as engine:
            if engine is not None:
                _make(options, partial(save_on, engine, threads=1 if options.threads is None else options.threads))


def _make(options: Namespace, write: Callable[..., list[Path]]) -> None:
    for value, name in ((options.source, "SOURCE"), (options.seed, "--seed")):
        if value is None:
            msg = f"{name} must be given"
            raise ValueError(msg)
    source = read_planned(options.source, options)
    model, config = source.model, source.config or _own_config(options)
    reporter = Reporter(model, lines=options.json, quiet=options.quiet)
    with ExitStack() as settings:
        settings.callback(reporter.close)
        settings.enter_context(by_options())
        if options.threads is not None:
            settings.enter_context(num_threads(options.threads))
        settings.enter_context(_warnings_told())
        files = write(
            model,
            options.out,
            options.seed,
            format=options.format,
            max_shard=int(options.max_shard) if options.max_shard.isdecimal() else options.max_shard,
            layout=options.layout,
            config=config,
            like=options.like,
            keep=options.keep or (),
            resume=options.resume,
            force=options.force,
            progress=reporter,
        )
        size = f"{counted(len(model), 'tensor')}, {model.nbytes:,} bytes"
        place, parts = _part(options.part)
        if parts > 1:
            text = f"{options.out}: part {place} of {parts}, which --finish joins, of {size}"
        else:
            text = f"{options.out}: {counted(len(files), 'file')}, {size}"
        names = [path.name for path in files]
        reporter.end(text, out=options.out, files=names, tensors=len(model), bytes=model.nbytes, plan=model.digest())


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Makes the library's warnings lines of the command within a `with` statement."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_, **__: print(f"varscale: warning: {message}", file=sys.stderr)
        yield


def _own_config(options: Namespace) -> Path | None:
    """The config of a source that lies in OUT itself, as its config does; None for any other source."""
    source, out = Path(options.source), Path(options.out)
    return out / CONFIG if source.exists() and source.resolve().parent == out.resolve() else None


def _check_alone(default: Callable[[str], Any], options: Namespace) -> None:
    """Raises ValueError for an option that --finish would take and forget."""
    others = [name for name in vars(options) if name not in _OF_FINISH and getattr(options, name) != default(name)]
    if others:
        given = ", ".join("SOURCE" if name == "source" else f"--{name.replace('_', '-')}" for name in others)
        msg = f"--finish must stand without what is said of the parts, got {given}"
        raise ValueError(msg)


def _finish(options: Namespace) -> None:
    with by_options():
        files = finish(options.out, force=options.force)
    if options.json and not options.quiet:
        import json

        print(json.dumps({"event": "done", "out": options.out, "files": [path.name for path in files]}))
    elif not options.quiet:
        print(f"{options.out}: {counted(len(files), 'file')}")


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _part(text: str | None) -> tuple[int, int]:
    if text is None:
        return 1, 1
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= PARTS:
        msg = f"--part must be I/N, such as 2/4, with I from 1 to N and N at most {PARTS:,}, got {show(text)}"
        raise ValueError(msg)
    return int(found[1]), int(found[2])
