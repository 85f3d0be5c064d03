"""JAX's names of initializers whose scale depends on the shape."""

from __future__ import annotations

from typing import Any, Literal

from .._arguments.checks import word
from .._arguments.fans import AxesLike
from .._initializers.builtin import Builtin
from .._initializers.presets import GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform
from .._initializers.variance_scaling import Mode, VarianceScaling
from ._initializer import initializer, known

_LAWS: dict[str, Any] = {"truncated_normal": "truncated_normal", "normal": "untruncated_normal", "uniform": "uniform"}


@initializer
def variance_scaling(
    scale: float,
    mode: Mode,
    distribution: Literal["truncated_normal", "normal", "uniform"],
    in_axis: AxesLike = -2,
    out_axis: AxesLike = -1,
    batch_axis: AxesLike = (),
    dtype: Any = None,
) -> Builtin:
    """`varscale.VarianceScaling` with JAX's words and for its keys, in place of `jax.nn.initializers.variance_scaling`.

    Args:
        scale: A positive, finite number.
        mode: "fan_in", "fan_out", "fan_avg" or "fan_geo_avg".
        distribution: "truncated_normal", "normal", which is not truncated, or "uniform".
        in_axis: The input axis or axes.
        out_axis: The output axis or axes.
        batch_axis: The axes along which independent tensors are stacked.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.

    Example:
        >>> import jax, varscale as vs
        >>> init = vs.jax.variance_scaling(2.0, "fan_in", "normal")
        >>> init(jax.random.key(7), (784, 256)).shape
        (784, 256)
    """
    law = _LAWS[word("distribution", distribution, tuple(_LAWS))]
    return VarianceScaling(known(scale), mode, law, 0, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)


@initializer
def lecun_normal(
    in_axis: AxesLike = -2, out_axis: AxesLike = -1, batch_axis: AxesLike = (), dtype: Any = None
) -> Builtin:
    """Normal values truncated at two standard deviations, of the variance 1 / fan_in.

    Args:
        in_axis: The input axis or axes.
        out_axis: The output axis or axes.
        batch_axis: The axes along which independent tensors are stacked.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return LecunNormal(0, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)


@initializer
def lecun_uniform(
    in_axis: AxesLike = -2, out_axis: AxesLike = -1, batch_axis: AxesLike = (), dtype: Any = None
) -> Builtin:
    """Uniform values of the variance 1 / fan_in.

    Args:
        in_axis: The input axis or axes.
        out_axis: The output axis or axes.
        batch_axis: The axes along which independent tensors are stacked.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return LecunUniform(0, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)


@initializer
def glorot_normal(
    in_axis: AxesLike = -2, out_axis: AxesLike = -1, batch_axis: AxesLike = (), dtype: Any = None
) -> Builtin:
    """Normal values truncated at two standard deviations, of the variance 2 / (fan_in + fan_out).

    Also `xavier_normal`.

    Args:
        in_axis: The input axis or axes.
        out_axis: The output axis or axes.
        batch_axis: The axes along which independent tensors are stacked.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return GlorotNormal(0, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)


@initializer
def glorot_uniform(
    in_axis: AxesLike = -2, out_axis: AxesLike = -1, batch_axis: AxesLike = (), dtype: Any = None
) -> Builtin:
    """Uniform values of the variance 2 / (fan_in + fan_out).

    Also `xavier_uniform`.

    Args:
        in_axis: The input axis or axes.
        out_axis: The output axis or axes.
        batch_axis: The axes along which independent tensors are stacked.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return GlorotUniform(0, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)


@initializer
def he_normal(in_axis: AxesLike = -2, out_axis: AxesLike = -1, batch_axis: AxesLike = (), dtype: Any = None) -> Builtin:
    """Normal values truncated at two standard deviations, of the variance 2 / fan_in.

    Also `kaiming_normal`.

    Args:
        in_axis: The input axis or axes.
        out_axis: The output axis or axes.
        batch_axis: The axes along which independent tensors are stacked.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return HeNormal(0, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)


@initializer
def he_uniform(
    in_axis: AxesLike = -2, out_axis: AxesLike = -1, batch_axis: AxesLike = (), dtype: Any = None
) -> Builtin:
    """Uniform values of the variance 2 / fan_in.

    Also `kaiming_uniform`.

    Args:
        in_axis: The input axis or axes.
        out_axis: The output axis or axes.
        batch_axis: The axes along which independent tensors are stacked.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return HeUniform(0, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)


xavier_normal = glorot_normal
xavier_uniform = glorot_uniform
kaiming_normal = he_normal
kaiming_uniform = he_uniform
