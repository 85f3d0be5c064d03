"""Documents: a model as plain JSON, to be reviewed, kept beside a run, and made elsewhere."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.checks import check_config, word
from .._arguments.parts import Part, check_elements
from .._arguments.shapes import parse_shape
from .._arguments.show import show
from .._initializers.base import PACKAGE, Initializer
from .._initializers.constant import Constant
from .._initializers.pieces import Pieces
from .._initializers.serialization import deserialize, serialize
from .._sources.environment import in_default_environment
from .._sources.identity import STREAM, check_stream
from .own import maker
from .parameter import Parameter
from .rules import check_unseeded

FORMAT = "varscale.Model"
VERSION = 1
_PACKED = ("bool", *(f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)))
_LISTED = 64
"""A constant of more values than this is written as their bytes, not as a list."""
_NARROW, _WIDE = ("bool", "float32"), ("float64", "int64", "uint64")
"""The dtypes that constants are written in."""


def to_document(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """The parameters by name: the shape, the dtype and the initializer of each."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "stream": STREAM,
        "parameters": {
            name: {"shape": list(shape), "dtype": dtype.name, "initializer": _written(initializer)}
            for name, (shape, dtype, initializer) in parameters.items()
        },
    }


def from_document(document: Any) -> dict[str, Parameter]:
    """The parameters of a document.

    Raises:
        TypeError: An entry is of the wrong kind, or unknown.
        ValueError: The document is of another format, version or stream, or an entry has an illegal value.
    """
    outer = check_config("Model", document, ("format", "version", "stream", "parameters"))
    for key, legal in (("format", FORMAT), ("version", VERSION)):
        if outer.get(key) != legal:
            msg = f"`{key}` of a model's document must be {show(legal)}, got {show(outer.get(key))}"
            raise ValueError(msg)
    check_stream(outer.get("stream"))
    entries = outer.get("parameters")
    if not isinstance(entries, Mapping):
        msg = f"`parameters` of a model's document must be a mapping from names, got {show(entries)}"
        raise TypeError(msg)
    return {name: _parameter(name, entry) for name, entry in entries.items()}


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a document in its shortest form, with sorted keys."""
    from hashlib import sha256  # here, because it loads OpenSSL, a tenth of the time that varscale takes to import

    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).hexdigest()


def _parameter(name: Any, entry: Any) -> Parameter:
    if not isinstance(name, str):
        msg = f"`parameters` must have names that are strings, got {show(name)}"
        raise TypeError(msg)
    try:
        fields = check_config("a parameter", entry, ("shape", "dtype", "initializer"))
        shape = parse_shape(fields.get("shape"))
        check_elements(shape)
        initializer = check_unseeded(_read(fields.get("initializer")))
        # What cannot be made is found here, not in the middle of a model.
        source = maker(initializer)._source(Part(shape, shape), fields.get("dtype"))
    except (TypeError, ValueError, IndexError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"parameter {show(name)}: {error}") from error
    return Parameter(shape, source.dtype, initializer)


def _written(initializer: Initializer) -> dict[str, Any]:
    """The entry of an initializer: its class, its config, and its module if it is not one of ours."""
    entry = _canonical(serialize(initializer), initializer)
    return dict(_strict({key: entry[key] for key in ("module", "class_name", "config") if entry[key] != PACKAGE}))


def _canonical(entry: Any, initializer: Initializer) -> dict[str, Any]:
    """An entry whose constants have the same form as those of any equal initializer."""
    config = entry["config"]
    if isinstance(initializer, Constant) and "value" in config:
        config = config | {"value": in_default_environment(_values, initializer._values)}
    elif isinstance(initializer, Pieces) and "pieces" in config:
        pieces = zip(config["pieces"], initializer.pieces, strict=True)
        config = config | {"pieces": [[index, _canonical(inner, piece)] for (index, inner), (_, piece) in pieces]}
    return {**entry, "config": config}


def _values(values: NDArray[Any]) -> Any:
    """Numbers in the form that does not tell in which dtype a user wrote them: a list, or the fewest bytes."""
    listed = 0 < values.size <= _LISTED
    with np.errstate(all="ignore"):
        # The first that holds all of them, with the signs of zeros.
        held = next(
            held
            for kind in (_WIDE if listed else _NARROW + _WIDE)
            if Constant(held := values.astype(kind)) == Constant(values)
        )
    return held.tolist() if listed else _packed(held)


def _read(entry: Any) -> Any:
    """The initializer of an entry that `_written` wrote."""
    return deserialize(_loose(entry))


def _packed(values: NDArray[Any]) -> dict[str, Any]:
    """An array as its bytes, little-endian; eight bools are one byte."""
    data = np.packbits(values, bitorder="little") if values.dtype == bool else values
    text = b64encode(data.astype(data.dtype.newbyteorder("<")).tobytes()).decode()
    return {"dtype": values.dtype.name, "shape": list(values.shape), "base64": text}


def _unpacked(packed: Mapping[str, Any]) -> NDArray[Any]:
    """The array that `_packed` wrote."""
    fields = check_config("a value", packed, ("dtype", "shape", "base64"))
    shape, kind = parse_shape(fields.get("shape")), word("dtype", fields.get("dtype"), _PACKED)
    size, stored = prod(shape), np.dtype(kind).newbyteorder("<")
    try:
        data = b64decode(fields.get("base64", ""), validate=True)
    except (TypeError, ValueError):
        data = b""
    if len(data) != (-(-size // 8) if kind == "bool" else size * stored.itemsize):
        msg = f"`base64` must hold the bytes of {show(kind)} numbers of the shape {show(shape)}, got {len(data)} bytes"
        raise ValueError(msg)
    if kind == "bool":
        bits: NDArray[Any] = np.unpackbits(np.frombuffer(data, np.uint8), count=size, bitorder="little")
        return bits.astype(bool).reshape(shape)
    return np.frombuffer(data, stored).astype(kind).reshape(shape)


def _strict(value: Any) -> Any:
    """`value` with what JSON has no number for: {"float": "inf"}."""
    if isinstance(value, float) and not isfinite(value):
        return {"float": str(value)}
    if isinstance(value, list | tuple):
        return [_strict(entry) for entry in value]
    return {key: _strict(entry) for key, entry in value.items()} if isinstance(value, dict) else value


def _loose(value: Any) -> Any:
    """What `_strict` made of a value, undone."""
    if isinstance(value, list):
        return [_loose(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    if list(value) == ["float"] and value["float"] in {"inf", "-inf", "nan"}:
        return float(value["float"])
    if value.keys() == {"dtype", "shape", "base64"}:
        return _unpacked(value)
    return {key: _loose(entry) for key, entry in value.items()}
