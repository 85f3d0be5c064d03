"""The command line: `varscale`, or `python -m varscale`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__, get_num_threads
from .._core import simd_level
from .._sources.identity import STREAM
from .describe import add_describe
from .diff import add_diff
from .init import add_init
from .inspect import add_inspect
from .plot import add_plot

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""
CLOSED = 141
"""The exit code where nobody reads on, such as `head`, as shells have it."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Ends the process with exit code 2."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def version() -> str:
    """The version, stream, SIMD level and threads of this process, one per line.

    Raises:
        ValueError: The environment variable `VARSCALE_SIMD` or `VARSCALE_NUM_THREADS` has an illegal value.

    Example:
        >>> print(version())  # doctest: +ELLIPSIS
        varscale ...
        stream ...
        SIMD level ...
        threads ...
    """
    return f"varscale {__version__}\nstream {STREAM}\nSIMD level {simd_level()}\nthreads {get_num_threads()}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers the command line and returns the exit code.

    It is 0, or 1 where a verb has found something, 2 for an error of the user's, 130 after Ctrl-C, 141 where nobody
    reads on.
    """
    parser = Parser("varscale", description="The first weights of a neural network.", allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print version, stream, SIMD level and threads")
    verbs = parser.add_subparsers(metavar="VERB", parser_class=Parser)
    for add in (add_init, add_describe, add_inspect, add_diff, add_plot):
        add(verbs)
    options = parser.parse_args(arguments)
    try:
        code = 0
        if options.version:
            print(version())
        elif "run" in options:
            code = int(options.run(options) or 0)
        else:
            parser.print_help()
        print(end="", flush=True)  # here, where its error can still be told
    except BrokenPipeError:  # whoever read has gone: engines' errors are of another kind by now
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what the process writes at its end
        return CLOSED
    except KeyboardInterrupt:
        print("varscale: interrupted; what was finished is kept, and --resume goes on", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        parser.error(_text(error))
    return code


def _text(error: Exception) -> str:
    """What an error says; the system's own begin with the file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__
