"""Identities: the fields of seeds and paths, which the core hashes into the 128 bits that name a native stream."""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Any

from .._arguments.checks import integer
from .._arguments.show import show

STREAM = 1
"""The version of the native stream: of the way from an identity to words, and from words to values."""
_UNSET, _INTEGER, _STRING, _CALL = range(4)
PERSON = b"varscale-stream%d" % STREAM
"""BLAKE2's personalisation: in another version of the stream, the same seeds have other identities."""
_header = Struct("<BQ").pack


def _field(tag: int, payload: bytes) -> bytes:
    """A tag byte, the payload's length in 8 bytes, and the payload: no two lists of fields are the same bytes."""
    return _header(tag, len(payload)) + payload


def _integer_bytes(value: int) -> bytes:
    """`value` in two's complement, little-endian, in as few bytes as hold it, but at least one."""
    return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "little", signed=True)


def check_stream(stream: Any) -> None:
    """Checks the stream that a config, a document or a pickle names. Here its number will choose, once there are two.

    Raises:
        TypeError: `stream` is not an integer.
        ValueError: There is no such stream here; a newer varscale may have it.
    """
    number = integer("stream", stream)
    if number != STREAM:
        newer = ", which needs a newer varscale" if number > STREAM else ""
        msg = f"`stream` must be {STREAM}, got {show(stream)}{newer}"
        raise ValueError(msg)


def without_stream(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without its stream. One that names none is of stream 1, whatever comes later.

    Raises:
        TypeError: The stream is not an integer.
        ValueError: It is not one of ours.
    """
    rest = dict(config)
    if "stream" in rest:
        check_stream(rest.pop("stream"))
    return rest


UNSET_FIELD = _field(_UNSET, b"")


def seed_field(seed: int | None) -> bytes:
    """The field of a seed; None has one too, as every identity begins with the global seed's."""
    return UNSET_FIELD if seed is None else _field(_INTEGER, _integer_bytes(seed))


def call_field(number: int) -> bytes:
    """The field of an unseeded call, by its number since the global seed was set; no seed has the same field."""
    return _field(_CALL, _integer_bytes(number))


def path_fields(path: tuple[int | str, ...]) -> bytes:
    """The fields of a path, one per element: 0 is not "0", and ("a", "b") is not ("a/b",)."""
    # The path of a model's parameter, made without a generator because models have thousands.
    if len(path) == 1 and isinstance(path[0], str):
        return _field(_STRING, path[0].encode())
    return b"".join(_field(_STRING, p.encode()) if isinstance(p, str) else seed_field(p) for p in path)
