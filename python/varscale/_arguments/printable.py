"""Texts of others, such as names of tensors, as a terminal or a page may show them."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with all that moves or hides its neighbours escaped: controls, marks of direction, lone surrogates."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
