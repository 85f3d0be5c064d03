"""TensorFlow's streams: the stateful one of `tf.compat.v1` ops, the stateless one of tf_keras and Keras 3."""

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
"""Stateful seeds are taken modulo this, as Python takes it."""
DEFAULT_GRAPH_SEED = 87654321
"""The graph seed of an op that has a seed in a graph that has none."""
ELEMENTS = 2**56
"""So many elements have their blocks in the counter's low half."""

LEAST = {"float16": 0.0, "bfloat16": 1e-20, "float32": 1e-20, "float64": 1e-250}
"""Least scale and mean by dtype: no value is subnormal then, which TensorFlow's threads would flush to zero."""


class TensorFlow(Scaling):
    """Base of the replays of TensorFlow's random ops on a CPU."""

    version: ClassVar[str] = "tensorflow-2.21"

    def _key_and_counter(self) -> tuple[tuple[int, int], int]:
        """The words of the key and of the counter's high half as two 64-bit numbers, and elements drawn before."""
        raise NotImplementedError

    def _prepare(self, request: Request) -> Prepared:
        """Parameters in float64, as TensorFlow's Python has them, and the op's key and counter."""
        law, kind = request.law, request.kind
        if law.name == "truncated_normal" and law.bounds != STANDARD_BOUNDS:
            self._refuse("lower` and `upper", law.bounds, "-2 and 2")
        if law.name != "uniform" and kind.name == "float64" and not libm_is_proven():
            self._refuse("dtype", kind.name, "16- or 32-bit on this machine, whose C library is not glibc with FMA,")
        (key, counter), skip = self._key_and_counter()
        if skip + prod(request.part.full_shape) > ELEMENTS:
            self._refuse("shape", request.part.full_shape, "of at most 2^56 elements, those skipped included,")
        identity = key.to_bytes(8, "little") + counter.to_bytes(8, "little")
        plan = self._plan(request)
        parameters, names = (plan.loc, plan.scale), "mean` and `stddev"
        if law.name == "uniform":
            parameters, names = (plan.low, plan.high), "minval` and `maxval"
        if not plan.high - plan.low < kind.overflow:
            self._refuse(names, parameters, f"closer together than {kind.overflow:.6g}, where {kind.name} overflows,")
        least = LEAST[kind.name]
        if any(0 < abs(number) < least for number in (*parameters, plan.high - plan.low)):
            self._refuse(names, parameters, f"0 or at least {least} (TensorFlow flushes subnormal values)")
        return plan, ("tensorflow", (identity, 256 * skip))


@dataclass(frozen=True, repr=False)
class tf1(TensorFlow):
    """The stream of TensorFlow 1's stateful random ops, `tf.compat.v1` (TensorFlow 2.21 on a CPU).

    The bits of an op's run in a session: `varscale.lecun_normal(seed=replay.tf1(42))((2, 4))` is what a session returns
    for `tf.compat.v1.initializers.lecun_normal(42)((2, 4))`.

    Args:
        seed: The op's seed, or None: then that of the graph's first op without a seed. The n-th such op (from 0) of a
            graph has the seed n.
        graph_seed: What `tf.compat.v1.set_random_seed` was given; None where it was not called.
        skip: How many elements the same op has drawn before: the second run of an op that draws n elements a run has
            skip = n.
        eager: Whether it ran in eager mode. A graph leaves out the addition of a mean of 0, so that the negative values
            that are too small for float16 become -0, which eager mode makes 0; all other values are the same.

    Raises:
        TypeError: An argument of the wrong kind.
        ValueError: Neither seed, which draws other values each time; a negative `skip`.

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
        """Both seeds, as `tf.compat.v1.get_seed` pairs them."""
        graph_seed = DEFAULT_GRAPH_SEED if self.graph_seed is None else self.graph_seed % MODULUS
        seed = (0 if self.seed is None else self.seed) % MODULUS
        return (graph_seed, MODULUS if (graph_seed, seed) == (0, 0) else seed), self.skip

    def _plan(self, request: Request) -> Plan:
        """In a graph nothing is added where the mean is 0: as if -0 were."""
        plan = super()._plan(request)
        is_zero = request.kind.dtype.type(np.float32(plan.loc)) == 0
        return plan._replace(loc=-0.0) if is_zero and not self.eager else plan


class Stateless(TensorFlow):
    """Base of the replays of `tf.random.stateless_*` ops."""

    def _seeds(self) -> tuple[int, int]:
        """The op's pair of seeds, each of 64 bits."""
        raise NotImplementedError

    def _key_and_counter(self) -> tuple[tuple[int, int], int]:
        """One block of Philox scrambles the seeds."""
        return tensorflow_scramble(*(seed % 2**64 for seed in self._seeds())), 0


@dataclass(frozen=True, repr=False)
class tf_keras(Stateless):
    """The stream of tf_keras (Keras 2): the initializers of `tf_keras.initializers` (2.21 on a CPU).

    Args:
        seed: The initializer's seed, an integer of 64 bits. For what an unseeded initializer gets, see
            `keras_defaults`.

    Raises:
        TypeError: `seed` is no integer.
        ValueError: It has more than 64 bits.

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
        """The second one is 0."""
        return self.seed, 0


@dataclass(frozen=True, repr=False)
class KerasTensorFlow(Keras, Stateless):
    """The stream of Keras 3 on TensorFlow: the initializers of `keras.initializers`, and draws of a SeedGenerator."""

    backend: ClassVar[str] = "tensorflow"
    version: ClassVar[str] = "keras-3.15 on tensorflow-2.21"

    def __post_init__(self) -> None:
        super().__post_init__()
        int64("seed", self.seed)

    def _seeds(self) -> tuple[int, int]:
        """Both within an int32, as Keras casts them."""
        return self.seed % (MODULUS - 1), self.draw % (MODULUS - 1)

    def _plan(self, request: Request) -> Plan:
        """Limits go through float32, whatever the dtype."""
        plan = super()._plan(request)
        return plan._replace(low=float(np.float32(plan.low)), high=float(np.float32(plan.high)))
