"""Rules, which give a parameter its initializer by name and rank."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from .._arguments.checks import entries, integer
from .._arguments.immutable import Immutable
from .._arguments.shapes import MOST_DIMENSIONS, ShapeLike, parse_shape
from .._arguments.show import show
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
        initializer: One of varscale's own initializers, without a seed, because the model's seed counts.
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
    pattern: str
    initializer: Builtin
    rank: int | range | None

    def __init__(self, pattern: str, initializer: Builtin, *, rank: int | range | None = None) -> None:
        if not isinstance(pattern, str):
            msg = f"`pattern` must be a string, got {show(pattern)}"
            raise TypeError(msg)
        if rank is not None and not isinstance(rank, range):
            rank = integer("rank", rank)
        self._set(pattern=pattern, initializer=check_unseeded(initializer), rank=rank)

    def matches(self, name: str, shape: ShapeLike) -> bool:
        """Whether the rule covers a parameter of this name and shape."""
        if not isinstance(name, str):
            msg = f"`name` must be a string, got {show(name)}"
            raise TypeError(msg)
        return self._covers(name, len(parse_shape(shape)))

    def _covers(self, name: str, rank: int) -> bool:
        ranks = self.rank is None or (rank in self.rank if isinstance(self.rank, range) else rank == self.rank)
        return ranks and fnmatchcase(name, self.pattern)

    def __repr__(self) -> str:
        rank = "" if self.rank is None else f", rank={show(self.rank)}"
        return f"Rule({show(self.pattern)}, {show(self.initializer)}{rank})"


def default_rules(
    *,
    weight: Builtin | None = None,
    embedding: Builtin | None = None,
    norm: Builtin | None = None,
    bias: Builtin | None = None,
) -> tuple[Rule, ...]:
    """The rules that a model follows after its own.

    * Biases, betas and running means are zeros.
    * Gammas, scales and weights of rank 1, and running variances, are ones.
    * Embeddings ("embed", "wte" or "wpe" in the name) of rank 2 are normal with standard deviation 0.02.
    * Everything else of rank 2 and more is `lecun_normal`.

    No rule covers a vector or a scalar of another name.

    Args:
        weight: The initializer of weights instead, such as `he_normal(in_axis=1, out_axis=0)` for PyTorch's layout.
        embedding: The initializer of embeddings instead.
        norm: The initializer of the scales of norms instead.
        bias: The initializer of biases instead.

    Raises:
        TypeError: An initializer is not one of varscale's own.
        ValueError: An initializer has a seed of its own.

    Example:
        >>> import varscale as vs
        >>> vs.Model({"conv.weight": (64, 3, 7, 7)}, vs.default_rules(weight=vs.he_normal(in_axis=1, out_axis=0)))
        Model of 1 parameter, 9,408 values, 37,632 bytes
    """
    zeros = Zeros() if bias is None else bias
    ones = Ones() if norm is None else norm
    normal = RandomNormal(0.0, 0.02) if embedding is None else embedding
    lecun = LecunNormal() if weight is None else weight
    # The first match counts, so the rule for everything comes last.
    return (
        *(Rule(pattern, zeros) for pattern in _BIASES),
        *(Rule(pattern, ones, rank=1) for pattern in _NORMS),
        *(Rule(pattern, normal, rank=2) for pattern in _EMBEDDINGS),
        Rule("*", lecun, rank=range(2, MOST_DIMENSIONS + 1)),
    )


def check_unseeded(initializer: Any) -> Builtin:
    """`initializer`, which must be one of ours and have no seed of its own."""
    if not isinstance(initializer, Builtin):
        msg = f"`initializer` must be one of varscale's own initializers, got {show(initializer)}"
        raise TypeError(msg)
    seed = getattr(initializer, "seed", None)
    if seed is not None:
        msg = f"`initializer` must have no seed in a model, whose own seed counts, got {show(initializer)}"
        raise ValueError(msg)
    return initializer


def parse_rules(rules: Any) -> tuple[Rule, ...]:
    """`rules` as a tuple of rules, made of rules and (pattern, initializer) pairs."""
    parsed = []
    for rule in entries("rules", rules, "a sequence of rules"):
        if not isinstance(rule, Rule | tuple) or (isinstance(rule, tuple) and len(rule) != 2):
            msg = f"`rules` must hold rules or (pattern, initializer) pairs, got {show(rule)}"
            raise TypeError(msg)
        parsed.append(rule if isinstance(rule, Rule) else Rule(*rule))
    return tuple(parsed)
