"""Specs: networks in TOML, as parameters, blocks that repeat, and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .._arguments.checks import check_config, entries, not_negative_integer, positive_integer
from .._arguments.show import show
from .._models.model import Model
from .._models.rules import Rule
from .change import check_rules
from .rule import parse_initializer

_MOST = 250_000
"""The most parameters of a spec."""
_OUTER, _INNER = ("layout", "dtype", "rules"), ("parameters", "blocks")


def read_spec(path: Path, rules: list[Rule], layout: Any) -> Model:
    """The model of a spec; `rules` come before its own, and `layout` instead of its own.

    Raises:
        TypeError: A value is of the wrong kind.
        ValueError: The file is no TOML, or no spec.
        ImportError: This Python has no reader of TOML.
    """
    outer = check_config("a spec", _toml().loads(path.read_text(encoding="utf-8")), (*_OUTER, *_INNER))
    own = []
    for pair in entries("rules", outer.get("rules", []), "a list of pairs"):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            msg = f'`rules` must be pairs such as ["*.weight", "normal(0.0, 0.02)"], got {show(pair)}'
            raise ValueError(msg)
        own.append(Rule(pair[0], parse_initializer(pair[1])))
    if _count(outer) > _MOST:
        msg = f"a spec must have at most {_MOST:,} parameters, got {_count(outer):,}"
        raise ValueError(msg)
    found: dict[str, Any] = {}
    for name, entry in _parameters(outer, ""):
        if name in found:
            msg = f"`parameters` must hold each name once, got {show(name)} twice"
            raise ValueError(msg)
        found[name] = entry
    check_rules(found, rules)
    return Model(found, [*rules, *own], layout=layout or outer.get("layout"), dtype=outer.get("dtype"), strict=True)


def _toml() -> Any:
    """The reader of TOML: Python's own from 3.11 on, before that the package it came from."""
    try:
        import tomllib
    except ModuleNotFoundError:
        try:
            import tomli as tomllib
        except ModuleNotFoundError:
            msg = "a spec in TOML needs Python 3.11, or the package tomli: pip install tomli"
            raise ImportError(msg) from None
    return tomllib


def _count(table: Mapping[str, Any]) -> int:
    """How many parameters a table has. Those of blocks need not be made for that."""
    own = sum(1 for _ in _flat(table.get("parameters", {}), ""))
    return own + sum((numbers.stop - numbers.start) * _count(inner) for _, numbers, inner in _blocks(table))


def _parameters(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """The names and entries of a table: its own first, then those of its blocks."""
    yield from _flat(table.get("parameters", {}), prefix)
    for name, numbers, inner in _blocks(table):
        for number in numbers:
            yield from _parameters(inner, f"{prefix}{name.replace('{}', str(number))}.")


def _blocks(table: Mapping[str, Any]) -> Iterator[tuple[str, range, Mapping[str, Any]]]:
    """The blocks of a table: the name with the place of the number, the numbers, and what is in each of them."""
    for block in entries("blocks", table.get("blocks", []), "a list of tables"):
        fields = check_config("a block", block, ("name", "count", "first", *_INNER))
        name = fields.get("name")
        if not isinstance(name, str) or name.count("{}") != 1:
            msg = f'`name` of a block must hold {{}} once, for its number, as "layers.{{}}" does, got {show(name)}'
            raise ValueError(msg)
        first = not_negative_integer("first", fields.get("first", 0))
        inner = {key: value for key, value in fields.items() if key in _INNER}
        yield name, range(first, first + positive_integer("count", fields.get("count"))), inner


def _flat(table: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """The parameters of a table; TOML makes tables of names with dots."""
    if not isinstance(table, Mapping):
        msg = f"`parameters` must be a table from names, got {show(table)}"
        raise TypeError(msg)
    for name, entry in table.items():
        if isinstance(entry, Mapping) and not isinstance(entry.get("shape", {}), Mapping):
            fields = check_config(f"the parameter {prefix}{name}", entry, ("shape", "dtype", "initializer"))
            text = fields.get("initializer")
            if text is not None and not isinstance(text, str):
                msg = f"parameter {show(prefix + name)}: `initializer` must be a string, got {show(text)}"
                raise TypeError(msg)
            initializer = None if text is None else parse_initializer(text)
            yield prefix + name, (fields["shape"], fields.get("dtype"), initializer)
        elif isinstance(entry, Mapping):
            yield from _flat(entry, f"{prefix}{name}.")
        else:
            yield prefix + name, (entry, None)
