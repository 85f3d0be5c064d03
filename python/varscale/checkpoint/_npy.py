"""Folders of NumPy's files: one for each tensor, as `numpy.save` writes it, and an index."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from numpy.lib.format import write_array_header_1_0

from .._arguments.dtypes import numeric_dtype
from .._arguments.show import show
from .._filling.lazy import Lazy
from .._models.parameter import Parameter
from ._files import File, shard_size
from ._format import Format
from ._safetensors import Header

_MOST = 255
"""The most bytes of a file's name on all systems."""
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com\d|lpt\d)(\..*)?", re.IGNORECASE | re.ASCII)
"""Names that are no files on Windows, whatever follows their first dot."""
_FILES = re.compile(r"[\w.~%-]*\.npy", re.ASCII)


class Npy(Format):
    """A folder with a file for each tensor."""

    name = "npy"
    last = "model.npy.index.json"

    def check(self, tensors: Mapping[str, Parameter]) -> None:
        """Raises ValueError where two tensors would have one file, or a name is too long for one."""
        found: dict[str, str] = {}
        for name, parameter in tensors.items():
            numeric_dtype(parameter.dtype)
            file = file_name(name)
            if len(file) > _MOST:
                msg = f"parameter {show(name)}: a file's name must have at most {_MOST} bytes, got {len(file)}"
                raise ValueError(msg)
            if (other := found.setdefault(file.lower(), name)) != name:
                msg = (
                    f"parameter {show(name)}: names of files must differ in more than their case, got {show(other)} too"
                )
                raise ValueError(msg)

    def files(self, tensors: Mapping[str, Lazy], max_shard: Any, metadata: Mapping[str, str]) -> list[File]:
        """A file for each tensor, whatever its size."""
        shard_size(max_shard)
        return [File(file_name(name), _header(name, tensor), {name: tensor}) for name, tensor in tensors.items()]

    def others(self, files: Sequence[File], metadata: Mapping[str, str]) -> dict[str, bytes | None]:
        """The index, which has what NumPy's files do not tell: names, all dtypes, the metadata."""
        tensors = {
            name: {"file": file.name, "dtype": tensor.dtype.name, "shape": list(tensor.shape)}
            for file in files
            for name, tensor in file.tensors.items()
        }
        document = {"metadata": dict(sorted(metadata.items())), "tensors": tensors}
        return {self.last: (json.dumps(document, indent=2) + "\n").encode()}

    def held(self, out: Path) -> set[str]:
        """The index, and the files that it names: other arrays may lie beside them."""
        try:
            entries = json.loads((out / self.last).read_bytes())["tensors"].values()
            names = {entry["file"] for entry in entries}
        except FileNotFoundError:
            return set()
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):  # it is no index of ours
            return {self.last}
        plain = {name for name in names if isinstance(name, str) and _FILES.fullmatch(name)}
        return {self.last} | {name for name in plain if (out / name).exists()}


def file_name(name: str) -> str:
    """The name of a tensor's file: what not every system has in names stands as in URLs, which `unquote` reads."""
    safe = quote(name, safe="")
    if _DEVICES.fullmatch(safe):
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    return f"{safe}.npy"


def _header(name: str, tensor: Lazy) -> Header:
    """The header of the file that `numpy.save` writes of a tensor."""
    text = BytesIO()
    write_array_header_1_0(text, {"descr": tensor.dtype.str, "fortran_order": False, "shape": tensor.shape})
    begin = len(text.getvalue())
    return Header(text.getvalue(), {name: begin}, begin + tensor.nbytes)
