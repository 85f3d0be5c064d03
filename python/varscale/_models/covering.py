"""Covering: which initializer each parameter of a model gets, and the errors that list those that get none."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from .._arguments.show import show
from .._initializers.base import Initializer
from .._sources.seeds import parse_path
from .kinds import Kind, Shape, kind_of, path_of
from .layouts import Fans, depends_on_layout, laid_out
from .parameter import Entry, Parameter, parse_entry, parse_parameter
from .rules import Rule, Usual, default_rules
from .spellings import Held

MOST = 200
"""The most parameters that an error lists."""
_NUMBERS = re.compile(r"(?<![^.])\d+(?![^.])|\d\d+")
"""The numbers of layers, as which kinds take one for another."""


class Cover:
    """The initializers that rules choose for the parameters of one model."""

    def __init__(self, rules: tuple[Rule, ...], layout: str | None) -> None:
        self._rules = rules
        self._usual = {rule.pattern: rule for rule in default_rules()}
        self._layout = layout
        # A model of thousands of parameters has few kinds of them, and few initializers.
        self._kinds: dict[tuple[str, Shape], Kind | None] = {}
        self._laid_out: dict[tuple[int, int, Fans], Initializer] = {}
        self.used: set[int] = set()
        """The identities of the rules that cover a parameter."""
        self.uncovered: dict[str, tuple[Shape, Kind | None]] = {}
        self.unclear: dict[str, Shape] = {}
        """The parameters whose values depend on the layout, where none is known."""

    def initializer(self, name: str, path: str, entry: Entry, fans: Fans) -> Initializer | None:
        """The initializer of a parameter; None for one that is noted as uncovered."""
        found = entry.initializer
        if found is None:
            kind = self._kind(path, entry.shape)
            rule = self._rule(name, entry.shape, kind)
            if rule is None:
                self.uncovered[name] = entry.shape, kind
                return None
            self.used.add(id(rule))
            found = rule.initializer
        if entry.settled:
            return found
        if self._layout is None:
            if depends_on_layout(found, entry.shape):
                self.unclear[name] = entry.shape
            return found
        if self._layout != "torch":
            return found  # the default axes are those of the other layouts
        key = id(found), len(entry.shape), fans
        if key not in self._laid_out:
            self._laid_out[key] = laid_out(found, len(entry.shape), fans)
        return self._laid_out[key]

    def _rule(self, name: str, shape: Shape, kind: Kind | None) -> Rule | None:
        """The first rule that covers a parameter."""
        for rule in self._rules:
            if rule.covers(kind) if isinstance(rule, Usual) else rule._matches(name, shape):
                return rule
        return None if kind is None else self._usual.get(kind.what)

    def _kind(self, path: str, shape: Shape) -> Kind | None:
        key = _NUMBERS.sub("10", path), shape
        if key not in self._kinds:
            self._kinds[key] = kind_of(*key, self._layout)
        return self._kinds[key]


def cover(held: Held, rules: tuple[Rule, ...], layout: str | None, dtype: Any, *, strict: bool) -> dict[str, Parameter]:
    """The parameters of a model.

    Raises:
        TypeError: A name or a field is of the wrong kind.
        ValueError: No rule covers a parameter, a shape or a dtype is illegal, an initializer has a seed, or a layout is
            needed. Where `strict`, also if a rule matches nothing.
    """
    chosen: dict[str, tuple[Entry, Initializer]] = {}
    entries: dict[str, Entry] = {}
    found = Cover(rules, layout)
    for name, held_entry in held.entries.items():
        try:
            parse_path((name,))  # a name that `fold_in` would refuse is refused here
            entries[name] = entry = parse_entry(held_entry)
            path, fans = held.paths.get(name) or path_of(name), held.fans.get(name) or Fans()
            initializer = found.initializer(name, path, entry, fans)
        except (TypeError, ValueError, RuntimeError) as error:
            raise _of(name, error) from error
        if initializer is not None:
            chosen[name] = entry, initializer
    if found.uncovered:
        raise _uncovered(found.uncovered, len(entries))
    if found.unclear:
        raise _unclear(found.unclear, len(entries))
    unused = [rule for rule in rules if id(rule) not in found.used]
    shapes = {name: entry.shape for name, entry in entries.items()}
    check_matches(unused, shapes, strict=strict, stacklevel=4)  # at the line that makes the model
    parameters = {}
    for name, (entry, initializer) in chosen.items():
        try:
            parameters[name] = parse_parameter(entry, initializer, dtype)
        except (TypeError, ValueError) as error:
            raise _of(name, error) from error
    return parameters


def _of(name: str, error: Exception) -> Exception:
    """An error with the parameter's name; torch's own for a parameter without a shape is a RuntimeError."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"parameter {show(name)}: {error}")


def _uncovered(uncovered: Mapping[str, tuple[Shape, Kind | None]], total: int) -> ValueError:
    """The error that lists the parameters that no rule covers."""
    lines = [f"`rules` must cover every parameter, got {len(uncovered):,} of {total:,} without one:"]
    for name, (shape, kind) in islice(uncovered.items(), MOST):
        reason = "" if kind is None else f": {kind.what}, which start from {kind.start}"
        lines.append(f"  {show(name)} {show(shape)}{reason}")
    if len(uncovered) > MOST:
        lines.append(f"  … and {len(uncovered) - MOST} more")
    first = next(iter(uncovered))
    lines.append(
        f"Cover each by a rule, as in Model(parameters, [({show(first)}, initializer)]), or by its own initializer"
    )
    return ValueError("\n".join(lines))


def _unclear(unclear: Mapping[str, Shape], total: int) -> ValueError:
    """The error for parameters whose values depend on a layout that nobody named."""
    name, shape = next(iter(unclear.items()))
    return ValueError(
        '`layout` must be "torch", for weights (out, in, *kernel), or "keras" or "jax", for (*kernel, in, out), '
        f"where initializers name no axes: {len(unclear):,} of {total:,} parameters depend on it, such as {show(name)} "
        f"{show(shape)}"
    )


def check_matches(rules: Iterable[Rule], shapes: Mapping[str, Shape], *, strict: bool = False, stacklevel: int) -> None:
    """Warns of rules that match no parameter, usual ones apart, or raises.

    Args:
        rules: The rules.
        shapes: The parameters.
        strict: Whether to raise.
        stacklevel: The level of the line that is warned of, as `warnings.warn` counts from here.
    """
    own = [rule for rule in rules if not isinstance(rule, Usual)]
    unmatched = [rule for rule in own if not any(rule._matches(name, shape) for name, shape in shapes.items())]
    if not unmatched:
        return
    msg = f"`rules` must match parameters, got {show(unmatched)} that match none of {len(shapes)}"
    if strict:
        raise ValueError(msg)
    warnings.warn(msg, UserWarning, stacklevel=stacklevel)
