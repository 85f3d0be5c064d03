"""Ctrl-C before the command has begun, while Python imports the package: it ends the process without a traceback."""

from __future__ import annotations

import os
import sys
from types import TracebackType

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


def is_command(arguments: list[str], whole: list[str]) -> bool:
    """Whether a process is the command: `varscale`, or `python -m varscale`, of which only `whole` tells the module."""
    if arguments[:1] == ["-m"]:
        return whole[-len(arguments)] in ("varscale", "-mvarscale")
    return bool(arguments) and os.path.splitext(os.path.basename(arguments[0]))[0] == "varscale"


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("varscale: interrupted", file=sys.stderr)
        raise SystemExit(INTERRUPTED)
    sys.__excepthook__(kind, error, trace)


if is_command(getattr(sys, "argv", []), sys.orig_argv):
    sys.excepthook = _told
