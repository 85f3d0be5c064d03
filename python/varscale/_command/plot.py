"""`varscale plot`: a checkpoint as a page to look at, and as a picture."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .._arguments.show import show
from ..plot._axes import check_matplotlib
from ..plot._page import page
from ..plot._picture import picture
from ..plot._survey import Survey, survey
from .options import by_options
from .planned import add_look, read_look

_ENDINGS = {".html", ".htm"}


def add_plot(verbs: Any) -> None:
    """Adds the verb to the command."""
    parser = verbs.add_parser(
        "plot",
        help="draw a checkpoint as a page",
        description="Draws every tensor of a checkpoint over its law, as one HTML file that needs nothing else; what "
        "does not look freshly initialised comes first.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=plot)
    add = parser.add_argument
    add("file", metavar="FILE", help="a safetensors file or index, or a folder with one")
    add("-o", "--out", metavar="OUT", required=True, help="the page, such as report.html")
    add_look(parser)
    add("--png", action="store_true", help="a picture too, report.png beside report.html; needs matplotlib")
    add("--force", action="store_true", help="overwrite the page and the picture")


def plot(options: Namespace) -> None:
    """Writes the page.

    Raises:
        TypeError: Something in a file is of the wrong kind.
        ValueError: An option or a file is illegal, or OUT is no name of a page.
        OSError: A file cannot be read or written, or is there already.
        ImportError: The plan or the picture needs a package that is not installed.
    """
    out = Path(options.out)
    if out.suffix.lower() not in _ENDINGS or "\0" in options.out:
        msg = f"OUT must be the name of a page, such as report.html, got {show(options.out)}"
        raise ValueError(msg)
    made: dict[Path, Callable[[Survey], bytes]] = {out: page}
    if options.png:
        check_matplotlib()
        made[out.with_suffix(".png")] = picture
    for path in made:  # before all numbers are read
        _check_free(path, force=options.force)
    arguments = read_look(options)
    with by_options():
        found = survey(options.file, **arguments)
    for path, draw in made.items():
        _write(path, draw(found), force=options.force)
    count, bad = sum(len(kind.tensors) for kind in found.kinds), len(found.suspects)
    looks = f"{bad:,} do not look freshly initialised" if bad else "all look freshly initialised"
    print(f"{', '.join(map(str, made))}: {count:,} tensors, {looks}")


def _check_free(path: Path, *, force: bool) -> None:
    if path.is_dir() or not path.parent.is_dir():
        msg = f"{show(str(path))} must be a file in a folder that is there"
        raise ValueError(msg)
    if path.exists() and not force:
        msg = f"{show(str(path))} is there already: choose another name, or overwrite it by --force"
        raise FileExistsError(msg)


def _write(path: Path, data: bytes, *, force: bool) -> None:
    """Writes a file, which is there as a whole or not at all."""
    sibling = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with sibling.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        _check_free(path, force=force)
        sibling.replace(path)
    finally:
        sibling.unlink(missing_ok=True)
