"""Options: what the arguments of the library are called in the command, for errors that name them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_OPTIONS = {
    "dtype": "--dtype",
    "finish": "--finish",
    "force": "--force",
    "format": "--format",
    "keep": "--keep",
    "layout": "--layout",
    "like": "--like",
    "max_shard": "--max-shard",
    "model": "SOURCE",
    "names": "--names",
    "num_threads": "--threads",
    "out": "OUT",
    "part": "--part",
    "plan": "--plan",
    "resume": "--resume",
    "rules": "--rule",
    "seed": "--seed",
}
_OF_CALLS = {*_OPTIONS} - {"dtype"}
"""The arguments of what writes and of what looks. A dtype is one of a parameter there."""


@contextmanager
def by_options(*names: str) -> Iterator[None]:
    """Within a `with` statement, errors of the library tell these arguments by their options; all if none is named.

    What reads files and rules stands outside: there the same words are those of the file, or of an initializer.
    """
    known = {*names} or _OF_CALLS

    def option(word: re.Match[str]) -> str:
        return _OPTIONS[word[1]] if word[1] in known else word[0]

    def told(text: Any) -> Any:
        return re.sub(r"`(\w+)`", option, text) if isinstance(text, str) else text

    try:
        yield
    except (ValueError, TypeError, OSError, ImportError) as error:
        error.args = tuple(map(told, error.args))
        if isinstance(error, ImportError):
            error.msg = told(error.msg)
        if isinstance(error, OSError) and error.strerror:
            error.strerror = told(error.strerror)
        raise
