"""Planned models: a source, and what options make of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from .._arguments.layouts import LAYOUTS
from .change import check_rules, only, with_dtype
from .rule import parse_rule
from .source import Source, read_source


def add_planned(parser: ArgumentParser) -> None:
    """Adds the options that say what is made of a source."""
    add = parser.add_argument
    add("--dtype", metavar="D", help="the dtype of all real numbers, such as bfloat16")
    add("--rule", action="append", default=[], metavar="PATTERN=INITIALIZER",
        help="the law of what matches, such as '*.weight=normal(0.0, 0.02)'; the first one counts")  # fmt: skip
    add("--layout", choices=LAYOUTS, help="the layout of weights, where the source does not tell it")
    add("--names", action="append", default=[], metavar="PATTERN", help="only the tensors that match")


def read_planned(options: Namespace) -> Source:
    """The source of the options, whose model is as they say.

    Raises:
        TypeError: Something in a file is of the wrong kind.
        ValueError: An option or a file is illegal.
        OSError: A file cannot be read.
        ImportError: The source needs a package that is not installed.
    """
    rules = [parse_rule(text) for text in options.rule]
    source = read_source(options.source, rules, options.layout)
    check_rules(source.model, rules)
    return source._replace(model=only(with_dtype(source.model, options.dtype), options.names))
