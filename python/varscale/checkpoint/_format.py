"""Formats: what each kind of checkpoint has of its own. All else is one for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._arguments.show import show
from .._filling.lazy import Lazy
from .._models.parameter import Parameter
from ._files import File
from ._pieces import Piece, pieces
from ._work import Record, Work
from ._write import Writer


class Format(ABC):
    """A kind of checkpoint. Unless it says otherwise, its files are headers, and values that are written in place."""

    name: str
    """The word for it."""
    last: str
    """The file without which a folder holds no such checkpoint: the last that gets its name, the first that goes."""

    @abstractmethod
    def check(self, tensors: Mapping[str, Parameter]) -> None:
        """Raises ValueError for what the files cannot hold, or what would lead elsewhere."""

    @abstractmethod
    def files(self, tensors: Mapping[str, Lazy], max_shard: Any, metadata: Mapping[str, str]) -> Sequence[File]:
        """The files that hold all tensors, in the order in which they are written."""

    @abstractmethod
    def others(self, files: Sequence[File], metadata: Mapping[str, str]) -> Mapping[str, bytes | None]:
        """The small files beside them, `last` at the end; None for the text of one that `seal` makes."""

    def pieces(self, files: Sequence[File], tensors: Mapping[str, Lazy]) -> Iterator[Piece]:
        """All files, cut into what is made at once."""
        return pieces(files, tensors)

    def writer(self, work: Work, files: Sequence[File], journal: Path) -> Writer:
        """What takes the pieces."""
        return Writer(work.folder, files, journal)

    def library(self) -> str:
        """The library that makes the bytes, with its version; "" for our own."""
        return ""

    def seal(self, work: Work, record: Record) -> None:
        """Does what is left when all pieces are there.

        Raises:
            ValueError: A file is not the one that was written.
        """
        wrong = [name for name, size in record.files.items() if work.size(name) != size]
        if wrong:
            msg = f"{show(str(work.out))} must hold the whole of {', '.join(wrong)}: make it by `resume`, of each part"
            raise ValueError(msg)
