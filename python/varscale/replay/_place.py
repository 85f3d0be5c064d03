"""Places in a sequence of draws, which any thread, signal handler or forked child may take at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Place:
    """A place between two draws: its position, once that is known, and the place that the draw from it leads to.

    Draws of several threads, of a signal handler within a draw, and of a forked child each take a place of their own
    and wait for nobody: no lock could then be held for ever. Who needs a position that is not known yet makes the draw
    before it once more.
    """

    __slots__ = ("_find", "_found", "_next")

    def __init__(self, position: Any = None, find: Callable[[], Any] | None = None) -> None:
        # Dicts, because `setdefault` is one step, which nothing comes between.
        self._found: dict[None, Any] = {} if position is None else {None: position}
        self._find = find
        self._next: dict[None, Place] = {}

    @property
    def position(self) -> Any:
        """The seed of the draw that begins here."""
        find = self._find  # first, because it is dropped when the position is known
        if not self._found and find is not None:
            self.settle(find())
        return self._found[None]

    def settle(self, position: Any) -> None:
        """Makes the position known."""
        self._found.setdefault(None, position)
        self._find = None  # it holds the places before this one

    def stay_at(self, place: Place) -> None:
        """Makes the position that of `place`, the one before: the draw between them failed."""
        self._find = lambda: place.position

    def lead_to(self, place: Place) -> bool:
        """Leads to `place` from now on, if it leads nowhere yet; says whether it does."""
        return self._next.setdefault(None, place) is place

    def last(self) -> Place:
        """The place that leads nowhere yet."""
        place = self
        while place._next:
            place = place._next[None]
        return place
