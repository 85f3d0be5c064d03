"""`varscale describe`: how every parameter of a network would be initialised."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from .look import strict
from .planned import add_planned, read_planned


def add_describe(verbs: Any) -> None:
    """Adds the verb to the command."""
    parser = verbs.add_parser(
        "describe",
        help="show the law of every parameter",
        description="Shows shape, fans, initializer, standard deviation and bytes of every parameter; draws nothing.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=describe)
    parser.add_argument("source", metavar="SOURCE", help="what `varscale init` takes")
    add_planned(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--html", action="store_true", help="print a table in HTML")
    form.add_argument("--plan", action="store_true", help="print the plan, which is a source itself")


def describe(options: Namespace) -> int:
    """Prints the table of a source.

    Raises:
        TypeError: Something in a file is of the wrong kind.
        ValueError: A rule or a file is illegal.
        OSError: A file cannot be read.
        ImportError: The source needs a package that is not installed.
    """
    model = read_planned(options.source, options).model
    if options.plan:
        print(json.dumps(model.to_dict(), indent=1))
        return 0
    table = model.describe()
    if options.html:
        print(table._repr_html_())
    elif options.json:
        rows = [row._asdict() for row in table]
        print(json.dumps(strict({"parameters": rows, "values": model.size, "bytes": model.nbytes}), indent=1))
    else:
        print(table)
        print(f"{len(model):,} parameters, {model.size:,} values, {model.nbytes:,} bytes")
    return 0
