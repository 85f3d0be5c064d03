"""The warning for an initializer of ours that a layer of Keras calls itself, because Keras would swap it in silence."""

from __future__ import annotations

import warnings
from types import FrameType

from .._arguments.show import show

_CALLERS = ("keras.", "tf_keras.", "tensorflow.", "jax.")
_VARIABLES = ("keras.src.backend.", "tf_keras.src.engine.")
"""The modules of Keras that call an initializer for a variable, at once or through the backend's own."""
_warned: set[str] = set()
"""The packages that have been warned of, each once in a process."""


def warn_in_keras(init: object, frame: FrameType | None) -> None:
    """Warns once if the frame that calls an initializer makes a variable of Keras."""
    # By the caller's module, which costs nothing beside a call: no framework is asked, let alone imported.
    if frame is None or not _module(frame).startswith(_CALLERS):
        return
    while frame is not None and not _module(frame).startswith(("keras.", "tf_keras.")):
        frame = frame.f_back
    name = "" if frame is None else _module(frame)
    package = name.partition(".")[0]
    if not name.startswith(_VARIABLES) or package in _warned:
        return
    _warned.add(package)
    warnings.warn(
        f"{package} loads and clones {show(init)} as its own class of that name, or not at all, and does not tell "
        f"layers apart: take the initializers of `varscale.{package}` for layers",
        UserWarning,
        stacklevel=3,
    )


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
