"""Planned models: a source, and what options make of it; and the plans of checkpoints that verbs look at."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from .._arguments.layouts import LAYOUTS
from .change import check_rules, only, with_dtype
from .options import by_options
from .rule import parse_rule
from .source import Source, read_source

_OF_PLANS = ("dtype", "rule", "layout", "names", "like", "keep")
"""The options that say nothing without a plan."""


def add_planned(parser: ArgumentParser) -> None:
    """Adds the options that say what is made of a source."""
    add = parser.add_argument
    add("--dtype", metavar="D", help="the dtype of all real numbers, such as bfloat16")
    add("--rule", action="append", default=[], metavar="PATTERN=INITIALIZER",
        help="the law of what matches, such as '*.weight=normal(0.0, 0.02)'; the first one counts")  # fmt: skip
    add("--layout", choices=LAYOUTS, help="the layout of weights, where the source does not tell it")
    add("--names", action="append", default=[], metavar="PATTERN", help="only the tensors that match")


def read_planned(text: str, options: Namespace) -> Source:
    """A source, whose model is as the options say.

    Raises:
        TypeError: Something in a file is of the wrong kind.
        ValueError: An option or a file is illegal.
        OSError: A file cannot be read.
        ImportError: The source needs a package that is not installed.
    """
    rules = [parse_rule(text) for text in options.rule]
    source = read_source(text, rules, options.layout)
    check_rules(source.model, rules)
    with by_options("dtype"):
        model = with_dtype(source.model, options.dtype)
    return source._replace(model=only(model, options.names))


def add_look(parser: ArgumentParser) -> None:
    """Adds the options that say what a checkpoint was made of."""
    add = parser.add_argument
    add("--plan", metavar="SOURCE", help="what it was made of, as `varscale init` takes it")
    add("--seed", type=int, metavar="N", help="the seed that it was made with")
    add_planned(parser)
    add_kept(parser)


def add_kept(parser: ArgumentParser) -> None:
    """Adds the options that say what is kept."""
    add = parser.add_argument
    add("--like", metavar="OLD", help="an old checkpoint, whose rows are kept")
    add("--keep", action="append", default=[], metavar="PATTERN", help="what to keep of OLD (all)")


def read_look(options: Namespace) -> dict[str, Any]:
    """What these options say, as the arguments of `inspect`.

    Raises:
        TypeError: Something in a file is of the wrong kind.
        ValueError: An option or a file is illegal, or one stands without --plan.
        OSError: A file cannot be read.
        ImportError: The source needs a package that is not installed.
    """
    plan = None
    if options.plan is not None:
        plan = read_planned(options.plan, options).model
    elif lone := [f"--{name}" for name in _OF_PLANS if getattr(options, name)]:
        msg = f"{', '.join(lone)} must stand with --plan, whose SOURCE they change"
        raise ValueError(msg)
    return {"plan": plan, "seed": options.seed, "like": options.like, "keep": options.keep or ()}
