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
from .kinds import Kind, Shape, fitted, kind_of, path_of
from .layouts import Fans, depends_on_layout, laid_out
from .parameter import Entry, Parameter, parse_entry, parse_parameter
from .rules import Rule, Usual, default_rules, first_match
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
        self._changed: dict[tuple[int, int, str, Fans | None], Initializer] = {}
        self.used: set[int] = set()
        """The identities of the rules that cover a parameter."""
        self.uncovered: dict[str, tuple[Shape, Kind | None]] = {}
        self.unclear: dict[str, Shape] = {}
        """The parameters whose values depend on the layout, where none is known."""

    def initializer(self, name: str, path: str, entry: Entry, fans: Fans | None) -> Initializer | None:
        """The initializer of a parameter, whose `fans` a layer may tell; None for one that is noted as uncovered."""
        found = entry.initializer
        if found is not None and entry.settled:
            return found
        kind = self._kind(path, entry.shape)
        if found is None:
            usual = None if kind is None else self._usual.get(kind.what)
            rule = first_match(self._rules, name, entry.shape, kind) or usual
            if rule is None:
                self.uncovered[name] = entry.shape, kind
                return None
            self.used.add(id(rule))
            found = rule.initializer
        key = id(found), len(entry.shape), "" if kind is None else kind.what, fans
        if key not in self._changed:
            self._changed[key] = self._with_axes(found, kind, len(entry.shape), fans)
        if self._layout is None and depends_on_layout(self._changed[key], entry.shape):
            self.unclear[name] = entry.shape
        return self._changed[key]

    def _with_axes(self, initializer: Initializer, kind: Kind | None, rank: int, fans: Fans | None) -> Initializer:
        """The initializer with the axes that a layer tells, or else the name and the layout, where it names none."""
        if fans is None:
            initializer = fitted(initializer, kind)
        return initializer if self._layout is None else laid_out(initializer, rank, fans, self._layout)

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
            path = held.paths.get(name) or path_of(name)
            initializer = found.initializer(name, path, entry, held.fans.get(name))
        except (TypeError, ValueError, RuntimeError) as error:
            raise _of(name, error) from error
        if initializer is not None:
            chosen[name] = entry, initializer
    unused = [rule for rule in rules if id(rule) not in found.used]
    shapes = {name: entry.shape for name, entry in entries.items()}
    if found.uncovered:
        raise _uncovered(found.uncovered, len(entries), Unmatched(unused, shapes, held.tied))
    if found.unclear:
        raise _unclear(found.unclear, len(entries))
    Unmatched(unused, shapes, held.tied).check(strict=strict, stacklevel=4)  # at the line that makes the model
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


def _uncovered(uncovered: Mapping[str, tuple[Shape, Kind | None]], total: int, unmatched: Unmatched) -> ValueError:
    """The error that lists the parameters that no rule covers."""
    lines = [f"`rules` must cover every parameter, got {len(uncovered):,} of {total:,} without one:"]
    for name, (shape, kind) in islice(uncovered.items(), MOST):
        reason = "" if kind is None else f": {kind.what}, which start from {kind.start}"
        lines.append(f"  {show(name)} {show(shape)}{reason}")
    if len(uncovered) > MOST:
        lines.append(f"  … and {len(uncovered) - MOST} more")
    first = next(iter(uncovered))
    lines.append(
        f"Cover each by a rule, as in Model(parameters, [({show(first)}, initializer)]), or by its own initializer; "
        f"the command takes --rule {show(f'{first}=initializer')}"
    )
    return ValueError("\n".join(lines) + unmatched.line())


def _unclear(unclear: Mapping[str, Shape], total: int) -> ValueError:
    """The error for parameters whose values depend on a layout that nobody named."""
    name, shape = next(iter(unclear.items()))
    return ValueError(
        '`layout` must be "torch", for weights (out, in, *kernel), "keras" or "jax", for (*kernel, in, out), or "mlx", '
        f"for (out, *kernel, in), where initializers name no axes: {len(unclear):,} of {total:,} parameters depend on "
        f"it, such as {show(name)} {show(shape)}"
    )


class Unmatched:
    """The rules that match no parameter, usual ones apart.

    Args:
        rules: The rules.
        shapes: The parameters.
        tied: The first names of tied parameters by their other ones.
    """

    def __init__(self, rules: Iterable[Rule], shapes: Mapping[str, Shape], tied: Mapping[str, str]) -> None:
        own = [rule for rule in rules if not isinstance(rule, Usual)]
        self._rules = [rule for rule in own if not any(rule._matches(name, shape) for name, shape in shapes.items())]
        self._total = len(shapes)
        meant = (
            f"; {show(name)} is tied to {show(first)}: name that one"
            for name, first in tied.items()
            if first in shapes and any(rule._matches(name, shapes[first]) for rule in self._rules)
        )
        self._tied = next(meant, "")

    def line(self) -> str:
        """A line for an error that they may have been meant to prevent; "" for no rules."""
        if not self._rules:
            return ""
        return f"\nThese rules matched nothing: {show(self._rules)} (a pattern must match the whole name){self._tied}"

    def check(self, *, strict: bool = False, stacklevel: int) -> None:
        """Warns of them, or raises.

        Args:
            strict: Whether to raise.
            stacklevel: The level of the line that is warned of, as `warnings.warn` counts from the caller.
        """
        if not self._rules:
            return
        msg = f"`rules` must match parameters, got {show(self._rules)} that match none of {self._total}{self._tied}"
        if strict:
            raise ValueError(msg)
        warnings.warn(msg, UserWarning, stacklevel=stacklevel)
