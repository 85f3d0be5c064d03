"""What verbs that look at files have in common."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Protocol

DIFFERENT = 1
"""The exit code where something is not as it should be."""


class Found(Protocol):
    """What a verb has found: a table, and plain data."""

    def to_dict(self) -> dict[str, Any]:
        """The plain data."""


def show_found(found: Found, *, as_json: bool) -> None:
    """Prints what was found."""
    print(json.dumps(strict(found.to_dict()), indent=1) if as_json else found)


def strict(value: Any) -> Any:
    """The value in JSON's own words, which has none for an infinite number."""
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, list | tuple):
        return [strict(entry) for entry in value]
    return {key: strict(entry) for key, entry in value.items()} if isinstance(value, dict) else value
