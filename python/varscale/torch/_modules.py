"""What a module says of its parameters: which are weights, with which fans, and the laws of all that is no weight.

The laws are those of the `reset_parameters` of the module's class. A class that has one of its own has no laws here.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache, partial
from math import prod, sqrt
from typing import Any

from torch import nn

from .._initializers.builtin import Builtin
from .._initializers.constant import Constant, Ones, Zeros
from .._initializers.pieces import Pieces
from .._initializers.random import RandomNormal, RandomUniform
from .._models.kinds import Laws, kind_of, path_of
from .._models.layers import fans_of, held_as
from .._models.layouts import Fans, laid_out
from .._models.spellings import hold
from ._names import Named, plain

Rule = Callable[[Builtin, int], Builtin]
"""What becomes of an initializer without a seed, for one parameter of a rank: the same with fans, or another law."""

_NO_WEIGHTS = ("*bias*", "original[0-9]*")
"""Parameters of any rank that are no weights: biases, and what several tensors of a parametrization mean together."""
_STATISTICS = {"running_mean": Zeros(), "running_var": Ones(), "num_batches_tracked": Zeros()}


def rules_of(module: nn.Module) -> Callable[[Named], list[Rule]]:
    """What tells the rules of a parameter; none for one that neither a class nor a name tells to be a weight."""
    found: dict[str, Rule] = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        rules: dict[str, Rule] = {name: _by_fans(fans) for name, fans in fans_of(owner).items()}
        laws = _LAWS.get(_reset_of(owner), _unknown)(owner)
        for name, rule in (rules | {held_as(owner, name): law for name, law in laws.items()}).items():
            # A parent comes before its children, and counts: it initialises after them.
            found.setdefault(plain(f"{prefix}.{name}" if prefix else name), rule)
    paths = hold(module).paths

    def rules_for(named: Named) -> list[Rule]:
        # Every layer that has it is heard.
        said = [found[name] for name in named.names if name in found]
        return said or _rules_by_name(paths.get(named.name) or path_of(named.name), tuple(named.tensor.shape))

    return rules_for


def _rules_by_name(path: str, shape: tuple[int, ...]) -> list[Rule]:
    """The rule of a weight that only its name and its shape tell to be one; none for what is none, or may be none."""
    own = path.rpartition(".")[2]
    if len(shape) < 2 or any(fnmatchcase(own, pattern) for pattern in _NO_WEIGHTS):
        return []
    kind = kind_of(path, shape, "torch")
    if kind is None:
        return [laid_out] if len(shape) == 2 else []
    law: Any = kind.law
    return [lambda init, rank: laid_out(law(Laws(init, init, init, init)), rank)] if kind.is_weight else []


def statistics_of(module: nn.Module) -> dict[str, Builtin]:
    """The values that the buffers of torch.nn's own classes begin with, by name."""
    return {
        plain(f"{prefix}.{name}" if prefix else name): values
        for prefix, owner in module.named_modules(remove_duplicate=False)
        if _reset_of(owner) is nn.modules.batchnorm._NormBase.reset_parameters
        for name, values in _STATISTICS.items()
    }


def _reset_of(owner: nn.Module) -> Any:
    """The function that initialises a module's parameters; subclasses that wrappers make inherit it."""
    return getattr(type(owner), "reset_parameters", getattr(type(owner), "_reset_parameters", None))


# Layers that are alike share their rules, and so what becomes of an initializer.
@cache
def _by_fans(fans: Fans) -> Rule:
    return partial(laid_out, fans=fans)


@cache
def _always(law: Builtin) -> Rule:
    return lambda init, rank: law


@cache
def _uniform(fan: int) -> Rule:
    """The law of biases in torch: uniform within 1 / sqrt(fan)."""
    bound = 1 / sqrt(fan) if fan else 0.0
    return _always(RandomUniform(-bound, bound))


def _unknown(owner: Any) -> dict[str, Rule]:
    return {}


def _linear(owner: Any) -> dict[str, Rule]:
    return {"bias": _uniform(owner.in_features)}


def _bilinear(owner: Any) -> dict[str, Rule]:
    return {"bias": _uniform(owner.in1_features)}


def _convolution(owner: Any) -> dict[str, Rule]:
    # torch takes every weight for (out, in, *kernel), where those of transposed convolutions are (in, out, *kernel).
    channels = owner.out_channels if owner.transposed else owner.in_channels
    return {"bias": _uniform(channels // owner.groups * prod(owner.kernel_size))}


def _recurrent(owner: Any) -> dict[str, Rule]:
    bias = _uniform(owner.hidden_size)
    return {name: bias for name, _ in owner.named_parameters(recurse=False) if name.startswith("bias")}


def _attention(owner: Any) -> dict[str, Rule]:
    zeros = dict.fromkeys(("in_proj_bias", "out_proj.bias"), _always(Zeros()))
    # `xavier_normal_` of the shape (1, 1, embed_dim).
    extra = dict.fromkeys(("bias_k", "bias_v"), _always(RandomNormal(0.0, 1 / sqrt(owner.embed_dim))))
    return {**zeros, **extra}


def _embedding(owner: Any) -> dict[str, Rule]:
    def padded(init: Builtin, rank: int) -> Builtin:
        init = laid_out(init, rank)
        pieces = init.pieces if isinstance(init, Pieces) else [(..., init)]
        return Pieces([*pieces, (owner.padding_idx, Zeros())])

    return {} if owner.padding_idx is None else {"weight": padded}


def _norm(owner: Any) -> dict[str, Rule]:
    return {"weight": _always(Ones()), "bias": _always(Zeros())}


def _slope(owner: Any) -> dict[str, Rule]:
    return {"weight": _always(Constant(owner.init))}


_LAWS: dict[Any, Callable[[Any], dict[str, Rule]]] = {
    nn.Linear.reset_parameters: _linear,
    nn.Bilinear.reset_parameters: _bilinear,
    nn.modules.conv._ConvNd.reset_parameters: _convolution,
    nn.RNNBase.reset_parameters: _recurrent,
    nn.RNNCellBase.reset_parameters: _recurrent,
    nn.MultiheadAttention._reset_parameters: _attention,
    nn.Embedding.reset_parameters: _embedding,
    nn.EmbeddingBag.reset_parameters: _embedding,
    nn.modules.batchnorm._NormBase.reset_parameters: _norm,
    nn.LayerNorm.reset_parameters: _norm,
    nn.GroupNorm.reset_parameters: _norm,
    nn.RMSNorm.reset_parameters: _norm,
    nn.PReLU.reset_parameters: _slope,
}
