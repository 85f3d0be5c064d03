"""`varscale describe`: how every parameter of a network would be initialised."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from .._arguments.layouts import LAYOUTS
from .change import check_rules
from .look import strict
from .rule import parse_rule
from .source import read_source


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
    parser.add_argument(
        "--rule", action="append", default=[], metavar="PATTERN=INITIALIZER", help="as in `varscale init`"
    )
    parser.add_argument("--layout", choices=LAYOUTS, help="the layout of weights, where the source does not tell it")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--html", action="store_true", help="print a table in HTML")


def describe(options: Namespace) -> int:
    """Prints the table of a source.

    Raises:
        TypeError: Something in a file is of the wrong kind.
        ValueError: A rule or a file is illegal.
        OSError: A file cannot be read.
        ImportError: The source needs a package that is not installed.
    """
    rules = [parse_rule(text) for text in options.rule]
    model = read_source(options.source, rules, options.layout).model
    check_rules(model, rules)
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
