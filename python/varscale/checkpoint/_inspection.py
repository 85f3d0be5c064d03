"""What an inspection finds, as a table and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .._arguments.immutable import Immutable
from .._arguments.printable import printable
from .._models.columns import aligned, number, sizes


class Inspected(NamedTuple):
    """What a tensor of a checkpoint is like. Moments and extremes are those of its finite numbers.

    Of complex tensors they are those of the real and the imaginary parts together.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    mean: float | None
    stddev: float | None
    low: float | None
    high: float | None
    nans: int
    infinities: int
    target_mean: float | None
    """The mean of its law; None where no plan tells it."""
    target_stddev: float | None
    """The standard deviation of its law, likewise."""
    p: float | None
    """The probability that numbers of its law are as far from it, by Kolmogorov and Smirnov; None without a law."""
    sha256: str
    """The hash of its bytes."""
    exact: bool | None
    """Whether its bytes are those that varscale makes; None where no plan and seed tell them."""
    why: tuple[str, ...]
    """Why it does not look freshly initialised; empty where it does."""


_HEADINGS = (
    "name", "dtype", "shape", "mean", "target", "stddev", "target", "low", "high", "nan", "inf", "p", "exact", "sha256",
)  # fmt: skip


class Inspection(Immutable):
    """What `inspect` returns. It prints as a table.

    Attributes:
        rows: One `Inspected` per tensor, in the order of the file.
        missing: The names that the plan has and the checkpoint has not.
    """

    _fields = ("rows", "missing")
    __slots__ = _fields
    rows: tuple[Inspected, ...]
    missing: tuple[str, ...]

    def __init__(self, rows: tuple[Inspected, ...], missing: tuple[str, ...]) -> None:
        self._set(rows=rows, missing=missing)

    def __iter__(self) -> Iterator[Inspected]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def suspects(self) -> tuple[Inspected, ...]:
        """The tensors that do not look freshly initialised."""
        return tuple(row for row in self.rows if row.why)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-serializable values."""
        rows = [row._asdict() | {"shape": list(row.shape), "why": list(row.why)} for row in self.rows]
        return {"tensors": rows, "missing": list(self.missing)}

    def __repr__(self) -> str:
        lines = [aligned([_HEADINGS, *map(_cells, self.rows)], 3)]
        lines += [f"{printable(row.name)}: {reason}" for row in self.suspects for reason in row.why]
        lines += [f"{printable(name)}: the plan has it, the checkpoint has not" for name in self.missing]
        exact = sum(row.exact is True for row in self.rows)
        looks = (
            f"{len(self.suspects)} do not look freshly initialised" if self.suspects else "all look freshly initialised"
        )
        lines.append(f"{len(self.rows)} tensors: {exact} exactly as planned, {looks}")
        return "\n".join(lines)


def _cells(row: Inspected) -> tuple[str, ...]:
    numbers = (row.mean, row.target_mean, row.stddev, row.target_stddev, row.low, row.high)
    counts = (f"{count:,}" if count else "" for count in (row.nans, row.infinities))
    chance = "" if row.p is None else f"{row.p:.2g}"
    exact = {None: "", True: "yes", False: "no"}[row.exact]
    return row.name, row.dtype, sizes(row.shape), *map(number, numbers), *counts, chance, exact, row.sha256[:12]
