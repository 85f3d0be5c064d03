"""The progress of making a large model, shown as a bar, told to a function, or neither."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from .._arguments.show import show


class Progress:
    """Reports the bytes that are done; it is false where nobody asked for reports."""

    def __init__(self, wanted: bool | Callable[[int, int], object], total: int) -> None:
        """`wanted` is True for a bar, a function of (bytes done, bytes in all), or False."""
        if not isinstance(wanted, bool) and not callable(wanted):
            msg = f"`progress` must be True, False or a function, got {show(wanted)}"
            raise TypeError(msg)
        self._done, self._total = 0, total
        self._bar: Any = _bar(total) if wanted is True else None
        self._callback = wanted if callable(wanted) else None

    def advance(self, nbytes: int) -> None:
        """Reports that `nbytes` more bytes are done."""
        self._done += nbytes
        if self._bar is not None:
            self._bar.update(nbytes)
        if self._callback is not None:
            self._callback(self._done, self._total)

    def __bool__(self) -> bool:
        return self._bar is not None or self._callback is not None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _bar(total: int) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        msg = "`progress=True` needs tqdm: pip install tqdm"
        raise ImportError(msg) from error
    return tqdm(total=total, unit="B", unit_scale=True)
