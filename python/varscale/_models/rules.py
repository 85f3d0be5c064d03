"""Rules, which give a parameter its initializer by name and rank."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from re import Pattern
from typing import Any

from .._arguments.checks import entries, integer
from .._arguments.immutable import Immutable
from .._arguments.shapes import ShapeLike, parse_shape
from .._arguments.show import show
from .._initializers.base import Initializer
from .._initializers.builtin import Builtin
from .._initializers.constant import Ones, Zeros
from .._initializers.presets import LecunNormal
from .._initializers.random import RandomNormal
from .kinds import KINDS, Kind, Law, Laws, Shape, kind_of, path_of


class Rule(Immutable):
    """Gives an initializer to the parameters whose name and rank match.

    Args:
        pattern: A name, or a shell pattern of whole names, such as "*.attn.*.weight", in which "*" matches dots and
            slashes too; or a compiled regular expression that the whole name must match.
        initializer: One of varscale's own initializers, without a seed, because the model's seed counts; or one of your
            own, of a class that derives from `varscale.Initializer`, which makes whole tensors only.
        rank: The number of the parameter's dimensions: an integer, a range of them, or None for any.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The initializer has a seed of its own.

    Example:
        >>> import varscale as vs
        >>> rule = vs.Rule("*.out_proj.weight", vs.RandomNormal(0.0, 0.02 / 24**0.5), rank=2)
        >>> rule.matches("h.0.attn.out_proj.weight", (768, 768))
        True
    """

    _fields = ("pattern", "initializer", "rank")
    __slots__ = _fields
    pattern: str | Pattern[str]
    initializer: Initializer
    rank: int | range | None

    def __init__(
        self, pattern: str | Pattern[str], initializer: Initializer, *, rank: int | range | None = None
    ) -> None:
        if not isinstance(pattern.pattern if isinstance(pattern, Pattern) else pattern, str):
            msg = f"`pattern` must be a string or a compiled regular expression of strings, got {show(pattern)}"
            raise TypeError(msg)
        if rank is not None and not isinstance(rank, range):
            rank = integer("rank", rank)
        self._set(pattern=pattern, initializer=check_unseeded(initializer), rank=rank)

    def matches(self, name: str, shape: ShapeLike) -> bool:
        """Whether the rule covers a parameter of this name and shape."""
        if not isinstance(name, str):
            msg = f"`name` must be a string, got {show(name)}"
            raise TypeError(msg)
        return self._matches(name, parse_shape(shape))

    def _matches(self, name: str, shape: tuple[int, ...]) -> bool:
        rank = len(shape)
        ranks = self.rank is None or (rank in self.rank if isinstance(self.rank, range) else rank == self.rank)
        if not ranks:
            return False
        if isinstance(self.pattern, str):
            # A name is its own pattern, also one with brackets.
            return name == self.pattern or fnmatchcase(name, self.pattern)
        return self.pattern.fullmatch(name) is not None

    @classmethod
    def _usual(cls, what: str, initializer: Initializer) -> Usual:
        """A usual rule from its pickle."""
        return Usual(what, initializer)

    def __repr__(self) -> str:
        rank = "" if self.rank is None else f", rank={show(self.rank)}"
        return f"Rule({show(self.pattern)}, {show(self.initializer)}{rank})"


class Usual(Rule):
    """The rule of a usual kind of parameters: its `pattern` is what the table of kinds calls them."""

    __slots__ = ()

    def __init__(self, what: str, initializer: Initializer) -> None:
        if what not in {kind.what for kind in KINDS if kind.law is not None}:
            msg = f"`pattern` must be a usual kind of parameters, got {show(what)}"
            raise ValueError(msg)
        self._set(pattern=what, initializer=check_unseeded(initializer), rank=None)

    def _matches(self, name: str, shape: tuple[int, ...]) -> bool:
        return self.covers(kind_of(path_of(name), shape, None))

    def covers(self, kind: Kind | None) -> bool:
        """Whether the rule covers parameters of this kind."""
        return kind is not None and kind.what == self.pattern

    def __reduce__(self) -> Any:
        return Rule._usual, (self.pattern, self.initializer)  # through the class that users import

    def __repr__(self) -> str:
        return f"<usual rule: {self.pattern} are {show(self.initializer)}>"


def first_match(rules: Iterable[Rule], name: str, shape: Shape, kind: Kind | None) -> Rule | None:
    """The first rule that covers a parameter of this name, shape and kind."""
    for rule in rules:
        if rule.covers(kind) if isinstance(rule, Usual) else rule._matches(name, shape):
            return rule
    return None


def default_rules(
    *,
    weight: Initializer | None = None,
    embedding: Initializer | None = None,
    norm: Initializer | None = None,
    bias: Initializer | None = None,
) -> tuple[Rule, ...]:
    """The rules that a model follows after its own, for parameters whose names and shapes tell what they start from.

    * Weights of rank 2 and more are `lecun_normal`, and experts that are stacked too, each by itself.
    * Biases, shifts of norms and running means are zeros. Scales of norms and running variances are ones.
    * Embeddings of rank 2, tokens and tables of positions are normal with standard deviation 0.02.
    * LoRA's A is uniform in ±1/√in and its B zeros. `ls*.gamma` is 1e-6. Counters are zero.

    No rule covers what names do not tell, such as masks that are stored as a bias, or a slope of PReLU. The guide to
    models has a table of all names.

    Args:
        weight: The initializer of weights instead. It counts fans by the model's layout, unless it names its axes.
        embedding: The initializer of embeddings, tokens and tables of positions instead.
        norm: The initializer of the scales of norms instead, such as `zeros()` for norms that multiply by 1 + weight.
        bias: The initializer of biases instead.

    Raises:
        TypeError: An initializer is none.
        ValueError: An initializer has a seed of its own.

    Example:
        >>> import varscale as vs
        >>> vs.Model({"conv.weight": (64, 3, 7, 7)}, vs.default_rules(weight=vs.he_normal()), layout="torch")
        Model of 1 parameter, 9,408 values, 37,632 bytes
    """
    chosen = {"weight": weight, "embedding": embedding, "norm": norm, "bias": bias}
    usual = Laws(LecunNormal(), RandomNormal(0.0, 0.02), Ones(), Zeros())
    laws = usual._replace(**{role: init for role, init in chosen.items() if init is not None})
    made = {kind.what: _made(kind.law, laws) for kind in KINDS if kind.law is not None}
    return tuple(Usual(what, initializer) for what, initializer in made.items())


def _made(law: Law, laws: Laws) -> Initializer:
    """The initializer of a kind. One that cannot make the kind is refused where a parameter of it comes."""
    try:
        return law(laws)
    except ValueError:
        return laws.weight


def check_unseeded(initializer: Any) -> Initializer:
    """`initializer`, which must be one; of ours, it must have no seed of its own."""
    if not isinstance(initializer, Initializer):
        msg = f"`initializer` must be an initializer, varscale's or one of your own class, got {show(initializer)}"
        raise TypeError(msg)
    if isinstance(initializer, Builtin) and getattr(initializer, "seed", None) is not None:
        msg = f"`initializer` must have no seed in a model, whose own seed counts, got {show(initializer)}"
        raise ValueError(msg)
    return initializer


def parse_rules(rules: Any) -> tuple[Rule, ...]:
    """`rules` as a tuple of rules, made of rules and (pattern, initializer) pairs."""
    parsed = []
    what = "a list of rules and pairs, as in [(pattern, initializer)]"
    for rule in entries("rules", rules, what):
        if not isinstance(rule, Rule | tuple) or (isinstance(rule, tuple) and len(rule) != 2):
            msg = f"`rules` must be {what}, got {show(rule)} as one of them"
            raise TypeError(msg)
        parsed.append(rule if isinstance(rule, Rule) else Rule(*rule))
    return tuple(parsed)
