"""Disks: what the system's errors mean to whoever writes a checkpoint, and what helps."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def telling(place: str | os.PathLike[str]) -> Iterator[None]:
    """Says of a disk that is full, or closed to writers, where it is and what helps; `place` if nobody knows."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            msg = "no room is left on the disk: make some, and go on with `resume`"
        elif error.errno in _CLOSED:
            msg = f"{os.strerror(error.errno)}: choose another folder, or have this one made writable"
        else:
            raise
        raise OSError(error.errno, msg, os.fspath(error.filename or place)) from error
