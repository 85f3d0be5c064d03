"""Layers of Keras: what one unit of each weight is connected with, told by the layer's class and its sizes.

The classes are known by name, those of Keras 3 and of tf_keras, so that neither is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._arguments.show import show
from .._initializers.builtin import Builtin
from .._initializers.orthogonal import Orthogonal
from .._initializers.variance_scaling import VarianceScaling
from .._models.layouts import each, has_default_axes, placed

Shape = tuple[int, ...]
Rule = Callable[[Builtin, Any, Shape], Builtin]
"""What becomes of an initializer for a weight of a layer."""


def classes_of(layer: Any) -> list[str]:
    """The names of Keras' own classes that a layer is of, also by descent; a user's class may have any name."""
    return [cls.__name__ for cls in type(layer).__mro__ if cls.__module__.partition(".")[0] in {"keras", "tf_keras"}]


def rules_of(layer: Any) -> dict[str, Rule]:
    """The weights of a layer of Keras, also by descent, with their rules; none for any other layer."""
    return next((_LAYERS[name] for name in classes_of(layer) if name in _LAYERS), {})


def is_einsum(layer: Any) -> bool:
    """Whether a layer is an EinsumDense, of which attention is made."""
    return rules_of(layer) is _LAYERS["EinsumDense"]


def fitted(init: Builtin, layer: Any, name: str, shape: Shape) -> Builtin:
    """The initializer with the fans of one unit of a layer's weight, where it names no axes of its own.

    `layer` is None where nobody knows it.

    Raises:
        ValueError: Its values depend on fans that nobody tells.
    """
    rule = rules_of(layer).get(name)
    if rule is not None:
        return rule(init, layer, shape)
    known = 1 if layer is None else 2  # a matrix is (in, out), but for the gates of layers that are known

    def refuse(scaling: VarianceScaling) -> VarianceScaling:
        if len(shape) <= known or not has_default_axes(scaling):
            return scaling
        whose = "a layer" if layer is None else show(type(layer).__name__)
        msg = (
            f"the fans of {show(name)} {show(shape)} of {whose} must be known: give it an initializer with "
            "`input_axes` and `output_axes`, or `exact_keras_fans=True` for Keras' guess"
        )
        raise ValueError(msg)

    return each(init, refuse)


def _plain(init: Builtin, layer: Any, shape: Shape) -> Builtin:
    return init


def _grouped(init: Builtin, layer: Any, shape: Shape) -> Builtin:
    # One axis has the channels of a group, the other those of all.
    groups = getattr(layer, "groups", 1)
    return init if groups == 1 else _with_fan_out(init, shape[-1] // groups * _field(shape))


def _depthwise(init: Builtin, layer: Any, shape: Shape) -> Builtin:
    return placed(init, (), -1, -2)


def _transposed(init: Builtin, layer: Any, shape: Shape) -> Builtin:
    return placed(init, -1, -2)


def _gates(count: int) -> Rule:
    """The rule of so many matrices that lie side by side."""

    def rule(init: Builtin, layer: Any, shape: Shape) -> Builtin:
        changed = _with_fan_out(init, shape[-1] // count * _field(shape))
        return each(changed, lambda matrix: matrix._with_axis(-1, count), Orthogonal)

    return rule


def _einsum(init: Builtin, layer: Any, shape: Shape) -> Builtin:
    """The axes that Keras 3 counts: those of the output, and all others as inputs."""
    operands, _, output = layer.equation.replace("...", "").replace(" ", "").partition("->")
    kernel = operands.partition(",")[2]
    outs = tuple(axis for axis, letter in enumerate(kernel) if letter in output)
    return placed(init, tuple(axis for axis in range(len(kernel)) if axis not in outs), outs)


def _field(shape: Shape) -> int:
    """The number of places of a kernel."""
    field = 1
    for size in shape[:-2]:
        field *= size
    return field


def _with_fan_out(init: Builtin, fan_out: int) -> Builtin:
    return each(init, lambda scaling: scaling._with_fans(fan_out=fan_out) if has_default_axes(scaling) else scaling)


_CELLS = {"SimpleRNNCell": 1, "GRUCell": 3, "LSTMCell": 4, "ConvLSTMCell": 4}
_LAYERS: dict[str, dict[str, Rule]] = {
    "Dense": {"kernel": _plain},
    # Of LoRA's two matrices the first is drawn, and has the kernel's inputs.
    "EinsumDense": {"kernel": _einsum, "lora_kernel_a": _einsum},
    "Embedding": {"embeddings": _plain, "reverse_embeddings": _plain},
    # The base classes of Keras 3, and those of tf_keras, whose transposed ones descend from the plain.
    "BaseConv": {"kernel": _grouped, "lora_kernel_a": _plain},
    "Conv": {"kernel": _grouped},
    "BaseDepthwiseConv": {"kernel": _depthwise},
    "DepthwiseConv": {"depthwise_kernel": _depthwise},
    "BaseSeparableConv": {"depthwise_kernel": _depthwise, "pointwise_kernel": _plain},
    "SeparableConv": {"depthwise_kernel": _depthwise, "pointwise_kernel": _plain},
    "BaseConvTranspose": {"kernel": _transposed},
    "Conv1DTranspose": {"kernel": _transposed},
    "Conv2DTranspose": {"kernel": _transposed},
    "Conv3DTranspose": {"kernel": _transposed},
    **{name: dict.fromkeys(("kernel", "recurrent_kernel"), _gates(count)) for name, count in _CELLS.items()},
}
