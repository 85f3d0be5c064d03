"""The base of the random initializers: a law for every shape."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import FloatType, float_type
from .._arguments.parts import Part
from .._arguments.shapes import ShapeLike, parse_shape
from .._core import Tensor
from .._filling.arrays import small_tensor
from .._filling.writing import Writing
from .._sources.environment import in_default_environment
from .._sources.plan import Plan
from .._sources.request import Law
from .._sources.seeds import Seed, parse_seed
from .._sources.source import Naming, Source
from .complex import complex_source
from .seeded import Seeded

Self = TypeVar("Self", bound="Sampled")
_REMEMBERED = 256
"""The number of plans, and of small tensors, that an initializer keeps."""


class Description(NamedTuple):
    """The exact description of the values that an initializer makes for one shape."""

    fan_in: float
    fan_out: float
    mean: float
    """The mean of the values after truncation."""
    stddev: float
    """The standard deviation of the values after truncation; of complex ones it is sqrt(E |w - mean|^2)."""
    low: float
    """No value is less than this number rounded to the dtype, nor the real part of one; -inf for normal laws."""
    high: float
    """No value is greater than this number rounded to the dtype, nor the real part of one; inf for normal laws."""


class Sampled(Seeded):
    """Base of the random initializers; a subclass finds the law and the plan of a shape."""

    _complex: ClassVar[bool] = False
    """Whether it makes complex tensors, too."""
    _kind: FloatType
    _plans: dict[tuple[str, tuple[int, ...]], Plan]
    """The plans of the last shapes, shared with copies of other seeds and paths; small calls are a sixth faster."""
    _tensors: dict[tuple[tuple[int, ...], Any], Tensor]
    """The small whole tensors of the last calls, by shape and dtype as they were given; shared likewise."""

    def _seal(self, seed: Any, dtype: Any) -> None:
        """Sets the attributes of every random initializer, as the last step of a constructor."""
        kind = float_type(dtype, self._complex)
        self._set(dtype=kind.name, _kind=kind, _seed=parse_seed(seed), _plans={}, _tensors={})

    def _with(self: Self, **changes: Any) -> Self:
        """The same initializer but for these attributes, on which plans depend: it has plans of its own."""
        return self._copy(**changes, _plans={}, _tensors={})

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        """The law and its parameters as the user gave them, for seeds that replay a framework's stream."""
        raise NotImplementedError

    def _plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        """The law of a tensor of this shape as a plan for the core."""
        raise NotImplementedError

    def _describe(self, full_shape: tuple[int, ...]) -> Description:
        """The description that `describe` returns."""
        raise NotImplementedError

    def describe(self, shape: ShapeLike) -> Description:
        """The fans, mean, standard deviation and bounds of the values for a shape, without drawing any.

        Raises:
            TypeError: `shape` is not a sequence of integers.
            ValueError: `shape` holds a negative size or lacks an axis, or the values overflow the initializer's dtype.

        Example:
            >>> import varscale as vs
            >>> vs.lecun_normal().describe((100, 10)).stddev
            0.1
        """
        return in_default_environment(self._describe, parse_shape(shape))

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        return self._source_of_piece(self._seed, part, dtype, stream)

    def _source_of_piece(self, seed: Seed, part: Part, dtype: Any, stream: bytes | Naming | None) -> Source:
        kind = self._kind if dtype is None else float_type(dtype, self._complex)
        drawn: Any = seed._source(self, kind, part, stream)
        return drawn if kind.part is None else complex_source(drawn, part)

    def _remembered_plan(self, full_shape: tuple[int, ...], kind: FloatType) -> Plan:
        """The plan of a shape and a dtype, from memory if it was made before."""
        key = kind.name, full_shape
        try:
            return self._plans[key]  # `get` would take the dict's lock in a Python without the GIL; this does not
        except KeyError:
            plan = in_default_environment(self._plan, full_shape, kind)
            _keep(self._plans, key, plan)
            return plan

    def _again(self, shape: Any, dtype: Any, out: Any) -> NDArray[Any] | None:
        if type(shape) is not tuple or (dtype is not None and type(dtype) is not str):
            return None
        for size in shape:
            if type(size) is not int:  # True equals 1 but is no size, and a hash of what else there is may fail
                return None
        try:
            tensor = self._tensors[shape, dtype]
        except KeyError:
            return None
        stream = self._seed._repeated()
        if stream is None:
            return None
        if out is None:
            return tensor(stream)
        if type(out) is not np.ndarray:
            return None
        with Writing(out):
            return out if tensor.fill(stream, out) else None

    def _remember(self, part: Part, dtype: Any, source: Source) -> None:
        key = part.shape, dtype
        # Under None only what a call without a dtype makes, which an `out` may have told otherwise.
        own = source.dtype == self._kind.dtype if dtype is None else type(dtype) is str
        if part.picks is None and own and key not in self._tensors:
            tensor = small_tensor(source, part.shape)
            if tensor is not None:
                _keep(self._tensors, key, tensor)


def _keep(memory: dict[Any, Any], key: Any, value: object) -> None:
    """Keeps a value in a memory of bounded size."""
    # All are dropped at once, which needs no order and no lock; copies in other threads share the dict.
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value
