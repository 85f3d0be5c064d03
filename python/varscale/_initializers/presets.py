"""The named variance scalings: each a row of data, and a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .._arguments.fans import AxesLike
from .variance_scaling import VarianceScaling

if TYPE_CHECKING:
    from ..replay import Replay

_LECUN = "LeCun, Bottou, Orr, Müller, *Efficient BackProp*, 1998, section 4.6"
_GLOROT = "Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010"
_HE = "He, Zhang, Ren, Sun, *Delving deep into rectifiers*, ICCV 2015, section 2.2"

_VALUES = {
    "truncated_normal": """Draws normal values truncated at two standard deviations. Their standard deviation after
    truncation is {root}: they fill [-b, b] with b = 2 / 0.87962566103423978 * {root}.""",
    "uniform": """Draws uniform values in [-limit, limit] with limit = sqrt(3) * {root}, so that their
    standard deviation is {root}.""",
}
_N = {"fan_in": "fan_in", "fan_avg": "((fan_in + fan_out) / 2)"}
_DOC = """{title} initialization.

    {values}

    The same as `VarianceScaling({scale}, "{mode}", "{distribution}", seed, dtype)`. {aliases}

    Args:
        seed: Any integer, or None: see `set_random_seed`; or what `varscale.replay` makes.
        dtype: What a call without a dtype returns: float16, bfloat16, float32 or float64.
        in_axis: The input axis or axes.
        out_axis: The output axis or axes.
        batch_axis: Axes of stacked, independent tensors, which count for no fan.

    Raises:
        TypeError: An argument of the wrong kind.
        ValueError: A bad `dtype`.

    References:
        {source}.
    """


class Preset(VarianceScaling):
    """A variance scaling with its scale, mode and distribution fixed by the class."""

    parameters: ClassVar[dict[str, Any]] = {
        "seed": VarianceScaling.REQUIRED,
        "dtype": "float32",
        "in_axis": -2,
        "out_axis": -1,
        "batch_axis": (),
        "path": (),
    }
    _row: ClassVar[tuple[float, str, str]]

    def __init_subclass__(cls, row: tuple[float, str, str] | None = None, source: str = "", also: str = "") -> None:
        """Takes a preset's row of data and writes its docstring; a user's subclass has no row."""
        super().__init_subclass__()
        if row is not None:
            cls._row = row
            scale, mode, distribution = row
            root = f"sqrt({scale:g} / {_N[mode]})"
            cls.__doc__ = _DOC.format(
                title=also.partition(",")[0].replace("_", " ").capitalize(),
                values=_VALUES[distribution].format(root=root),
                scale=scale,
                mode=mode,
                distribution=distribution,
                source=source,
                aliases=f"Also named {also}.",
            )

    def __init__(
        self,
        seed: int | Replay | None = None,
        *,
        dtype: Any = "float32",
        in_axis: AxesLike = -2,
        out_axis: AxesLike = -1,
        batch_axis: AxesLike = (),
    ) -> None:
        """Checks every argument once; calls only compute."""
        super().__init__(*self._row, seed, dtype, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)

    def __setattr__(self, name: str, value: object) -> None:
        if name in VarianceScaling.parameters:
            msg = f"{type(self).__name__} is immutable, cannot set `{name}`"
            raise AttributeError(msg)
        super().__setattr__(name, value)


class LecunNormal(Preset, row=(1.0, "fan_in", "truncated_normal"), source=_LECUN, also="lecun_normal"):
    __doc__: str


class LecunUniform(Preset, row=(1.0, "fan_in", "uniform"), source=_LECUN, also="lecun_uniform"):
    __doc__: str


class GlorotNormal(
    Preset,
    row=(1.0, "fan_avg", "truncated_normal"),
    source=_GLOROT,
    also="glorot_normal, XavierNormal, xavier_normal",
):
    __doc__: str


class GlorotUniform(
    Preset, row=(1.0, "fan_avg", "uniform"), source=_GLOROT, also="glorot_uniform, XavierUniform, xavier_uniform"
):
    __doc__: str


class HeNormal(
    Preset, row=(2.0, "fan_in", "truncated_normal"), source=_HE, also="he_normal, KaimingNormal, kaiming_normal"
):
    __doc__: str


class HeUniform(Preset, row=(2.0, "fan_in", "uniform"), source=_HE, also="he_uniform, KaimingUniform, kaiming_uniform"):
    __doc__: str


lecun_normal = LecunNormal
lecun_uniform = LecunUniform
glorot_normal = xavier_normal = XavierNormal = GlorotNormal
glorot_uniform = xavier_uniform = XavierUniform = GlorotUniform
he_normal = kaiming_normal = KaimingNormal = HeNormal
he_uniform = kaiming_uniform = KaimingUniform = HeUniform
