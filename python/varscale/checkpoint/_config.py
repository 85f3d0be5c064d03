"""Configs: the file beside the weights that says which network they are of."""

from __future__ import annotations

import os
from pathlib import Path

from .._arguments.show import show

CONFIG = "config.json"
_STAYS = "may be that of another network, and stays as it is"
LEFT = f".*{_STAYS}"
"""What matches the words of `left_config`, as filters of warnings do."""


def config_text(config: str | os.PathLike[str] | None, out: Path) -> bytes | None:
    """The bytes of a config to copy; None for one that lies where the weights are to be."""
    if config is None:
        return None
    path = Path(os.fsdecode(config))
    return None if path.resolve() == (out / CONFIG).resolve() else path.read_bytes()


def left_config(config: str | os.PathLike[str] | None, out: Path) -> str | None:
    """The words for a config in the folder of weights that bring none; None where all is well."""
    if config is not None or not (out / CONFIG).exists():
        return None
    return f"{show(str(out / CONFIG))} {_STAYS}: the new weights bring none"
