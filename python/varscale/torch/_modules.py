"""What torch.nn's modules say of their parameters: the fans of weights, and the laws of all that is no weight.

Both are read from the `reset_parameters` of the module's class. A class that has one of its own is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from math import prod, sqrt
from typing import Any

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from .._initializers.builtin import Builtin
from .._initializers.constant import Constant, Ones, Zeros
from .._initializers.pieces import Pieces
from .._initializers.random import RandomNormal, RandomUniform
from .._initializers.variance_scaling import VarianceScaling
from ._names import Named, plain

Rule = Callable[[Builtin], Builtin]
"""What becomes of an initializer without a seed, for one parameter: the same with fans, or a law of its own."""

_NO_WEIGHTS = ("*bias*", "weight_g", "original[0-9]*")
"""Parameters of any rank that are no weights: biases, the norms of weight normalization, and what several tensors of a
parametrization mean together."""
_STATISTICS = {"running_mean": Zeros(), "running_var": Ones(), "num_batches_tracked": Zeros()}


def rule_for_weights(init: Builtin, in_axis: int = 1, out_axis: int = 0, **fans: float) -> Builtin:
    """The initializer for the layout (out, in, *kernel); axes and fans that its user gave stay as they are."""
    if isinstance(init, Pieces):
        return Pieces([(index, rule_for_weights(piece, in_axis, out_axis, **fans)) for index, piece in init.pieces])
    if not isinstance(init, VarianceScaling) or (init.in_axis, init.out_axis, init.batch_axis) != (-2, -1, ()):
        return init
    return init._with_axes(in_axis, out_axis)._with_fans(**fans)


def is_weight(named: Named) -> bool:
    """Whether a parameter that no rule knows is a weight: a matrix or more, and not called otherwise."""
    own = named.name.rpartition(".")[2]
    return named.tensor.ndim >= 2 and not any(fnmatchcase(own, pattern) for pattern in _NO_WEIGHTS)


def rules_of(module: nn.Module) -> dict[str, Rule]:
    """The rules of all parameters that torch.nn's classes know, by name."""
    found: dict[str, Rule] = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        rules = _RULES.get(_reset_of(owner), _unknown)(owner)
        for name, rule in rules.items():
            if is_parametrized(owner, name):
                name = f"parametrizations.{name}.original"
            # A parent comes before its children, and counts: it initialises after them.
            found.setdefault(plain(f"{prefix}.{name}" if prefix else name), rule)
    return found


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


def _always(law: Builtin) -> Rule:
    return lambda init: law


def _uniform(fan: int) -> Rule:
    """The law of biases in torch: uniform within 1 / sqrt(fan)."""
    bound = 1 / sqrt(fan) if fan else 0.0
    return _always(RandomUniform(-bound, bound))


def _unknown(owner: Any) -> dict[str, Rule]:
    return {}


def _linear(owner: Any) -> dict[str, Rule]:
    return {"weight": rule_for_weights, "bias": _uniform(owner.in_features)}


def _bilinear(owner: Any) -> dict[str, Rule]:
    return {"weight": rule_for_weights, "bias": _uniform(owner.in1_features)}


def _convolution(owner: Any) -> dict[str, Rule]:
    # What one unit is connected with: with the channels of its group only.
    field = prod(owner.kernel_size)
    ins, outs = owner.in_channels // owner.groups * field, owner.out_channels // owner.groups * field
    fans = {"fan_in": ins, "fan_out": outs} if owner.groups > 1 else {}
    if owner.transposed:
        weight = partial(rule_for_weights, in_axis=0, out_axis=1, **fans)
        return {"weight": weight, "bias": _uniform(outs)}  # torch counts it so: its fans are those of (out, in)
    return {"weight": partial(rule_for_weights, **fans), "bias": _uniform(ins)}


def _recurrent(owner: Any) -> dict[str, Rule]:
    # The matrices of the gates stand one above another; each has the hidden units as its outputs.
    gates = partial(rule_for_weights, fan_out=owner.hidden_size)
    kinds: dict[str, Rule] = {"weight_ih": gates, "weight_hh": gates, "weight_hr": rule_for_weights}
    bias = _uniform(owner.hidden_size)
    return {name: kinds.get(name[:9], bias) for name, _ in owner.named_parameters(recurse=False)}


def _attention(owner: Any) -> dict[str, Rule]:
    # The query's, the key's and the value's matrix, one above another.
    blocks = partial(rule_for_weights, fan_out=owner.embed_dim)
    separate = dict.fromkeys(("q_proj_weight", "k_proj_weight", "v_proj_weight"), rule_for_weights)
    zeros = dict.fromkeys(("in_proj_bias", "out_proj.bias"), _always(Zeros()))
    # `xavier_normal_` of the shape (1, 1, embed_dim).
    extra = dict.fromkeys(("bias_k", "bias_v"), _always(RandomNormal(0.0, 1 / sqrt(owner.embed_dim))))
    return {"in_proj_weight": blocks, **separate, **zeros, **extra}


def _embedding(owner: Any) -> dict[str, Rule]:
    def padded(init: Builtin) -> Builtin:
        init = rule_for_weights(init)
        pieces = init.pieces if isinstance(init, Pieces) else [(..., init)]
        return Pieces([*pieces, (owner.padding_idx, Zeros())])

    return {"weight": rule_for_weights if owner.padding_idx is None else padded}


def _norm(owner: Any) -> dict[str, Rule]:
    return {"weight": _always(Ones()), "bias": _always(Zeros())}


def _slope(owner: Any) -> dict[str, Rule]:
    return {"weight": _always(Constant(owner.init))}


_RULES: dict[Any, Callable[[Any], dict[str, Rule]]] = {
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
