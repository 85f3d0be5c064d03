"""Rules: which initializer belongs to a parameter, by its name and rank."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from .._arguments.checks import integer
from .._arguments.immutable import Immutable
from .._initializers.builtin import Builtin
from .._initializers.constant import Ones, Zeros
from .._initializers.presets import LecunNormal
from .._initializers.random import RandomNormal

_BIASES = ("*bias", "*beta", "*running_mean", "*moving_mean")
_NORMS = ("*gamma", "*scale", "*weight", "*running_var", "*moving_variance")
_EMBEDDINGS = ("*embed*", "*wte*", "*wpe*")


class Rule(Immutable):
    """Gives an initializer to the parameters whose name and rank match.

    Args:
        pattern: A shell pattern of names, such as "*.attn.*.weight"; "*" matches dots and slashes too.
        initializer: One of varscale's own, without a seed: the model's counts.
        rank: How many dimensions the parameter has: a number, a range of numbers, or None for any.

    Raises:
        TypeError: An argument of the wrong kind.
        ValueError: An initializer that has a seed of its own.

    Example:
        >>> import varscale as vs
        >>> rule = vs.Rule("*.out_proj.weight", vs.RandomNormal(0.0, 0.02 / 24**0.5), rank=2)
        >>> rule.matches("h.0.attn.out_proj.weight", (768, 768))
        True
    """

    __slots__ = ("initializer", "pattern", "rank")
    pattern: str
    initializer: Builtin
    rank: int | range | None

    def __init__(self, pattern: str, initializer: Builtin, *, rank: int | range | None = None) -> None:
        if not isinstance(pattern, str):
            msg = f"`pattern` must be a string, got {pattern!r}"
            raise TypeError(msg)
        if rank is not None and not isinstance(rank, range):
            rank = integer("rank", rank)
        self._set(pattern=pattern, initializer=check_unseeded(initializer), rank=rank)

    def matches(self, name: str, shape: tuple[int, ...]) -> bool:
        """Whether the rule covers a parameter of this name and shape."""
        rank = len(shape)
        ranks = self.rank is None or (rank in self.rank if isinstance(self.rank, range) else rank == self.rank)
        return ranks and fnmatchcase(name, self.pattern)

    def __repr__(self) -> str:
        rank = "" if self.rank is None else f", rank={self.rank!r}"
        return f"Rule({self.pattern!r}, {self.initializer!r}{rank})"


def default_rules(
    *,
    weight: Builtin | None = None,
    embedding: Builtin | None = None,
    norm: Builtin | None = None,
    bias: Builtin | None = None,
) -> tuple[Rule, ...]:
    """The rules of a model that is given none.

    * biases, betas and running means: zeros;
    * gammas, scales and weights of rank 1, and running variances: ones;
    * embeddings ("embed", "wte" or "wpe" in the name) of rank 2: normal with standard deviation 0.02;
    * everything else of rank 2 and more: `lecun_normal`.

    A vector or scalar of another name is covered by none.

    Args:
        weight: What weights get instead: `he_normal(in_axis=1, out_axis=0)` for PyTorch's layout, say.
        embedding: What embeddings get instead.
        norm: What the scales of norms get instead.
        bias: What biases get instead.

    Raises:
        TypeError: An initializer that is not one of varscale's own.
        ValueError: An initializer that has a seed of its own.

    Example:
        >>> import varscale as vs
        >>> vs.Model({"conv.weight": (64, 3, 7, 7)}, vs.default_rules(weight=vs.he_normal(in_axis=1, out_axis=0)))
        Model of 1 parameter, 9,408 values, 37,632 bytes
    """
    zeros = Zeros() if bias is None else bias
    ones = Ones() if norm is None else norm
    normal = RandomNormal(0.0, 0.02) if embedding is None else embedding
    lecun = LecunNormal() if weight is None else weight
    return (
        *(Rule(pattern, zeros) for pattern in _BIASES),
        *(Rule(pattern, ones, rank=1) for pattern in _NORMS),
        *(Rule(pattern, normal, rank=2) for pattern in _EMBEDDINGS),
        Rule("*", lecun, rank=range(2, 65)),
    )


def check_unseeded(initializer: Any) -> Builtin:
    """`initializer`, if it is one of ours and has no seed of its own."""
    if not isinstance(initializer, Builtin):
        msg = f"`initializer` must be one of varscale's own initializers, got {initializer!r}"
        raise TypeError(msg)
    seed = getattr(initializer, "seed", None)
    if seed is not None:
        msg = f"`initializer` must have no seed in a model, whose own seed counts, got {initializer!r}"
        raise ValueError(msg)
    return initializer


def parse_rules(rules: Any) -> tuple[Rule, ...]:
    """Rules from rules and (pattern, initializer) pairs."""
    if isinstance(rules, str) or not isinstance(rules, Iterable):
        msg = f"`rules` must be a sequence of rules, got {rules!r}"
        raise TypeError(msg)
    parsed = []
    for rule in rules:
        if not isinstance(rule, Rule | tuple) or (isinstance(rule, tuple) and len(rule) != 2):
            msg = f"`rules` must hold rules or (pattern, initializer) pairs, got {rule!r}"
            raise TypeError(msg)
        parsed.append(rule if isinstance(rule, Rule) else Rule(*rule))
    return tuple(parsed)
