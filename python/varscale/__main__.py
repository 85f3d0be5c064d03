"""The command `python -m varscale --version`, whose output a report of a problem should begin with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import __version__, get_num_threads
from ._core import simd_level
from ._sources.identity import STREAM


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
    """Answers the command line and returns the exit code."""
    parser = argparse.ArgumentParser("python -m varscale", description="The first weights of a neural network.")
    parser.add_argument("--version", action="store_true", help="print version, stream, SIMD level and threads")
    if not parser.parse_args(arguments).version:
        parser.print_help()
        return 0
    try:
        print(version())
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
