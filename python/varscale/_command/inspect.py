"""`varscale inspect`: what the tensors of a checkpoint are like."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from ..checkpoint import inspect as look
from .look import DIFFERENT, show_found
from .options import by_options
from .planned import add_look, read_look


def add_inspect(verbs: Any) -> None:
    """Adds the verb to the command."""
    parser = verbs.add_parser(
        "inspect",
        help="look at every tensor of a checkpoint",
        description="Looks at every number of a checkpoint, and says which tensors do not look freshly initialised: "
        "then the exit code is 1.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=inspect)
    parser.add_argument("file", metavar="FILE", help="a safetensors file or index, or a folder with one")
    add_look(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def inspect(options: Namespace) -> int:
    """Prints what the tensors of a checkpoint are like.

    Raises:
        TypeError: Something in a file is of the wrong kind.
        ValueError: An option or a file is illegal.
        OSError: A file cannot be read.
        ImportError: The plan needs a package that is not installed.
    """
    arguments = read_look(options)
    with by_options():
        found = look(options.file, **arguments)
    show_found(found, as_json=options.json)
    return DIFFERENT if found.suspects or found.missing else 0
