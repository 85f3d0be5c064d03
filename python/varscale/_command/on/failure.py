"""What engines say of themselves when they fail, in one line."""

from __future__ import annotations


def failure(engine: str, error: BaseException) -> ConnectionError:
    """The error for one of an engine's own, such as that its workers were killed too often."""
    cause = error.__cause__ or error
    line = next((line.strip() for line in str(cause).splitlines() if line.strip()), "")
    return ConnectionError(f"{engine} has failed: {type(cause).__name__}: {line}")
