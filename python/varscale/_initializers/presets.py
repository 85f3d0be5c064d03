"""The named variance scalings. Each is a class with a row of data."""

from __future__ import annotations

from types import FunctionType
from typing import Any, ClassVar

from .._arguments.dtypes import DTypeLike
from .._arguments.fans import AxesLike, Rest
from .._arguments.layouts import Layout, Wiring
from .._sources.seeds import SeedLike
from .variance_scaling import Distribution, Mode, VarianceScaling


class Preset(VarianceScaling):
    """A variance scaling whose class fixes the scale, the mode and the distribution."""

    _parameters: ClassVar[dict[str, Any]] = {
        "seed": VarianceScaling._REQUIRED,
        "dtype": "float32",
        **Wiring._field_defaults,
        "fan_in": None,
        "fan_out": None,
    }
    _row: ClassVar[tuple[float, Mode, Distribution]]
    """The scale, the mode and the distribution."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Gives each class a constructor of its own name, which Python's errors about arguments show."""
        super().__init_subclass__(**kwargs)
        if cls._is_ours():
            # A copy of the function: the classes share its code, and only the name differs.
            shared = Preset.__init__
            own = FunctionType(shared.__code__, shared.__globals__, closure=shared.__closure__)
            own.__defaults__, own.__kwdefaults__ = shared.__defaults__, shared.__kwdefaults__
            own.__annotations__, own.__qualname__ = shared.__annotations__, f"{cls.__name__}.__init__"
            cls.__init__ = own  # type: ignore[method-assign]

    def __init__(
        self,
        seed: SeedLike = None,
        *,
        dtype: DTypeLike = "float32",
        in_axis: AxesLike | None = None,
        out_axis: AxesLike | None = None,
        batch_axis: AxesLike | Rest = (),
        layout: Layout | None = None,
        groups: int = 1,
        transposed: bool = False,
        depthwise: bool = False,
        blocks: int = 1,
        fan_in: float | None = None,
        fan_out: float | None = None,
    ) -> None:
        axes: dict[str, Any] = {"in_axis": in_axis, "out_axis": out_axis, "batch_axis": batch_axis, "layout": layout}
        axes |= {"groups": groups, "transposed": transposed, "depthwise": depthwise, "blocks": blocks}
        super().__init__(*self._row, seed, dtype, **axes, fan_in=fan_in, fan_out=fan_out)


class LecunNormal(Preset):
    """Lecun normal initialization: `VarianceScaling(1.0, "fan_in", "truncated_normal", seed, dtype)`.

    Draws normal values truncated at two standard deviations. Their standard deviation is sqrt(1 / fan_in)
    *after* truncation: they fill [-b, b], b = 2 sqrt(1 / fan_in) / 0.87962566103423978.

    Args:
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        in_axis: The input axis or axes; None for those of the layout.
        out_axis: The output axis or axes, likewise.
        batch_axis: The axes along which independent tensors are stacked, which count for no fan; "rest" for all others.
        layout: "keras", "jax", "torch" or "mlx", whose weight it is; see `VarianceScaling` for this and the next four.
        groups: The number of groups of a convolution.
        transposed: Whether it is of a transposed convolution.
        depthwise: Whether it is Keras' depthwise kernel.
        blocks: The number of independent matrices along the output axis.
        fan_in: The number of inputs, or None for that of the axes.
        fan_out: The number of outputs, or None for that of the axes.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, as in `VarianceScaling`.

    References:
        LeCun, Bottou, Orr, Müller, *Efficient BackProp*, 1998, section 4.6.
    """

    _row = (1.0, "fan_in", "truncated_normal")


class LecunUniform(Preset):
    """Lecun uniform initialization: `VarianceScaling(1.0, "fan_in", "uniform", seed, dtype)`.

    Draws uniform values in [-limit, limit], limit = sqrt(3 / fan_in). Their standard deviation is
    sqrt(1 / fan_in).

    Args:
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        in_axis: The input axis or axes; None for those of the layout.
        out_axis: The output axis or axes, likewise.
        batch_axis: The axes along which independent tensors are stacked, which count for no fan; "rest" for all others.
        layout: "keras", "jax", "torch" or "mlx", whose weight it is; see `VarianceScaling` for this and the next four.
        groups: The number of groups of a convolution.
        transposed: Whether it is of a transposed convolution.
        depthwise: Whether it is Keras' depthwise kernel.
        blocks: The number of independent matrices along the output axis.
        fan_in: The number of inputs, or None for that of the axes.
        fan_out: The number of outputs, or None for that of the axes.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, as in `VarianceScaling`.

    References:
        LeCun, Bottou, Orr, Müller, *Efficient BackProp*, 1998, section 4.6.
    """

    _row = (1.0, "fan_in", "uniform")


class GlorotNormal(Preset):
    """Glorot normal initialization: `VarianceScaling(1.0, "fan_avg", "truncated_normal", seed, dtype)`.

    Also `XavierNormal` and `xavier_normal`.

    Draws normal values truncated at two standard deviations. Their standard deviation is sqrt(2 / (fan_in + fan_out))
    *after* truncation: they fill [-b, b], b = 2 sqrt(2 / (fan_in + fan_out)) / 0.87962566103423978.

    Args:
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        in_axis: The input axis or axes; None for those of the layout.
        out_axis: The output axis or axes, likewise.
        batch_axis: The axes along which independent tensors are stacked, which count for no fan; "rest" for all others.
        layout: "keras", "jax", "torch" or "mlx", whose weight it is; see `VarianceScaling` for this and the next four.
        groups: The number of groups of a convolution.
        transposed: Whether it is of a transposed convolution.
        depthwise: Whether it is Keras' depthwise kernel.
        blocks: The number of independent matrices along the output axis.
        fan_in: The number of inputs, or None for that of the axes.
        fan_out: The number of outputs, or None for that of the axes.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, as in `VarianceScaling`.

    References:
        Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010.
    """

    _row = (1.0, "fan_avg", "truncated_normal")


class GlorotUniform(Preset):
    """Glorot uniform initialization: `VarianceScaling(1.0, "fan_avg", "uniform", seed, dtype)`.

    Also `XavierUniform` and `xavier_uniform`.

    Draws uniform values in [-limit, limit], limit = sqrt(6 / (fan_in + fan_out)). Their standard deviation is
    sqrt(2 / (fan_in + fan_out)).

    Args:
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        in_axis: The input axis or axes; None for those of the layout.
        out_axis: The output axis or axes, likewise.
        batch_axis: The axes along which independent tensors are stacked, which count for no fan; "rest" for all others.
        layout: "keras", "jax", "torch" or "mlx", whose weight it is; see `VarianceScaling` for this and the next four.
        groups: The number of groups of a convolution.
        transposed: Whether it is of a transposed convolution.
        depthwise: Whether it is Keras' depthwise kernel.
        blocks: The number of independent matrices along the output axis.
        fan_in: The number of inputs, or None for that of the axes.
        fan_out: The number of outputs, or None for that of the axes.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, as in `VarianceScaling`.

    References:
        Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010.
    """

    _row = (1.0, "fan_avg", "uniform")


class HeNormal(Preset):
    """He normal initialization: `VarianceScaling(2.0, "fan_in", "truncated_normal", seed, dtype)`.

    Also `KaimingNormal` and `kaiming_normal`.

    Draws normal values truncated at two standard deviations. Their standard deviation is sqrt(2 / fan_in)
    *after* truncation: they fill [-b, b], b = 2 sqrt(2 / fan_in) / 0.87962566103423978.

    Args:
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        in_axis: The input axis or axes; None for those of the layout.
        out_axis: The output axis or axes, likewise.
        batch_axis: The axes along which independent tensors are stacked, which count for no fan; "rest" for all others.
        layout: "keras", "jax", "torch" or "mlx", whose weight it is; see `VarianceScaling` for this and the next four.
        groups: The number of groups of a convolution.
        transposed: Whether it is of a transposed convolution.
        depthwise: Whether it is Keras' depthwise kernel.
        blocks: The number of independent matrices along the output axis.
        fan_in: The number of inputs, or None for that of the axes.
        fan_out: The number of outputs, or None for that of the axes.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, as in `VarianceScaling`.

    References:
        He, Zhang, Ren, Sun, *Delving deep into rectifiers*, ICCV 2015, section 2.2.
    """

    _row = (2.0, "fan_in", "truncated_normal")


class HeUniform(Preset):
    """He uniform initialization: `VarianceScaling(2.0, "fan_in", "uniform", seed, dtype)`.

    Also `KaimingUniform` and `kaiming_uniform`.

    Draws uniform values in [-limit, limit], limit = sqrt(6 / fan_in). Their standard deviation is
    sqrt(2 / fan_in).

    Args:
        seed: Any integer, a seed from `varscale.replay`, or None (see `set_random_seed`).
        dtype: What a call without a dtype returns: a floating-point or complex dtype.
        in_axis: The input axis or axes; None for those of the layout.
        out_axis: The output axis or axes, likewise.
        batch_axis: The axes along which independent tensors are stacked, which count for no fan; "rest" for all others.
        layout: "keras", "jax", "torch" or "mlx", whose weight it is; see `VarianceScaling` for this and the next four.
        groups: The number of groups of a convolution.
        transposed: Whether it is of a transposed convolution.
        depthwise: Whether it is Keras' depthwise kernel.
        blocks: The number of independent matrices along the output axis.
        fan_in: The number of inputs, or None for that of the axes.
        fan_out: The number of outputs, or None for that of the axes.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, as in `VarianceScaling`.

    References:
        He, Zhang, Ren, Sun, *Delving deep into rectifiers*, ICCV 2015, section 2.2.
    """

    _row = (2.0, "fan_in", "uniform")


lecun_normal = LecunNormal
lecun_uniform = LecunUniform
glorot_normal = xavier_normal = XavierNormal = GlorotNormal
glorot_uniform = xavier_uniform = XavierUniform = GlorotUniform
he_normal = kaiming_normal = KaimingNormal = HeNormal
he_uniform = kaiming_uniform = KaimingUniform = HeUniform
