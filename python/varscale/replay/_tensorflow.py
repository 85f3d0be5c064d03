"""TensorFlow's streams: the stateful one of `tf.compat.v1` ops, and the stateless one of tf_keras and Keras 3."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import ClassVar

import numpy as np

from .._arguments.checks import boolean, int64, integer, not_negative_integer
from .._core import libm_is_proven, tensorflow_scramble
from .._sources.plan import STANDARD_BOUNDS, Plan
from .._sources.replay import Prepared
from .._sources.request import Request
from ._scaling import Keras, Scaling

MODULUS = 2**31 - 1
"""Stateful seeds are taken modulo this number, which in Python gives no negative result."""
DEFAULT_GRAPH_SEED = 87654321
"""The graph seed of an op with a seed, in a graph without one."""
ELEMENTS = 2**56
"""The blocks of so many elements, 256 for each, are numbered in the counter's low half."""

LEAST = {"float16": 0.0, "bfloat16": 1e-20, "float32": 1e-20, "float64": 1e-250}
"""The least scale and mean of each dtype; below, values may be subnormal, which TensorFlow's threads flush to zero."""


class TensorFlow(Scaling):
    """Base of the replays of TensorFlow's random ops on a CPU."""

    version: ClassVar[str] = "tensorflow-2.21"

    def _key_and_counter(self) -> tuple[tuple[int, int], int]:
        """The key and the counter's high half, as 64-bit numbers, and the number of elements drawn before."""
        raise NotImplementedError

    def _prepare(self, request: Request) -> Prepared:
        law, kind = request.law, request.kind
        if law.name == "truncated_normal" and law.bounds != STANDARD_BOUNDS:
            self._refuse("lower` and `upper", law.bounds, "-2 and 2")
        # Normal values in float64 are made by the C library's logarithm, sine and cosine.
        if law.name != "uniform" and kind.name == "float64" and not libm_is_proven():
            self._refuse("dtype", kind.name, "16- or 32-bit on this machine, whose C library is not glibc with FMA,")
        (key, counter), skip = self._key_and_counter()
        if skip + prod(request.part.full_shape) > ELEMENTS:
            self._refuse("shape", request.part.full_shape, "of at most 2^56 elements, those skipped included,")
        identity = key.to_bytes(8, "little") + counter.to_bytes(8, "little")
        # Parameters stay in float64, as TensorFlow's Python has them: the core rounds them as the op's kernel does.
        plan = self._plan(request)
        parameters, names = (plan.loc, plan.scale), "mean` and `stddev"
        if law.name == "uniform":
            parameters, names = (plan.low, plan.high), "minval` and `maxval"
        if not plan.high - plan.low < kind.overflow:
            self._refuse(names, parameters, f"closer together than {kind.overflow:.6g}, where {kind.name} overflows,")
        least = LEAST[kind.name]
        if any(0 < abs(number) < least for number in (*parameters, plan.high - plan.low)):
            self._refuse(names, parameters, f"0 or at least {least} (TensorFlow flushes subnormal values)")
        # Each run of an op sets 256 blocks aside per element, however few it takes.
        return plan, ("tensorflow", (identity, 256 * skip))


@dataclass(frozen=True, repr=False)
class tf1(TensorFlow):
    """The stream of TensorFlow 1's stateful random ops, `tf.compat.v1` (TensorFlow 2.21 on a CPU).

    It has the bits of an op that runs in a session: `varscale.lecun_normal(seed=replay.tf1(42))((2, 4))` equals the
    session's result for `tf.compat.v1.initializers.lecun_normal(42)((2, 4))`.

    Args:
        seed: The op's seed. None stands for the first op without a seed in a graph; the n-th such op, counted from 0,
            has the seed n.
        graph_seed: The seed that `tf.compat.v1.set_random_seed` was given; None where it was not called.
        skip: The number of elements that the same op has drawn before. If an op draws n elements per run, its second
            run has skip = n.
        eager: Whether the op ran in eager mode. Only eager mode adds a mean of 0: negative values that are too small
            for float16 become 0 there, and -0 in a graph. All other values are the same.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: Both seeds are None, for which TensorFlow draws other values each time, or `skip` is negative.

    Example:
        >>> import varscale as vs
        >>> from varscale import replay
        >>> vs.lecun_normal(seed=replay.tf1(42))((2, 2))
        array([[-0.22570734, -0.11073511],
               [-0.5436827 ,  0.01975952]], dtype=float32)
    """

    seed: int | None
    graph_seed: int | None = None
    skip: int = field(default=0, kw_only=True)
    eager: bool = field(default=False, kw_only=True)
    name: ClassVar[str] = "tf1"

    def __post_init__(self) -> None:
        if self.seed is None and self.graph_seed is None:
            msg = "`seed` or `graph_seed` must be an integer, got None for both: TensorFlow then draws from entropy"
            raise ValueError(msg)
        self._normalise(
            seed=None if self.seed is None else integer("seed", self.seed),
            graph_seed=None if self.graph_seed is None else integer("graph_seed", self.graph_seed),
            skip=not_negative_integer("skip", self.skip),
            eager=boolean("eager", self.eager),
        )

    def _key_and_counter(self) -> tuple[tuple[int, int], int]:
        # As `tf.compat.v1.get_seed` pairs them. Two zeros would ask the op for entropy, so it gets another seed.
        graph_seed = DEFAULT_GRAPH_SEED if self.graph_seed is None else self.graph_seed % MODULUS
        seed = (0 if self.seed is None else self.seed) % MODULUS
        return (graph_seed, MODULUS if (graph_seed, seed) == (0, 0) else seed), self.skip

    def _plan(self, request: Request) -> Plan:
        plan = super()._plan(request)
        # A graph drops the addition of a mean that is 0 in the dtype; adding -0 changes no value either.
        is_zero = request.kind.dtype.type(np.float32(plan.loc)) == 0
        return plan._replace(loc=-0.0) if is_zero and not self.eager else plan


class Stateless(TensorFlow):
    """Base of the replays of `tf.random.stateless_*` ops."""

    def _seeds(self) -> tuple[int, int]:
        """The op's pair of seeds, each of which is taken modulo 2^64."""
        raise NotImplementedError

    def _key_and_counter(self) -> tuple[tuple[int, int], int]:
        # The op does not use the seeds themselves: one block of Philox scrambles them.
        return tensorflow_scramble(*(seed % 2**64 for seed in self._seeds())), 0


@dataclass(frozen=True, repr=False)
class tf_keras(Stateless):
    """The stream of tf_keras (Keras 2), for the initializers of `tf_keras.initializers` (2.21 on a CPU).

    Args:
        seed: The initializer's seed, an integer of 64 bits. `keras_defaults` knows the seeds of initializers without
            one.

    Raises:
        TypeError: `seed` is not an integer.
        ValueError: `seed` has more than 64 bits.

    Example:
        >>> import varscale as vs
        >>> from varscale import replay
        >>> vs.glorot_uniform(seed=replay.tf_keras(42))((2, 2))
        array([[-0.5329278 , -0.00387776],
               [ 0.5277635 , -1.1752602 ]], dtype=float32)
    """

    seed: int
    name: ClassVar[str] = "tf_keras"
    version: ClassVar[str] = "tf_keras-2.21"

    def __post_init__(self) -> None:
        self._normalise(seed=int64("seed", self.seed))

    def _seeds(self) -> tuple[int, int]:
        return self.seed, 0


@dataclass(frozen=True, repr=False)
class KerasTensorFlow(Keras, Stateless):
    """The stream of Keras 3 on TensorFlow, for `keras.initializers` and the draws of a SeedGenerator."""

    backend: ClassVar[str] = "tensorflow"
    version: ClassVar[str] = "keras-3.15 on tensorflow-2.21"

    def __post_init__(self) -> None:
        super().__post_init__()
        int64("seed", self.seed)

    def _seeds(self) -> tuple[int, int]:
        # Keras takes both modulo the largest int32 less 1, and casts them.
        return self.seed % (MODULUS - 1), self.draw % (MODULUS - 1)

    def _plan(self, request: Request) -> Plan:
        plan = super()._plan(request)
        # TensorFlow makes a float32 tensor of a Python number, and only then casts it to the dtype.
        return plan._replace(low=float(np.float32(plan.low)), high=float(np.float32(plan.high)))
