"""Progress on a terminal, or as lines for machines."""

from __future__ import annotations

import json
import sys
import time
from bisect import bisect_right
from itertools import accumulate
from typing import Any

from .._models.model import Model

_EVERY = 0.5
"""The seconds between two lines."""


class Reporter:
    """Says how far a run is: a bar on a terminal, lines of JSON where they are asked for, nothing otherwise."""

    def __init__(self, model: Model, *, lines: bool, quiet: bool) -> None:
        """`lines` asks for JSON, `quiet` for nothing at all."""
        self._ends = list(accumulate(parameter.nbytes for parameter in model.values()))
        self._lines, self._quiet = lines and not quiet, quiet
        self._bar: Any = None
        self._shows = not (lines or quiet) and sys.stderr.isatty()
        self._start = self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Reports the bytes that are done, and those in all."""
        tensors = bisect_right(self._ends, done)
        now = time.monotonic()
        if self._lines and (done == total or now - self._last >= _EVERY):
            self._last = now
            self._line("progress", bytes=done, of=total, tensors=tensors)
        if self._shows and self._bar is None:
            self._bar = _bar(total)
            self._shows = self._bar is not None
        if self._bar is not None:
            self._bar.set_postfix_str(f"{tensors:,} of {len(self._ends):,} tensors", refresh=False)
            self._bar.update(done - self._bar.n)

    def end(self, text: str, **fields: Any) -> None:
        """Says what was made."""
        self.close()
        if self._lines:
            self._line("done", **fields)
        elif not self._quiet:
            print(f"{text} in {time.monotonic() - self._start:.1f} s")

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.close()

    def _line(self, event: str, **fields: Any) -> None:
        seconds = round(time.monotonic() - self._start, 3)
        print(json.dumps({"event": event, **fields, "seconds": seconds}), flush=True)


def _bar(total: int) -> Any:
    """A bar; None where tqdm is not installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=total, unit="B", unit_scale=True, file=sys.stderr)
