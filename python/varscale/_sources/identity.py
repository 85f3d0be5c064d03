"""Identities: the 128 bits that name a native stream, hashed from the fields of its seeds and path."""

from __future__ import annotations

from functools import lru_cache
from struct import Struct

try:
    # What hashlib hands out, without loading OpenSSL, which takes a tenth of the time of importing varscale.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

STREAM = 1
"""The version of the native stream: what makes words, and so values, of an identity."""
_UNSET, _INTEGER, _STRING, _CALL = range(4)
_PERSON = b"varscale-stream%d" % STREAM
_header = Struct("<BQ").pack


def _field(tag: int, payload: bytes) -> bytes:
    """A tag byte, the payload's length in 8 bytes, the payload: no two lists of fields have the same bytes."""
    return _header(tag, len(payload)) + payload


def _integer_bytes(value: int) -> bytes:
    """The shortest two's complement, at least one byte, little-endian."""
    return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "little", signed=True)


UNSET_FIELD = _field(_UNSET, b"")


def seed_field(seed: int | None) -> bytes:
    """The field of a seed."""
    return UNSET_FIELD if seed is None else _field(_INTEGER, _integer_bytes(seed))


def call_field(number: int) -> bytes:
    """The field of an unseeded call, numbered since the global seed was set."""
    return _field(_CALL, _integer_bytes(number))


def path_fields(path: tuple[int | str, ...]) -> bytes:
    """The fields of a path, one per element: 0 is not "0", and ("a", "b") is not ("a/b",)."""
    if len(path) == 1 and isinstance(path[0], str):
        return _field(_STRING, path[0].encode())  # a model's parameter: models have thousands
    return b"".join(_field(_STRING, p.encode()) if isinstance(p, str) else seed_field(p) for p in path)


@lru_cache(maxsize=1024)
def identity(fields: bytes) -> bytes:
    """The 16 bytes that name a stream. The cache makes small calls of one initializer a tenth faster."""
    return blake2b(fields, digest_size=16, person=_PERSON).digest()
