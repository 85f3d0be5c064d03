"""Tensors whose parts follow different laws."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from types import EllipsisType
from typing import Any, ClassVar, TypeVar

from .._arguments.boxes import cut, parse_box, uncovered, volume
from .._arguments.checks import as_integer, entries, integer
from .._arguments.dtypes import DTypeLike, numeric_dtype
from .._arguments.parts import Part
from .._arguments.show import show
from .._sources.seeds import SeedLike, parse_seed
from .._sources.source import Joined, Once, Source
from .builtin import Builtin, divided
from .seeded import Seeded
from .serialization import BY_NAME, deserialize, serialize

Entry = int | slice | EllipsisType
Index = tuple[Entry, ...]
Self = TypeVar("Self", bound="Pieces")


class Pieces(Seeded):
    """Makes tensors whose parts follow different laws. Where two overlap, the later one counts.

    Each piece holds the values that its initializer makes of the *whole* tensor, at its index. So all pieces draw from
    one stream, and no two elements from the same words of it. A variance scaling among them has the fans of the whole
    tensor, unless `fan_in` or `fan_out` says otherwise.

    Args:
        pieces: Pairs (index, initializer). An index is one entry or a tuple of them: integers, slices of step 1, or an
            Ellipsis. An initializer is one of varscale's own, without a seed and without a path.
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: any that all the initializers make.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: A slice has another step, or an initializer has a seed. A call also raises it where the pieces do
            not cover the tensor.

    Example:
        >>> import varscale as vs
        >>> embedding = vs.Pieces([(..., vs.RandomNormal(0.0, 0.02)), (0, vs.Zeros())], seed=7)    # padding in row 0
        >>> embedding((1000, 64))[:2, 0]
        array([ 0.        , -0.00140662], dtype=float32)
    """

    pieces: tuple[tuple[Index, Builtin], ...]
    _parameters: ClassVar[dict[str, Any]] = dict.fromkeys(("pieces", "seed", "dtype"), Seeded._REQUIRED)

    def __init__(
        self,
        pieces: Iterable[tuple[Any, Builtin]],
        seed: SeedLike = None,
        dtype: DTypeLike = "float32",
    ) -> None:
        found = entries("pieces", pieces, "pairs of an index and an initializer")
        self._set(pieces=tuple(map(_parse_piece, found)), _seed=parse_seed(seed), dtype=numeric_dtype(dtype).name)

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        kind = numeric_dtype(self.dtype if dtype is None else dtype)
        boxes = [parse_box("pieces", index, part.full_shape) for index, _ in self.pieces]
        seen = list(uncovered(boxes))
        if sum(volume(box) for _, box in seen) < prod(part.full_shape):
            msg = f"`pieces` must cover all elements of the shape {show(part.full_shape)}, got {show(self.pieces)}"
            raise ValueError(msg)
        name = Once(self._seed) if stream is None else stream
        return Joined(
            kind,
            tuple(
                (place, inner, self.pieces[number][1]._source_of_piece(self._seed, inner, kind, name))
                for number, box in seen
                for place, inner in cut(part, box)
            ),
        )

    def _with_pieces(self: Self, change: Callable[[Builtin], Builtin]) -> Self:
        """The same tensor of what `change` makes of each piece's initializer."""
        return self._copy(pieces=tuple((index, change(piece)) for index, piece in self.pieces))

    def _divided(self: Self, by: float) -> Self:
        return self._with_pieces(lambda piece: divided(piece, by))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-serializable values: a slice is a list of its two ends."""
        pieces = [[_listed(index), serialize(initializer)] for index, initializer in self.pieces]
        return super().get_config() | {"pieces": pieces}

    @classmethod
    def _translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        pieces = config.get("pieces")
        if not isinstance(pieces, list | tuple) or not all(isinstance(piece, list | tuple) for piece in pieces):
            msg = f"`pieces` of `config` must be a list of pairs, got {show(pieces)}"
            raise TypeError(msg)
        config["pieces"] = [(*map(_unlisted, piece[:1]), *map(deserialize, piece[1:])) for piece in pieces]
        return super()._translate(config)

    def _key(self) -> tuple[Any, ...]:
        # Slices have no hash before Python 3.12.
        pieces = tuple((tuple(map(str, index)), initializer) for index, initializer in self.pieces)
        return pieces, self.seed, self.dtype, self._path

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Pieces) else NotImplemented

    __hash__ = Seeded.__hash__

    def _shown(self) -> dict[str, Any]:
        return super()._shown() | {"pieces": list(self.pieces)}


def _parse_piece(piece: Any) -> tuple[Index, Builtin]:
    """A piece as an index of entries in one form, and its initializer.

    Raises:
        TypeError: It is no pair, or a part of it is of the wrong kind.
        ValueError: A slice has a step, or the initializer has a seed or a path.
    """
    if not isinstance(piece, list | tuple) or len(piece) != 2:
        msg = f"`pieces` must hold pairs of an index and an initializer, got {show(piece)}"
        raise TypeError(msg)
    index, initializer = piece
    if not isinstance(initializer, Builtin) or isinstance(initializer, Pieces):
        msg = f"`pieces` must hold varscale's own initializers, got {show(initializer)}"
        raise TypeError(msg)
    if isinstance(initializer, Seeded) and (initializer.seed is not None or initializer._path):
        msg = f"`pieces` must hold initializers without seed and path, got {show(initializer)}"
        raise ValueError(msg)
    return tuple(map(_parse_entry, index if isinstance(index, tuple) else (index,))), initializer


def _parse_entry(entry: Any) -> Entry:
    if entry is Ellipsis:
        return entry
    number = as_integer(entry)
    if number is not None:
        return number
    if not isinstance(entry, slice):
        msg = f"`pieces` must have indices of integers, slices and an Ellipsis, got {show(entry)}"
        raise TypeError(msg)
    ends = [None if end is None else integer("pieces", end) for end in (entry.start, entry.stop)]
    if entry.step is not None and integer("pieces", entry.step) != 1:
        msg = f"`pieces` must have slices of step 1, got {show(entry)}"
        raise ValueError(msg)
    return slice(*ends)


def _listed(index: Index) -> list[Any]:
    """An index as JSON has it."""
    words: dict[Any, Any] = {Ellipsis: "..."}
    return [[entry.start, entry.stop] if isinstance(entry, slice) else words.get(entry, entry) for entry in index]


def _unlisted(index: Any) -> Any:
    """The index that `_listed` wrote; what it did not write stays as it is, to be refused."""
    if not isinstance(index, list | tuple):
        return index
    return tuple(
        slice(*entry) if isinstance(entry, list) and len(entry) == 2 else Ellipsis if entry == "..." else entry
        for entry in index
    )


BY_NAME["Pieces"] = Pieces  # here, because that module reads the pieces of a config
