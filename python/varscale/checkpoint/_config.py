"""Configs: the file beside the weights that says which network they are of."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from .._arguments.show import show

CONFIG = "config.json"


def config_text(config: str | os.PathLike[str] | None, out: Path) -> bytes | None:
    """The bytes of a config to copy; None for one that lies where the weights are to be."""
    if config is None:
        return None
    path = Path(os.fsdecode(config))
    return None if path.resolve() == (out / CONFIG).resolve() else path.read_bytes()


def warn_of_config(config: str | os.PathLike[str] | None, out: Path) -> None:
    """Warns whoever called the caller of a config in the folder of weights that bring none."""
    if config is None and (out / CONFIG).exists():
        msg = (
            f"{show(str(out / CONFIG))} may be that of another network, and stays as it is: the new weights bring none"
        )
        warnings.warn(msg, UserWarning, stacklevel=3)
