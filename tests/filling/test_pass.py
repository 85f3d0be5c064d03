"""Passes: arrays that are filled together, in one pass or in several of bounded size."""

from __future__ import annotations

import varscale as vs
from varscale._arguments.parts import Part
from varscale._filling.fill import Pass

INIT = vs.lecun_normal(1)
WHOLE = Part((3, 4), (3, 4))
SOURCE = INIT._source(WHOLE, None)


def test_an_array_is_filled_once() -> None:
    """If this fails a model of many passes is made over and over, and what its owner has changed meanwhile is lost."""
    together = Pass(most=48)
    first = together.add(SOURCE, WHOLE)
    assert first.tobytes() == INIT((3, 4)).tobytes()
    first[...] = 7
    second = together.add(SOURCE, WHOLE)
    assert second.tobytes() == INIT((3, 4)).tobytes()
    assert (first == 7).all()


def test_a_pass_begins_when_it_is_large_enough() -> None:
    """If this fails nothing is reported before the end, or a report does not say how much has been made."""
    reports: list[int] = []
    together = Pass(most=96, report=reports.append)
    for _ in range(5):
        together.add(SOURCE, WHOLE)
    assert reports == [96, 96]
    together.run()
    together.run()
    assert reports == [96, 96, 48]
