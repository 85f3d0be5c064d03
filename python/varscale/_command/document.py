"""Documents that users pass: read as a whole, with errors that begin with the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .._models.headers import unique


def read_json(path: Path) -> Any:
    """The JSON of a file, whose objects hold each name once.

    Raises:
        ValueError: The file holds no JSON.
        OSError: The file cannot be read.
    """
    return json.loads(path.read_bytes(), object_pairs_hook=unique)


@contextmanager
def of_file(file: str) -> Iterator[None]:
    """Puts the name of a file before what an error says."""
    try:
        yield
    except (TypeError, ValueError) as error:
        msg = f"{file}: {error}"
        raise ValueError(msg) from error
    except RecursionError:
        msg = f"{file}: it must not be nested so deep"
        raise ValueError(msg) from None
