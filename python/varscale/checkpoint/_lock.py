"""Locks between processes: files that the system frees with the process that holds them, however it ends."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._arguments.show import show

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_PLACE = 1 << 20
"""The byte that is locked where the system locks bytes: who holds the lock stands before it, and can be read."""


@contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[None]:
    """Holds the lock of a file within a `with` statement, and writes into the file who does.

    Raises:
        BlockingIOError: Another process holds it, and still does after `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while (handle := _take(path)) is None:
        if time.monotonic() >= deadline:
            msg = f"`out` must be free, {show(str(path.parent.parent))} is being written by {_holder(path)}"
            raise BlockingIOError(msg)
        time.sleep(0.02)
    try:
        os.ftruncate(handle, 0)
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
        os.write(handle, json.dumps(who).encode())
        yield
    finally:
        os.close(handle)  # which frees it


def _take(path: Path) -> int | None:
    """The file, if its lock was free. Whoever finished before may have removed the one that is opened here."""
    path.parent.mkdir(exist_ok=True)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except FileNotFoundError:
        return None
    try:
        if sys.platform == "win32":
            os.lseek(handle, _PLACE, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), path.stat()):
            return handle
    except (BlockingIOError, PermissionError, FileNotFoundError):  # Windows says that locking is not permitted
        pass
    os.close(handle)
    return None


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, TypeError, KeyError):  # it has only just taken the lock
        return "another process"
