"""What a layer's own code starts each of its variables from, told by its attributes."""

from __future__ import annotations

from typing import Any

from .._arguments.show import show
from .._initializers.builtin import Builtin
from .._initializers.constant import Ones
from .._initializers.pieces import Pieces
from .._initializers.serialization import deserialize
from .._initializers.variance_scaling import VarianceScaling
from .base import Rules
from .framework import Framework
from .layers import classes_of
from .scaling import with_axes

_ATTRIBUTES = {
    "recurrent_kernel": "recurrent_initializer",
    "depthwise_kernel": "depthwise_initializer",
    "pointwise_kernel": "pointwise_initializer",
    "reverse_embeddings": "embeddings_initializer",
}
"""Where a variable's initializer has another name than the variable."""
_WORDS: dict[tuple[str, str], Builtin] = {
    ("RMSNormalization", "scale"): Ones(),
    ("Attention", "scale"): Ones(),
    ("Attention", "concat_score_weight"): Ones(),
}
"""What layers name in their code alone."""


def own_initializer(framework: Framework, layer: Any, name: str, shape: tuple[int, ...]) -> tuple[Builtin | None, bool]:
    """The initializer of a layer's variable as one of ours, with the seed that it has, and whether it draws by path.

    It is None where nobody tells.

    Raises:
        ValueError: It is a function, or a class that has no equal here.
    """
    names = classes_of(layer)
    for (cls, leaf), found in _WORDS.items():
        if name == leaf and cls in names:
            return found, True
    attribute = _ATTRIBUTES.get(name, f"{name}_initializer")
    if name == "kernel" and "BaseDepthwiseConv" in names:
        attribute = "depthwise_initializer"
    held = getattr(layer, attribute, None)
    if held is None:
        return None, True
    init = as_plain(framework, held, shape)
    if name == "bias" and getattr(layer, "unit_forget_bias", False):
        # The second of the four gates forgets; its ones are in the code of both LSTM cells.
        units = getattr(layer, "units", getattr(layer, "filters", 0))
        init = Pieces([(..., init), (slice(units, 2 * units), Ones())])
    return init, getattr(held, "by_path", True) if isinstance(held, Rules) else True


def as_plain(framework: Framework, held: Any, shape: tuple[int, ...]) -> Builtin:
    """An initializer of Keras', of ours for Keras, or a plain one, as a plain one for tensors of a shape.

    Raises:
        ValueError: It is a function, or a class that has no equal here.
    """
    if isinstance(held, Rules):
        return held._of_shape(shape)
    if isinstance(held, Builtin):
        return held
    if type(held).__module__.partition(".")[0] == framework.name:  # no user's class, which may draw anything
        config = dict(held.get_config())
        ins, outs = config.pop("input_axes", None), config.pop("output_axes", None)
        # Not by the framework's `serialize`, which may import TensorFlow to ask whether this is one of its tensors.
        found = deserialize({"class_name": type(held).__name__, "config": config})
        if isinstance(found, VarianceScaling):
            found = with_axes(found, ins, outs, len(shape))
        if isinstance(found, Builtin):
            return found
    msg = f"an initializer must be one of {framework.name} or varscale, got {show(held)}: give a `varscale.Model`"
    raise ValueError(msg)
