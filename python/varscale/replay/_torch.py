"""torch's streams: that of CPU tensors, which one serial generator fills, and that of Keras 3 on torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import erf, prod, sqrt
from typing import Any, ClassVar, Literal, get_args

from .._arguments.checks import integer, not_negative_integer, word
from .._core import TorchEnd, libm_is_proven, ln_1p_is_proven
from .._sources.plan import STANDARD_BOUNDS, Plan
from .._sources.replay import Prepared, Replay
from .._sources.request import Interval, Normal, Request, Variance
from ._scaling import Keras
from ._torch_draws import Draws

Capability = Literal["avx2", "default"]
CAPABILITIES: tuple[str, ...] = get_args(Capability)
SHORT = 16
"""A tensor of fewer normal values than this comes from another algorithm."""
PAIR = 4
"""The words that this algorithm takes for a pair of values."""
LARGEST_SKIP = 2**48
"""More words than any script draws, and few enough to be counted."""


class Serial(Replay):
    """Base of the replays of torch's CPU generator, which makes no element without those before it."""

    _in_order: ClassVar[bool] = True

    def _generator(self) -> tuple[int, int, int | None, str, Any]:
        """The seed, the words drawn before, where a kept value's pair began, the capability, and the end's object."""
        raise NotImplementedError

    def _crossing(self, request: Request, law: str, values: int, log_peak: float = 0.0) -> tuple[str, tuple[Any, ...]]:
        """The stream that crosses into the core, for a law that draws `values` values per element.

        Raises:
            ValueError: The request is for a part of a tensor, or for a dtype that has no exact replay on this machine.
        """
        self._refuse_parts(request)
        elements = prod(request.part.full_shape)
        if request.kind.name == "float64" and law in {"normal", "redrawn", "keras_truncated"}:
            # The C library's functions make these values, and in short tensors `log1p` too.
            proven = libm_is_proven() and (elements * values >= SHORT or ln_1p_is_proven())
            if not proven:
                self._refuse("dtype", "float64", "16- or 32-bit on this machine, whose C library is not glibc 2.36,")
        seed, skip, spare, capability, end = self._generator()
        # torch's laws are more than a plan can name, and its walk depends on the whole tensor's size: both cross here.
        return "torch", (law, log_peak, seed % 2**32, skip, spare, capability, elements, end)


@dataclass(frozen=True, repr=False)
class torch(Serial):
    """torch's stream: the values of `torch.nn.init` after `torch.manual_seed` (torch 2.15 on a CPU).

    These initializers make the same values, for tensors in torch's order of axes, (out, in, *kernel):

    | varscale | torch |
    |---|---|
    | `RandomUniform(a, b, seed)` | `uniform_(w, a, b)` |
    | `RandomNormal(m, s, seed)` | `normal_(w, m, s)` |
    | `TruncatedNormal(m, s, seed, lower=l, upper=u)` | `trunc_normal_(w, m, s, m + l * s, m + u * s)` |
    | `VarianceScaling(g * g, mode, "uniform", seed, in_axis=1, out_axis=0)` | `kaiming_uniform_` of gain g |
    | `VarianceScaling(g * g, mode, "untruncated_normal", seed, in_axis=1, out_axis=0)` | `kaiming_normal_` of gain g |
    | the same with mode `"fan_avg"` | `xavier_uniform_(w, g)`, `xavier_normal_(w, g)` |

    The gain is 1 for `nonlinearity="linear"`, sqrt(2) for "relu" and sqrt(2 / (1 + a**2)) for "leaky_relu".

    torch's bounds of a truncated normal law are absolute, and -2 and 2 by default: for a standard deviation of 0.02
    these are `lower=-100` and `upper=100`. torch has no variance scaling with this law, and no other fans. Its
    `trunc_normal_` was another function before 2.12.

    The generator draws one element after another, so parts (`index=`, `partition_info`) and `fold_in` raise ValueError.
    An `out` in another order than C's gets the values of a contiguous tensor.

    Args:
        seed: The seed that `torch.manual_seed` was given. torch uses its low 32 bits.
        skip: The number of 32-bit words that the generator has drawn before; `draws` counts them. A value takes one
            word, in float64 two. A normal tensor takes 16 more if its size is not a multiple of 16; in 16-bit types
            its size is rounded up instead. Below 16 elements it takes four words for two values, in any dtype.
        cpu_capability: The kernels that drew: "avx2", which AVX-512's equal, or "default", those of a machine without
            AVX2 or of `ATEN_CPU_CAPABILITY=default`.
        spare: The number of words before the pair whose second value the generator still keeps, or None. Normal
            tensors of fewer than 16 elements draw pairs. An odd size leaves a value, which the next such tensor takes
            first.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: torch refuses the seed, `skip` is negative or more than 2^48, the capability is unknown, or
            `spare` is more than `skip` - 4.

    Example:
        >>> import varscale as vs
        >>> from varscale import replay
        >>> vs.RandomUniform(0, 1, seed=replay.torch(42))((2, 2))    # torch.manual_seed(42); torch.rand(2, 2)
        array([[0.88226926, 0.91500396],
               [0.38286376, 0.95930564]], dtype=float32)
        >>> draws = replay.torch(0).draws()
        >>> weight, bias = draws.linear(4, 2)                        # torch.manual_seed(0); torch.nn.Linear(4, 2)
        >>> weight.shape, bias.shape, draws.position
        ((2, 4), (2,), <replay.torch(seed=0, skip=10, cpu_capability='avx2') of torch-2.15>)
    """

    seed: int
    skip: int = 0
    cpu_capability: Capability = "avx2"
    spare: int | None = field(default=None, kw_only=True)
    _end: TorchEnd | None = field(default=None, init=False, compare=False)
    """The object that the core tells how far the generator has come; `draws` goes on from there."""
    name: ClassVar[str] = "torch"
    version: ClassVar[str] = "torch-2.15"

    def __post_init__(self) -> None:
        seed = integer("seed", self.seed)
        if not -(2**63) <= seed < 2**64:
            self._refuse("seed", seed, "from -2^63 to 2^64 - 1")
        skip = not_negative_integer("skip", self.skip)
        if skip > LARGEST_SKIP:
            self._refuse("skip", skip, "at most 2^48")
        spare = None if self.spare is None else not_negative_integer("spare", self.spare)
        if spare is not None and spare + PAIR > skip:
            self._refuse("spare", spare, f"at most `skip` - {PAIR}")
        capability = word("cpu_capability", self.cpu_capability, CAPABILITIES)
        self._normalise(seed=seed, skip=skip, cpu_capability=capability, spare=spare)

    def _arguments(self) -> dict[str, Any]:
        # `_end` is a field but no argument; `spare` is rarely there, and configs are shorter without it.
        arguments = super()._arguments()
        del arguments["_end"]
        if self.spare is None:
            del arguments["spare"]
        return arguments

    def draws(self) -> Draws[torch]:
        """The successive draws of one generator from here on, which are whole tensors in a script's order."""
        return Draws(self)

    def _reporting(self, end: TorchEnd) -> torch:
        """The same position; its next fill tells `end` how far the generator has come."""
        reporting = torch(**self._arguments())
        reporting._normalise(_end=end)
        return reporting

    def _moved(self, skip: int, spare: int | None) -> torch:
        """The position after `skip` words, when a value may be left of the pair at `spare`."""
        return torch(self.seed, skip, self.cpu_capability, spare=spare)

    def _generator(self) -> tuple[int, int, int | None, str, Any]:
        return self.seed, self.skip, self.spare, self.cpu_capability, self._end

    def _prepare(self, request: Request) -> Prepared:
        # Bounds and standard deviations are float64 numbers, as in torch's Python; the core rounds them as kernels do.
        law, parameters = request.law, request.law.parameters
        if isinstance(parameters, Normal) and law.name == "truncated_normal":
            return self._truncated(request, parameters, law.bounds)
        if isinstance(parameters, Variance):
            std = self._deviation(request, parameters)
            bound = sqrt(3.0) * std
            interval, normal = Interval(-bound, bound), Normal(0.0, std)
        elif isinstance(parameters, Normal):
            interval, normal = Interval(0.0, 0.0), parameters
        else:
            interval, normal = parameters, Normal(0.0, 0.0)
        if not interval.maxval - interval.minval < request.kind.overflow:
            self._refuse("minval` and `maxval", tuple(interval), f"closer together than {request.kind.overflow:.6g}")
        return Plan(law.name, STANDARD_BOUNDS, *normal, *interval), self._crossing(request, law.name, 1)

    def _deviation(self, request: Request, parameters: Variance) -> float:
        """The standard deviation that `kaiming_*` and `xavier_*` scale by."""
        shape = request.part.full_shape
        if request.law.name == "truncated_normal":
            self._refuse("distribution", "truncated_normal", "'untruncated_normal' or 'uniform'")
        if len(shape) < 2:
            self._refuse("shape", shape, "of at least two axes")
        if 0 in shape:
            return 0.0  # torch draws nothing, and has no fans to divide by
        field = prod(shape[2:])
        fans = fan_in, fan_out = shape[1] * field, shape[0] * field
        if fans != (parameters.fan_in, parameters.fan_out):
            self._refuse_fans_by_hand(parameters, shape)
            self._refuse("in_axis`, `out_axis` and `batch_axis", parameters.axes, "1, 0 and ()")
        # Each quotient is torch's own: another order of the same operations rounds differently.
        gain = sqrt(parameters.scale)
        if parameters.mode == "fan_avg":
            return gain * sqrt(2.0 / float(fan_in + fan_out))
        if parameters.mode == "fan_geo_avg":
            self._refuse("mode", parameters.mode, "'fan_in', 'fan_out' or 'fan_avg'")
        return gain / sqrt(fan_in if parameters.mode == "fan_in" else fan_out)

    def _truncated(self, request: Request, moments: Normal, bounds: tuple[float, float]) -> Prepared:
        """`trunc_normal_`: it redraws values out of bounds, but where those are many it thins uniform ones."""
        mean, std = moments
        if std == 0:
            self._refuse("stddev", std, "positive")
        low, high = (mean + bound * std for bound in bounds)
        mass = _mass_below((high - mean) / std) - _mass_below((low - mean) / std)
        # The limit is torch's, which decides by it what to draw.
        if mass > 0.3:
            law, log_peak = "redrawn", 0.0
        else:
            if not high - low < request.kind.overflow:
                self._refuse("lower` and `upper", bounds, "finite where they hold less than 0.3 of the mass")
            # A uniform value is kept with the chance density / peak; the peak is at the mean or the nearest bound.
            law, log_peak = "accepted", -0.5 * ((max(low, min(mean, high)) - mean) / std) ** 2
        return Plan(law, STANDARD_BOUNDS, mean, std, low, high), self._crossing(request, law, 1, log_peak)


def _mass_below(x: float) -> float:
    """The mass of the standard normal law below x, in the arithmetic of torch."""
    return (1.0 + erf(x / sqrt(2.0))) / 2.0


@dataclass(frozen=True, repr=False)
class KerasTorch(Keras, Serial):
    """The stream of Keras 3 on torch, for `keras.initializers` and the draws of a SeedGenerator.

    For each element of the truncated law, Keras draws four normal values and takes the first one within the bounds. If
    none is, it takes the first: some one in 230,000 elements is beyond two standard deviations.
    """

    backend: ClassVar[str] = "torch"
    version: ClassVar[str] = "keras-3.15 on torch-2.15"

    def __post_init__(self) -> None:
        super().__post_init__()
        # An initializer hands its seed to torch as it is; a SeedGenerator keeps it in an int32.
        if self.draw > 0 and not -(2**31) <= self.seed < 2**31:
            self._refuse("seed", self.seed, "of 32 bits for a SeedGenerator")
        if self.draw >= 2**31:
            self._refuse("draw", self.draw, "below 2^31")

    def _generator(self) -> tuple[int, int, int | None, str, Any]:
        # Keras makes a new generator for each draw, seeded by the sum.
        return self.seed + self.draw, 0, None, "avx2", None

    def _prepare(self, request: Request) -> Prepared:
        plan, law = self._plan(request), request.law
        if law.name == "normal":
            return plan, self._crossing(request, "normal", 1)
        if law.name == "uniform":
            return plan, self._crossing(request, "keras_uniform", 1)
        if law.bounds != STANDARD_BOUNDS:
            self._refuse("lower` and `upper", law.bounds, "-2 and 2")
        return plan, self._crossing(request, "keras_truncated", 4)
