"""JAX's streams: `jax.random` keys with the rules of `jax.nn.initializers`, and Keras 3 on JAX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import prod
from typing import Any, ClassVar, TypeVar

import numpy as np

from .._arguments.checks import as_integer, boolean, int64, integer
from .._arguments.dtypes import FloatType
from .._arguments.show import show
from .._core import threefry2x32
from .._sources.plan import STANDARD_BOUNDS, TRUNCATED_STDDEV, Plan
from .._sources.replay import Prepared, Replay
from .._sources.request import Normal, Request, Variance
from ._scaling import Keras
from ._xla import BITS, LEAST, Real, libm_is_proven

Self = TypeVar("Self", bound="jax")
WORD = 2**32
"""The words of keys and counters are less than this."""


@dataclass(frozen=True, repr=False)
class jax(Replay):
    """JAX's stream: the values that `jax.nn.initializers` make of a key (jax 0.10 on a CPU).

    These initializers make the same values:

    | varscale | jax.nn.initializers |
    |---|---|
    | `lecun_normal(seed)` and the other presets | `lecun_normal()` ... |
    | `VarianceScaling(s, m, "truncated_normal", seed)` | `variance_scaling(s, m, "truncated_normal")` |
    | `VarianceScaling(s, m, "uniform", seed)` | `variance_scaling(s, m, "uniform")` |
    | `VarianceScaling(s, m, "untruncated_normal", seed)` | `variance_scaling(s, m, "normal")` |
    | `RandomNormal(0, s, seed)` | `normal(s)` |
    | `TruncatedNormal(0, s, seed, lower=a, upper=b)` | `truncated_normal(s, lower=a, upper=b)` |
    | `RandomUniform(0, s, seed)` | `uniform(s)` |

    Calls with a mean or a lower limit other than 0, or with shapes that JAX has no fans for, raise ValueError.

    The values are those of processors that have fused multiply-add (all since 2013) and, for float16, no AVX512-FP16.

    Args:
        key: The seed that `jax.random.key` was given, or the two words that `jax.random.key_data` shows.
        x64: Whether `jax_enable_x64` is set: seeds then have 64 bits, and float64 exists.
        jit: Whether the initializer runs under `jax.jit`. XLA then rounds untruncated normal values differently. It
            takes the C library's erff for truncated ones in float32, so bounds other than -2 and 2 raise ValueError.
        partitionable: The setting `jax_threefry_partitionable`, which is on by default since JAX 0.5.
        fused_half: Whether the processor has AVX512-FP16 (Xeons since 2023), where some float16 values are different.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The seed has more than 64 bits, or a word of the key more than 32.

    Example:
        >>> import varscale as vs
        >>> from varscale import replay
        >>> key = replay.jax(42)
        >>> vs.lecun_normal(seed=key)((2, 2))
        array([[-0.02171782,  0.35722545],
               [ 0.22659318,  0.11777377]], dtype=float32)
        >>> weight, bias = key.split()
        >>> vs.lecun_normal(seed=weight) == vs.lecun_normal(seed=key).fold_in(0)
        True
    """

    key: tuple[int, int]
    x64: bool = False
    jit: bool = field(default=False, kw_only=True)
    partitionable: bool = field(default=True, kw_only=True)
    fused_half: bool = field(default=False, kw_only=True)
    name: ClassVar[str] = "jax"
    version: ClassVar[str] = "jax-0.10"

    def __post_init__(self) -> None:
        switches = {name: boolean(name, getattr(self, name)) for name in ("x64", "jit", "partitionable", "fused_half")}
        self._normalise(key=parse_key(self.key, x64=self.x64), **switches)

    def fold_in(self: Self, *path: int | str) -> Self:
        """The key that `jax.random.fold_in` makes, called once for each number.

        Raises:
            TypeError: An element is neither a string nor an integer.
            ValueError: An element is a string, or not from 0 to 2^32 - 1: JAX folds in no others.
        """
        key = self.key
        for element in path:
            if isinstance(element, str) or not 0 <= integer("path", element) < WORD:
                msg = f"`path` must hold integers from 0 to 2^32 - 1 to replay {self.version}, got {show(element)}"
                raise ValueError(msg)
            # JAX makes a key of the number, with a high word of 0, and hashes it under this key.
            key = hashed(key, (0, integer("path", element)))
        return self._with_key(key)

    def split(self: Self, num: int = 2) -> tuple[Self, ...]:
        """The keys that `jax.random.split` makes.

        Raises:
            TypeError: `num` is not an integer.
            ValueError: `num` is not from 1 to 2^31 - 1.
        """
        number = integer("num", num)
        if not 0 < number < WORD // 2:
            self._refuse("num", num, "from 1 to 2^31 - 1")
        if self.partitionable:
            return tuple(self._with_key(hashed(self.key, (0, child))) for child in range(number))
        # The original layout hashes the counters 0 to 2n - 1 as one array. It pairs the halves, puts all first words
        # before all second ones, and each key takes the next two.
        pairs = [hashed(self.key, (place, number + place)) for place in range(number)]
        words = [first for first, _ in pairs] + [second for _, second in pairs]
        return tuple(self._with_key((words[2 * child], words[2 * child + 1])) for child in range(number))

    def _with_key(self: Self, key: tuple[int, int]) -> Self:
        """The same options with another key."""
        return type(self)(**self._arguments() | {"key": key})

    def get_config(self) -> dict[str, Any]:
        """The arguments and the version, as JSON-serializable values."""
        return super().get_config() | {"key": list(self.key)}

    def _prepare(self, request: Request) -> Prepared:
        law, kind = request.law, request.kind
        if kind.name == "float64" and not self.x64:
            self._refuse("dtype", kind.name, "float32, float16 or bfloat16, without `x64`,")
        if self.jit and law.name == "truncated_normal" and law.bounds != STANDARD_BOUNDS and kind.name == "float32":
            self._refuse("lower` and `upper", law.bounds, "-2 and 2, under `jit` in float32,")
        # From here on every step rounds in the tensor's dtype, as JAX's arrays do.
        with np.errstate(all="ignore"):
            real = Real(kind, jit=self.jit)
            limits, clip = real.limits(law.name, law.bounds, (-1.0, 1.0))
            if isinstance(law.parameters, Variance):
                scale = self._deviation(law.name, law.parameters, request.part.full_shape, real)
            elif isinstance(law.parameters, Normal):
                scale = real.number(law.parameters.stddev)
                if law.parameters.mean != 0:
                    self._refuse("mean", law.parameters.mean, "0")
            else:
                scale, limits = real.number(law.parameters.maxval), (0.0, 1.0)
                if law.parameters.minval != 0:
                    self._refuse("minval", law.parameters.minval, "0")
            # Under `jit` XLA multiplies the two constants, √2 and the scale, in advance. In bfloat16 it does not,
            # because conversions to float32 and back stand between the products.
            folded = law.name == "normal" and self.jit and kind.name != "bfloat16"
            if folded:
                scale = real.root_of_2() * scale
        check(self, kind, limits, float(scale))
        # JAX adds nothing. Neither does adding -0, which leaves every number as it is, 0 and -0 too.
        plan = Plan(law.name, limits, -0.0, float(scale), *clip)
        return plan, ("jax", (self.key, self._word_count(request), folded, self.fused_half))

    def _deviation(self, law: str, parameters: Variance, shape: tuple[int, ...], real: Real) -> Any:
        """The factor of `variance_scaling`, which divides in float64 and then rounds every step to the dtype."""
        fan_in, fan_out = self._fans(parameters, shape)
        denominator = {
            "fan_in": fan_in,
            "fan_out": fan_out,
            "fan_avg": (fan_in + fan_out) / 2,
            "fan_geo_avg": (fan_in * fan_out) ** 0.5,
        }[parameters.mode]
        variance = real.number(parameters.scale / denominator)
        if law == "uniform":
            return np.sqrt(real.number(3.0) * variance)
        deviation = np.sqrt(variance)
        return deviation / real.number(TRUNCATED_STDDEV) if law == "truncated_normal" else deviation

    def _fans(self, parameters: Variance, shape: tuple[int, ...]) -> tuple[float, float]:
        """The fans as JAX computes them: by division, in floating point, and not of vectors."""
        if len(shape) < 2 and parameters.axes[0] == -2:
            self._refuse("shape", shape, "of at least two axes, unless `in_axis` is given,")
        if 0 in shape:
            self._refuse("shape", shape, "without empty axes")
        self._refuse_fans_by_hand(parameters, shape)
        sizes = (prod(shape[axis] for axis in ((axes,) if isinstance(axes, int) else axes)) for axes in parameters.axes)
        ins, outs, batch = sizes
        # Divided one by one as JAX does: exact products would differ in the last place where a size is above 2^53.
        field = prod(shape) / ins / outs / batch
        return ins * field, outs * field

    def _word_count(self, request: Request) -> int | None:
        """The number of 32-bit words that the whole tensor takes, if their order depends on it; else None."""
        if self.partitionable:
            return None
        # Narrow elements share a word, and the last word may be partly used.
        words = -(-BITS[request.kind.name] * prod(request.part.full_shape) // 32)
        if words >= WORD:
            self._refuse("shape", request.part.full_shape, "of fewer than 2^32 words, unless `partitionable`,")
        return words


@dataclass(frozen=True, repr=False)
class KerasJax(Keras):
    """The stream of Keras 3 on JAX, for `keras.initializers` and the draws of a SeedGenerator."""

    backend: ClassVar[str] = "jax"
    version: ClassVar[str] = "keras-3.15 on jax-0.10"

    def __post_init__(self) -> None:
        super().__post_init__()
        # Keras keeps both in one array of uint32, which JAX takes for a key.
        for name in ("seed", "draw"):
            if not 0 <= getattr(self, name) < WORD:
                self._refuse(name, getattr(self, name), "from 0 to 2^32 - 1")

    def _prepare(self, request: Request) -> Prepared:
        law, kind = request.law, request.kind
        if law.name == "truncated_normal" and law.bounds != STANDARD_BOUNDS:
            self._refuse("lower` and `upper", law.bounds, "-2 and 2")
        with np.errstate(all="ignore"):
            real = Real(kind)
            # Keras computes scales in Python's float64; they enter JAX's functions, which are jitted, as arguments.
            plan = self._plan(request)
            ends = float(real.argument(plan.low)), float(real.argument(plan.high))
            limits, clip = real.limits(law.name, law.bounds, ends)
            scale, mean = float(real.argument(plan.scale)), float(real.argument(plan.loc))
        check(self, kind, limits, scale)
        # The mean is added even where it is 0, which turns -0 into 0; to a uniform nothing is added.
        loc = -0.0 if law.name == "uniform" else mean
        return Plan(law.name, limits, loc, scale, *clip), ("jax", ((self.seed, self.draw), None, False, False))


def parse_key(key: Any, *, x64: bool) -> tuple[int, int]:
    """The two words of a key: those that `jax.random.key` makes of a seed, or `key` itself.

    Raises:
        TypeError: `key` is neither an integer nor two of them.
        ValueError: The seed has more than 64 bits, or a word more than 32.
    """
    if isinstance(key, int) or as_integer(key) is not None:
        seed = int64("key", key)
        # A negative seed has the words of its two's complement; without `x64` JAX cuts seeds to 32 bits.
        return (seed >> 32) % WORD if x64 else 0, seed % WORD
    words: tuple[Any, ...] = ()
    # Nothing longer is looked at: it may have millions of words.
    if isinstance(key, Sequence):
        words = tuple(islice(key, 3))
    elif hasattr(key, "__array__") and getattr(key, "shape", None) == (2,):
        words = tuple(np.asarray(key).tolist())
    if len(words) != 2:
        msg = f"`key` must be a seed, or the two words of `jax.random.key_data`, got {show(key)}"
        raise TypeError(msg)
    first, second = (integer("key", word) for word in words)
    if not (0 <= first < WORD and 0 <= second < WORD):
        msg = f"`key` must hold two words from 0 to 2^32 - 1, got {show(key)}"
        raise ValueError(msg)
    return first, second


def hashed(key: tuple[int, int], counter: tuple[int, int]) -> tuple[int, int]:
    """Both words that Threefry makes of one counter, as Python integers."""
    first, second = threefry2x32(key, counter)
    return first, second


def check(replay: Replay, kind: FloatType, limits: tuple[float, float], scale: float) -> None:
    """Raises where the values depend on more than is proven.

    Raises:
        ValueError: The values are so small that XLA flushes some to 0, the limits so far apart that their distance
            overflows, or the dtype is float64 on a machine with another C library.
    """
    if kind.name == "float64" and not libm_is_proven():
        replay._refuse("dtype", kind.name, "16- or 32-bit on this machine, whose C library is not glibc with FMA,")
    span = limits[1] - limits[0]
    if not span < kind.overflow:
        replay._refuse(
            "minval` and `maxval", limits, f"closer together than {kind.overflow:.6g}, where {kind.name} ends,"
        )
    least = LEAST[kind.name]
    if any(0 < abs(number) < least for number in (scale, span, *limits)):
        replay._refuse("scale", scale, f"0 or at least {least:.3g}, as must the limits (XLA flushes subnormal values),")
