"""Writing: pieces are filled here, while one thread writes those before, and another waits for the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
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
_OPEN = 64
"""The files after which the disk is waited for. Twice as many are open at most: systems have limits of 256 and more."""
_STEP = 1 << 28
"""The most bytes of one write."""
Buffer = NDArray[np.uint8]


class Writer:
    """Takes filled buffers, and gives them back once they are written.

    A piece counts as finished when the disk has it: only then the journal gets its number.
    """

    def __init__(self, folder: Path, files: Sequence[File], journal: Path, size: int | None = None) -> None:
        """The files are made in `folder`; the numbers of finished pieces go to the end of `journal`.

        Pieces have at most `size` bytes, `SIZE` if not given, but for those of what is made whole.
        """
        self.finished = 0
        """The bytes of the pieces that are on the disk."""
        self._folder, self._files, self._journal = folder, files, journal
        self._size = SIZE if size is None else size
        self._free: SimpleQueue[Buffer | None] = SimpleQueue()
        self._large: SimpleQueue[None] = SimpleQueue()
        self._filled: SimpleQueue[tuple[Piece, Buffer] | None] = SimpleQueue()
        self._written: SimpleQueue[tuple[Piece, IO[bytes]] | None] = SimpleQueue()
        self._failure: BaseException | None = None
        self._handles: SimpleQueue[None] = SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(None)  # made when it is first needed
        self._large.put(None)  # always made anew
        for _ in range(2 * _OPEN):
            self._handles.put(None)

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
        """A buffer to fill, once one is free. There is one at a time of those that are larger than usual.

        The caller must hold none: those that are larger are gone when they are written.
        """
        free = self._large.get() if nbytes > self._size else self._free.get()
        self._check()
        return new_array((max(nbytes, self._size),), np.dtype(np.uint8)) if free is None else free

    def put(self, piece: Piece, buffer: Buffer) -> None:
        """Hands over a buffer that holds a piece."""
        self._filled.put((piece, buffer))

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:  # for the thread that fills
            self._failure = error
            for queue in (self._free, self._large, self._written, self._handles):
                queue.put(None)

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
            usual = buffer if buffer.size == self._size else None
            del item, buffer  # a large one goes before the next is made
            self._give_back(usual)
        self._written.put(None)

    def _give_back(self, usual: Buffer | None) -> None:
        """Frees a buffer of the usual size; or, for None, the place of a larger one, which must be gone."""
        if usual is None:
            self._large.put(None)
        else:
            self._free.put(usual)

    def _open(self, file: File) -> IO[bytes]:
        """A file of its full size, with its header."""
        self._handles.get()
        self._check()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        handle = os.open(self._folder / file.name, flags, 0o666)
        stream = self._streams.enter_context(os.fdopen(handle, "r+b", buffering=0))
        with telling(file.name):
            if os.fstat(stream.fileno()).st_size != file.header.size:
                stream.truncate(file.header.size)
            _write(stream, np.frombuffer(file.header.text, np.uint8))
        return stream

    def _sync_all(self) -> None:
        """Waits for the disk, and notes what it has."""
        with telling(self._journal), self._journal.open("ab") as journal:
            last: IO[bytes] | None = None
            more = True
            while more:
                items, more = self._together()
                for _, stream in items:
                    if last not in (None, stream):  # pieces come file by file
                        _SYNC(last.fileno())
                        last.close()
                        self._handles.put(None)
                    last = stream
                if items and last is not None:
                    _SYNC(last.fileno())
                    sync_folder(self._folder)  # which has the names
                    journal.write(b"".join(b"%d\n" % piece.number for piece, _ in items))
                    journal.flush()
                    _SYNC(journal.fileno())
                    self.finished += sum(piece.nbytes for piece, _ in items)

    def _together(self) -> tuple[list[tuple[Piece, IO[bytes]]], bool]:
        """The pieces that the disk is waited for at once, and whether there may be more."""
        items: list[tuple[Piece, IO[bytes]]] = []
        while sum(piece.nbytes for piece, _ in items) < TOGETHER and len({stream for _, stream in items}) < _OPEN:
            item = self._written.get()
            if item is None:
                return items, False
            items.append(item)
        return items, True


def _write(stream: IO[bytes], data: Buffer) -> None:
    """Writes all of the bytes, of which the system may take fewer at a time."""
    view = data.data
    while view:
        view = view[stream.write(view[:_STEP]) :]
