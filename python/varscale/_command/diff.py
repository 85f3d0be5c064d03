"""`varscale diff`: what differs between two checkpoints."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from ..checkpoint import diff as compare
from .look import DIFFERENT, show_found


def add_diff(verbs: Any) -> None:
    """Adds the verb to the command."""
    parser = verbs.add_parser(
        "diff",
        help="compare two checkpoints",
        description="Compares two checkpoints tensor by tensor, bit by bit. The exit code is 1 where one differs.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=diff)
    for name in ("first", "second"):
        parser.add_argument(name, metavar=name.upper(), help="a safetensors file or index, or a folder with one")
    parser.add_argument("--json", action="store_true", help="print JSON")


def diff(options: Namespace) -> int:
    """Prints what differs between two checkpoints.

    Raises:
        ValueError: A file is illegal.
        OSError: A file cannot be read.
    """
    found = compare(options.first, options.second)
    show_found(found, as_json=options.json)
    return DIFFERENT if found.rows else 0
