"""Writing: pieces are filled here, while one thread writes those before, and another waits for the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import IO

import numpy as np
from numpy.typing import NDArray

from .._filling.arrays import new_array
from ._disk import telling
from ._files import File
from ._pieces import SIZE, Piece
from ._work import sync_folder

_BUFFERS = 4
_SYNC = getattr(os, "fdatasync", os.fsync)
TOGETHER = 1 << 28
"""The bytes after which the disk is waited for. Where they are fewer disks are slower, where more a kill costs more."""
_STEP = 1 << 28
"""The most bytes of one write."""
Buffer = NDArray[np.uint8]


class Writer:
    """Takes filled buffers, and gives them back once they are written.

    A piece counts as finished when the disk has it: only then the journal gets its number.
    """

    def __init__(self, folder: Path, files: list[File], journal: Path) -> None:
        """The files are made in `folder`; the numbers of finished pieces go to the end of `journal`."""
        self.finished = 0
        """The bytes of the pieces that are on the disk."""
        self._folder, self._files, self._journal = folder, files, journal
        self._free: SimpleQueue[Buffer | None] = SimpleQueue()
        self._filled: SimpleQueue[tuple[Piece, Buffer] | None] = SimpleQueue()
        self._written: SimpleQueue[tuple[Piece, IO[bytes]] | None] = SimpleQueue()
        self._failure: BaseException | None = None
        for _ in range(_BUFFERS):
            self._free.put(None)  # made when it is first needed

    @contextmanager
    def running(self) -> Iterator[None]:
        """Writes what is given within a `with` statement; at its end all of it is on the disk.

        Raises:
            OSError: The disk is full or fails.
        """
        with ExitStack() as streams:
            self._streams = streams
            with ThreadPoolExecutor(2, "varscale-checkpoint") as pool:
                pool.submit(self._guarded, self._write_all)
                pool.submit(self._guarded, self._sync_all)
                try:
                    yield
                finally:
                    self._filled.put(None)  # also after Ctrl-C: what was filled is kept
        self._check()

    def buffer(self, nbytes: int) -> Buffer:
        """A buffer to fill, once one is free."""
        free = self._free.get()
        self._check()
        if free is not None and free.size >= nbytes:
            return free
        return new_array((max(nbytes, SIZE),), np.dtype(np.uint8))

    def put(self, piece: Piece, buffer: Buffer) -> None:
        """Hands over a buffer that holds a piece."""
        self._filled.put((piece, buffer))

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:  # for the thread that fills
            self._failure = error
            self._free.put(None)
            self._written.put(None)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _write_all(self) -> None:
        stream: IO[bytes] | None = None
        place = -1
        while (item := self._filled.get()) is not None:
            piece, buffer = item
            if stream is None or piece.file != place:
                place = piece.file
                stream = self._open(self._files[place])
            with telling(self._files[place].name):
                stream.seek(piece.start)
                _write(stream, buffer[: piece.nbytes])
            self._written.put((piece, stream))
            self._free.put(buffer if buffer.size == SIZE else None)
        self._written.put(None)

    def _open(self, file: File) -> IO[bytes]:
        """A file of its full size, with its header."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        handle = os.open(self._folder / file.name, flags, 0o666)
        stream = self._streams.enter_context(os.fdopen(handle, "r+b", buffering=0))
        with telling(file.name):
            if os.fstat(stream.fileno()).st_size != file.header.size:
                stream.truncate(file.header.size)
            _write(stream, np.frombuffer(file.header.text, np.uint8))
            os.fsync(stream.fileno())
        sync_folder(self._folder)
        return stream

    def _sync_all(self) -> None:
        """Waits for the disk, and notes what it has."""
        with telling(self._journal), self._journal.open("ab") as journal:
            last: IO[bytes] | None = None
            more = True
            while more:
                items: list[tuple[Piece, IO[bytes]]] = []
                while more and sum(piece.nbytes for piece, _ in items) < TOGETHER:
                    item = self._written.get()
                    more = item is not None
                    items += [item] if item is not None else []
                for _, stream in items:
                    if last not in (None, stream):  # pieces come file by file
                        _SYNC(last.fileno())
                        last.close()
                    last = stream
                if items and last is not None:
                    _SYNC(last.fileno())
                    journal.write(b"".join(b"%d\n" % piece.number for piece, _ in items))
                    journal.flush()
                    _SYNC(journal.fileno())
                    self.finished += sum(piece.nbytes for piece, _ in items)


def _write(stream: IO[bytes], data: Buffer) -> None:
    """Writes all of the bytes, of which the system may take fewer at a time."""
    view = data.data
    while view:
        view = view[stream.write(view[:_STEP]) :]
