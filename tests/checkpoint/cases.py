"""Models of the tests of checkpoints, and what is read of their files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import varscale as vs
from varscale.checkpoint import _pieces, _plan, _write

MODEL = vs.Model(
    {
        "wte.weight": (700, 96),
        "h.0.attn.weight": ((96, 288), "bfloat16"),
        "h.0.mlp.weight": ((384, 96), "float16"),
        "h.0.mlp.bias": (384,),
        "h.0.ortho.weight": ((48, 48), None, vs.Orthogonal()),
        "h.0.padded": ((50, 96), None, vs.Pieces([(..., vs.RandomNormal(0.0, 0.02)), (0, vs.Zeros())])),
        "h.0.small": ((3, 5), "float8_e4m3fn", vs.RandomUniform(-1.0, 1.0)),
        "h.0.empty.weight": ((0, 4), None, vs.Zeros()),
        "h.0.mask": ((9, 9), "bool", vs.Constant(np.tril(np.ones((9, 9), bool)))),
        "h.0.phase": ((7, 9), "complex64", vs.lecun_normal(in_axis=1, out_axis=0)),
        "wide.weight": ((3, 30_011), "float64"),
        "steps": ((), "int64", vs.Zeros()),
        'name of \u00e9\n"': ((1,), None, vs.Ones()),
    },
    layout="torch",
)


def sha(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def parsed(path: Path) -> tuple[list[tuple[str, Any]], bytes]:
    """The header of a safetensors file in its order, and the bytes that follow."""
    raw = path.read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    return [*json.loads(raw[8:end]).items()], raw[end:]


def small_pieces(monkeypatch: pytest.MonkeyPatch, size: int, together: int = 1 << 28) -> None:
    """Pieces of another size."""
    for module in (_pieces, _plan, _write):
        monkeypatch.setattr(module, "SIZE", size)
    monkeypatch.setattr(_write, "TOGETHER", together)


def raw(header: Any, values: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file, or what says to be one."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + values


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    """An entry of a header."""
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}
