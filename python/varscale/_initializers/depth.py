"""Rules of depth and width: the initializer of a layer in a network that is deep or wide."""

from __future__ import annotations

from typing import Any

from .._arguments.checks import integer, positive
from .._arguments.show import show
from .base import Initializer
from .builtin import divided
from .orthogonal import DeltaOrthogonal, Orthogonal
from .pieces import Pieces
from .variance_scaling import VarianceScaling


def residual(init: Initializer, layers: int) -> Initializer:
    """The initializer of what is added to a residual stream: its standard deviation is that of `init` / sqrt(2 layers).

    So GPT-2 and Megatron-LM start the output projections of attention and feed-forward layers, which are 2 a layer.

    The rules of this family take an initializer that spreads values about 0, and keep its seed, path, dtype, axes and
    fans: a variance scaling, `Orthogonal`, `DeltaOrthogonal`, `RandomNormal`, `TruncatedNormal`, `RandomUniform`,
    `Sparse`, `Identity`, `Zeros`, or `Pieces` of them.

    Args:
        init: The initializer that the layer would have in a network of usual depth.
        layers: The number of layers, at least 1.

    Raises:
        TypeError: `init` is another initializer, or a number is no integer.
        ValueError: The mean of `init` is not 0, or a number is out of range.

    Example:
        >>> import varscale as vs
        >>> vs.residual(vs.RandomNormal(0.0, 0.02), 12).stddev == 0.02 / 24**0.5
        True
    """
    return divided(init, 2.0 * _count("layers", layers))


def depth_scaled(init: Initializer, layer: int) -> Initializer:
    """The initializer of layer `layer`, counted from 0: its standard deviation is that of `init` / sqrt(2 (layer + 1)).

    So torchtitan and OLMo start output projections. `residual` says what `init` may be, and what is an error.

    Example:
        >>> import varscale as vs
        >>> vs.depth_scaled(vs.RandomNormal(0.0, 0.02), 7).stddev
        0.005
    """
    return divided(init, 2.0 * (_count("layer", layer, 0) + 1.0))


def deepnorm(
    init: Initializer, layers: int, *, encoder_layers: int | None = None, decoder_layers: int | None = None
) -> Initializer:
    """The initializer of a weight of DeepNet: `init`, which is `xavier_normal()` in the paper, times β.

    It is for the value and output projections and both feed-forward weights of a stack of N = `layers` layers; queries
    and keys take `init` as it is. β is

    * (8 N)^(-1/4) in a network that is an encoder or a decoder alone;
    * 0.87 (N^4 M)^(-1/16) in an encoder beside a decoder of M = `decoder_layers` layers;
    * (12 N)^(-1/4) in a decoder beside an encoder, whose `encoder_layers` then only say that it is there.

    `residual` says what `init` may be, and what is an error.

    Raises:
        ValueError: Both `encoder_layers` and `decoder_layers` are given.

    References:
        Wang, Ma, Dong, Huang, Zhang, Wei, *DeepNet: Scaling transformers to 1,000 layers*, 2022, figure 2.

    Example:
        >>> import varscale as vs
        >>> vs.deepnorm(vs.xavier_normal(), 32).scale    # β is 1/4
        0.0625
    """
    number = _count("layers", layers)
    if decoder_layers is not None and encoder_layers is not None:
        got = f"{show(encoder_layers)} and {show(decoder_layers)}"
        msg = f"`encoder_layers` or `decoder_layers` must be None: those of the other stack are given, got {got}"
        raise ValueError(msg)
    if decoder_layers is not None:
        return divided(init, number**0.5 * _count("decoder_layers", decoder_layers) ** 0.125 / 0.87**2)
    if encoder_layers is not None:
        _count("encoder_layers", encoder_layers)
        return divided(init, (12.0 * number) ** 0.5)
    return divided(init, (8.0 * number) ** 0.5)


def mup(init: Initializer, width_mult: float) -> Initializer:
    """The initializer of a hidden weight in μP: its standard deviation is that of `init` / sqrt(width_mult).

    As in Megatron-LM, embeddings and an output layer of their own take `init` as it is in every width, and what is
    added to the residual stream takes `residual(mup(init, width_mult), layers)`. Learning rates, and the factors of
    logits and attention, are the network's.

    Args:
        init: The initializer at the base width; `residual` says what it may be. Variance scalings and orthogonal
            matrices are an error: their scale follows the width already.
        width_mult: The width over the base width, a positive number.

    Raises:
        TypeError: `init` is another initializer, or `width_mult` is no number.
        ValueError: `init` is one of these, its mean is not 0, or `width_mult` is not positive and finite.

    References:
        Yang, Hu et al., *Tensor programs V: Tuning large neural networks via zero-shot hyperparameter transfer*, 2022,
        table 8.

    Example:
        >>> import varscale as vs
        >>> vs.mup(vs.RandomNormal(0.0, 0.02), 4).stddev
        0.01
    """
    if _follows_width(init):
        msg = f"`init` must have a scale that does not follow the width already, got {show(init)}"
        raise ValueError(msg)
    return divided(init, positive("width_mult", width_mult))


def _follows_width(init: Any) -> bool:
    """Whether the scale depends on a tensor's shape."""
    if isinstance(init, Pieces):
        return any(_follows_width(piece) for _, piece in init.pieces)
    return isinstance(init, VarianceScaling | Orthogonal | DeltaOrthogonal)


def _count(name: str, value: Any, least: int = 1) -> float:
    """A number of layers."""
    number = integer(name, value)
    if not least <= number < 2**53:
        msg = f"`{name}` must be from {show(least)} to 2^53 - 1, got {show(value)}"
        raise ValueError(msg)
    return float(number)
