"""The formats by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._arguments.show import show
from .._filling.lazy import Lazy
from .._models.headers import INDEX
from .._models.parameter import Parameter
from ._files import WEIGHTS, File, files, index
from ._format import Format
from ._npy import Npy
from ._safetensors import check_tensors

FORMATS = ("safetensors", "npy", "dcp")
LASTS = (INDEX, Npy.last, ".metadata")
"""The file of each that makes a checkpoint of the others."""
_TORCHS = re.compile(r"__\d+_\d+\.distcp", re.ASCII)


class Safetensors(Format):
    """Files as transformers writes them."""

    name = "safetensors"
    last = INDEX

    def check(self, tensors: Mapping[str, Parameter]) -> None:
        """Raises ValueError for what no file of safetensors holds."""
        check_tensors(tensors)

    def files(self, tensors: Mapping[str, Lazy], max_shard: Any, metadata: Mapping[str, str]) -> list[File]:
        """The files, none larger than `max_shard` but for a tensor that is."""
        return files(tensors, max_shard, metadata)

    def others(self, files: Sequence[File], metadata: Mapping[str, str]) -> dict[str, bytes | None]:
        """The index of several files."""
        text = index(files)
        return {} if text is None else {self.last: text}


def held(out: Path) -> set[str]:
    """The names in a folder that are those of a checkpoint of any kind; torch's too, where there is no torch."""
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    torchs = {name for name in names if name == ".metadata" or _TORCHS.fullmatch(name)}
    about = {"varscale.json"} & names if torchs else set()
    return {name for name in names if WEIGHTS.fullmatch(name)} | Npy().held(out) | torchs | about


def parse_format(name: Any) -> Format:
    """The format of a name.

    Raises:
        TypeError: The name is no string.
        ValueError: There is none of this name.
        ImportError: It needs a package that is not installed.
    """
    if not isinstance(name, str):
        msg = f"`format` must be a string, got {show(name)}"
        raise TypeError(msg)
    if name not in FORMATS:
        msg = f"`format` must be one of {', '.join(FORMATS)}, got {show(name)}"
        raise ValueError(msg)
    if name == "dcp":
        try:
            from ._dcp import Dcp
        except ModuleNotFoundError as error:
            msg = (
                f"`format` {show(name)} needs a package that is not installed ({error}): pip install 'varscale[torch]'"
            )
            raise ImportError(msg) from error
        return Dcp()
    return Npy() if name == "npy" else Safetensors()
